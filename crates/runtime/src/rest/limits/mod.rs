//! The limits of a call: of time, for itself and for the body of its answer, and of the client's rate.

pub(super) mod deadline;
pub(super) mod rate_limit;
pub(super) mod timed_body;
