//! What writes make of objects: server-side apply, ownership of fields, and patches.
//!
//! Everything here is a function of JSON values and their schemas, and does what the API server's libraries do with the
//! same input, down to messages and the order of items. The tests ask those libraries themselves.
//!
//! * [`FieldManager`] keeps managedFields for an endpoint: [`FieldManager::update`] for what creates, updates and
//!   patches have made, [`FieldManager::apply`] for applied configurations.
//! * [`strategic_merge`] and [`json_merge`] make a patched object.
//! * [`to_scale`] and [`from_scale`] carry ownership between a resource and its Scale.

mod conflict;
mod field_manager;
mod fields_v1;
mod json_merge;
mod last_applied;
mod managers;
mod path;
mod scale;
mod set;
mod strategic;
mod typed;
mod types;
mod updater;
mod value;

#[allow(unused_imports, reason = "the server that uses them comes next")]
pub(crate) use {
    conflict::{ApplyError, Conflict, conflict_message},
    field_manager::{FieldManager, keep_times},
    json_merge::json_merge,
    path::PathElement,
    scale::{ReplicasPaths, from_scale, to_scale},
    set::FieldSet,
    strategic::{PatchError, strategic_merge},
    types::Type,
    updater::Versions,
};

#[cfg(test)]
mod tests;
