//! The ledger's promises: exact, order-free, mergeable anywhere, the same on disk.

mod bounds;
mod columns;
mod file;
mod laws;
mod naive;
mod scattered;
mod support;
mod threads;
