//! A fake Kubernetes API server for tests.

#![allow(dead_code, reason = "the server that uses it comes next")]

mod merge;
mod model;
mod schema;
