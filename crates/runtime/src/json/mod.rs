//! JSON as bytes: where values begin and end, how deep they are nested, and where something is wrong with them. Nothing
//! here knows a type.

mod depth;
mod members;
mod mend;
mod nesting;
mod place;

pub use self::{
    depth::{MAX_DEPTH, MAX_DEPTH_ON_STACK, is_deeper_than, on_a_large_stack, read},
    mend::as_go_reads,
};
pub(crate) use self::{
    members::{as_identity, identity, without_managed_fields},
    nesting::{Nesting, is_white},
    place::path,
};
