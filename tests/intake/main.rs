//! Intake from outside: files in, events and an account out.

mod corpus;
mod formats;
mod laws;
mod sources;
mod support;
mod templates;
mod traces;
