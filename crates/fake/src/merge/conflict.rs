//! What a refused apply says.

use super::{managers::Manager, path::PathElement};

/// A field that another manager owns and that has another value now.
#[derive(Clone, Debug)]
pub(crate) struct Conflict {
    pub(crate) manager: Manager,
    pub(crate) path: Vec<PathElement>,
}

impl Conflict {
    /// The message of the cause: `conflict with "mgr" using v1`.
    pub(crate) fn message(&self) -> String {
        format!("conflict with {}", self.manager.in_conflict())
    }

    /// The field of the cause: `.spec.replicas`.
    pub(crate) fn field(&self) -> String {
        self.path.iter().map(ToString::to_string).collect()
    }
}

/// Why an apply was refused.
#[derive(Clone, Debug)]
pub(crate) enum ApplyError {
    /// Status 400.
    BadRequest(String),
    /// Status 409: sorted by manager, never empty.
    Conflicts(Vec<Conflict>),
    /// Status 500, without a reason.
    Internal(String),
}

/// The message of the Status for conflicts.
pub(crate) fn conflict_message(conflicts: &[Conflict]) -> String {
    if let [only] = conflicts {
        return format!("Apply failed with 1 conflict: {}: {}", only.message(), only.field());
    }
    let mut lines = Vec::new();
    let mut last = None;
    for conflict in conflicts {
        if last != Some(&conflict.manager) {
            lines.push(format!("conflicts with {}:", conflict.manager.in_conflict()));
            last = Some(&conflict.manager);
        }
        lines.push(format!("- {}", conflict.field()));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
}
