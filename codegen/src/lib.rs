//! The generator: a pure function from the stored specs of Kubernetes to the files under `crates/api`.
//!
//! - [`spec`] is the stored form of one Kubernetes version: taken in from upstream documents, loaded as plain data.
//! - [`fixups`] repairs what the specs have wrong.
//! - [`model`] joins all versions into plain data; [`policy`] is what `groups.toml` adds.
//! - [`emit`] turns the model into files, [`write`](mod@write) compares and replaces those on disk.
//! - [`Regions`] are the tables of versions and crates in files that are written by hand.
//! - [`generate`] is all of it in a row: from specs and policy to files.
//! - [`crd`] makes the same of CustomResourceDefinitions, with the types of their objects.
//! - [`diff`] says what two versions of an API differ in, and who that breaks.
//! - [`coverage`] compares the stored specs with the generated sources, without asking the generator.

pub mod coverage;
pub mod crd;
pub mod diff;
pub mod emit;
mod error;
pub mod fixups;
pub mod model;
pub mod policy;
mod regions;
pub mod spec;
pub mod write;

pub use error::Error;
pub use regions::Regions;

use crate::{
    emit::{Files, Formatter},
    model::Model,
    policy::Policy,
    spec::Spec,
};

/// What the generator makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The files that are generated as a whole.
    pub files: Files,
    /// The regions of hand-written files.
    pub regions: Regions,
}

/// From the specs of all Kubernetes versions, oldest first, to the generated files.
///
/// # Errors
///
/// When a spec or the policy says what the generator has no form for, or rustfmt fails. The message names the place.
pub fn generate(specs: &[Spec], policy: &Policy, formatter: &Formatter) -> Result<Generated, Error> {
    let model = Model::build(specs, policy)?;
    Ok(Generated { files: emit::emit(specs, &model, formatter)?, regions: Regions::new(&model) })
}
