//! Requests and answers: everything that client-go's `rest` package knows, nothing of types or verbs.
//!
//! Architecture invariant: nothing here imports from [`watch`](crate::watch), [`list`](crate::list) or
//! [`resource`](crate::resource).

use std::{future::Future, pin::Pin};

use crate::error::Result;

mod answer;
mod attempts;
mod builder;
mod client;
mod encoded_words;
mod fairness;
mod kind;
mod limits;
mod measured_body;
pub(crate) mod pieces;
mod request;
mod response;
mod retrying;
mod trace;
mod upgrade;
mod warnings;

pub use builder::RestClientBuilder;
pub use client::RestClient;
pub(crate) use fairness::poll_turn;
pub use kind::CallKind;
use limits::{deadline, rate_limit, timed_body};
pub(crate) use request::Query;
pub use request::Request;
pub use response::Response;
pub(crate) use response::{ListBody, WholeBody};
pub use warnings::{DeduplicatedWarnings, LogWarnings, NoWarnings, Warning, WarningHandler};

pub use crate::transport::{Body, BoxError, HttpFuture, HttpService, Upgraded};

/// A call under way, or what awaiting a builder gives.
pub(crate) type CallFuture<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;
