//! A Kubernetes API server in memory, for tests.
//!
//! [`FakeServer`] is a service of tower that answers HTTP requests as a real server does; [`FakeServer::client`] is a
//! client of it. The README of this crate says what it does and what it does not do.
//!
//! In the crate: `http` reads requests and writes answers, `api` has the verbs, `state` all that there is, over
//! `store` with its revisions. What is served comes from `model`, the types from `schema`. What becomes of fields in
//! patches, and who owns them, comes from `merge`. `protobuf` is the other form beside JSON.

mod api;
#[cfg(test)]
mod ask;
mod clock;
mod controllers;
mod convert;
mod custom;
mod defaults;
mod discovery;
mod failure;
mod fields;
mod garbage;
mod hooks;
mod http;
mod json;
mod json_path;
#[cfg(feature = "listen")]
mod listen;
mod merge;
mod model;
mod openapi;
mod protobuf;
mod scale;
mod schema;
mod server;
pub mod simulation;
mod state;
mod store;
mod table;
mod users;

#[cfg(feature = "listen")]
pub use listen::Listener;
pub use server::{AnswerFuture, FakeServer, FakeServerBuilder};
#[doc(hidden)]
pub use users::breaks;
pub use users::{Fault, RecordedRequest, RequestFilter, SeedError, Write};
