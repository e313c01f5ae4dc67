//! Estimates from outside: known values, closure, routes, and what leaves the house.

mod annotate;
mod closure;
mod embodied;
mod golden;
mod laws;
mod report;
mod routes;
mod site_edges;
mod sites;
mod support;
