//! All that differs.

use std::collections::BTreeSet;

use super::{Api, Audience, Change, Place, Stability, api::Type, change::is_called};
use crate::spec::Release;

/// All that differs between two versions of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was there before.
    pub from: String,
    /// What is there now.
    pub to: String,
    /// How much there is.
    pub counts: Counts,
    /// The API groups of both sides.
    pub groups: BTreeSet<String>,
    /// The group that the changes are limited to.
    pub group: Option<String>,
    /// What differs, by place.
    pub changes: Vec<Change>,
    /// What later versions will not have, as far as it is known now, the next first.
    pub removals: Vec<Removal>,
    /// What could not be compared, and why.
    pub not_compared: Vec<String>,
}

/// A kind that a later version will not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Removal {
    /// The first version without it.
    pub release: Release,
    /// The kind.
    pub kind: Place,
}

impl Removal {
    pub(super) fn all(api: &Api<'_>) -> Vec<Self> {
        let of_type = |of_type: &Type<'_>| {
            let release = of_type.removed.filter(|release| api.release.is_some_and(|now| *release > now))?;
            Some(Self { release, kind: of_type.place.clone() })
        };
        let mut removals: Vec<Self> = api.types.values().filter_map(of_type).collect();
        removals.sort();
        removals
    }
}

/// How much there is on each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations before and now, without the deprecated `/watch/` paths.
    pub operations: [usize; 2],
    /// Operations that came.
    pub operations_added: usize,
    /// Operations that went.
    pub operations_removed: usize,
    /// Types before and now.
    pub types: [usize; 2],
}

impl Counts {
    pub(super) fn of(old: &Api<'_>, new: &Api<'_>) -> Self {
        let (before, after) = (old.operations(), new.operations());
        Self {
            operations: [before.len(), after.len()],
            operations_added: after.difference(&before).count(),
            operations_removed: before.difference(&after).count(),
            types: [old.types.len(), new.types.len()],
        }
    }
}

impl Report {
    /// Leaves what concerns one group: its resources and types, and the types of others that its kinds have. `core` is
    /// the one without a name.
    #[must_use]
    pub fn in_group(mut self, group: &str) -> Self {
        self.changes.retain(|change| change.concerns_group(group));
        self.removals.retain(|removal| removal.kind.is_in_group(group));
        self.group = Some(group.to_owned());
        self
    }

    /// Whether one of the sides has a group that is called so.
    pub fn has_group(&self, group: &str) -> bool {
        self.groups.iter().any(|known| is_called(known, group))
    }

    /// The changes that concern one of these, in versions that promise this much.
    pub fn concerning<'a>(
        &'a self,
        audiences: &'a BTreeSet<Audience>,
        least: Stability,
    ) -> impl Iterator<Item = &'a Change> {
        self.changes.iter().filter(move |change| {
            change.stability() <= least && change.kind.audiences().iter().any(|audience| audiences.contains(audience))
        })
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
