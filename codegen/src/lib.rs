//! The generator: a pure function from the stored specs of Kubernetes to the files under `crates/api`.
//!
//! - [`spec`] is the stored form of one Kubernetes version: taken in from upstream documents, loaded as plain data.
//! - [`fixups`] repairs what the specs have wrong.
//! - [`model`] joins all versions into plain data; [`policy`] is what `groups.toml` adds.
//! - [`emit`] turns the model into files, [`write`](mod@write) compares and replaces those on disk.
//! - [`coverage`] compares the stored specs with the generated sources, without asking the generator.

pub mod coverage;
pub mod emit;
mod error;
pub mod fixups;
pub mod model;
pub mod policy;
pub mod spec;
pub mod write;

pub use error::Error;
