//! Which Kubernetes versions have something.

use std::collections::BTreeSet;

use super::{Model, at::At};
use crate::Error;

/// The Kubernetes versions that have something, as positions in [`Model::versions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The first version.
    pub first: usize,
    /// The last version.
    pub last: usize,
}

impl Presence {
    /// The range of versions that have something; a gap in it is an error.
    pub(super) fn new(in_versions: &BTreeSet<usize>, versions: &[String], at: &At) -> Result<Self, Error> {
        let (Some(&first), Some(&last)) = (in_versions.first(), in_versions.last()) else {
            return Err(at.error("in no version"));
        };
        match (first..=last).find(|version| !in_versions.contains(version)) {
            Some(gap) => Err(at.error(format!(
                "in {} and {} but not in {}: the generator has no gate for a gap",
                versions[first], versions[last], versions[gap]
            ))),
            None => Ok(Self { first, last }),
        }
    }

    /// That of one version.
    pub(super) fn only(version: usize) -> Self {
        Self { first: version, last: version }
    }

    /// Whether the version at this position has it.
    pub fn has(self, version: usize) -> bool {
        (self.first..=self.last).contains(&version)
    }
}

impl Model {
    /// The presence of what every version has.
    pub fn all_versions(&self) -> Presence {
        Presence { first: 0, last: self.newest() }
    }

    /// The newest version, as a position.
    pub fn newest(&self) -> usize {
        self.versions.len().saturating_sub(1)
    }

    /// The versions of a presence in words, without those that all have: `since 1.34`, `until 1.36`,
    /// `only 1.34 – 1.36`.
    pub fn since_until(&self, presence: Presence) -> String {
        let all = self.all_versions();
        let (first, last) = (&self.versions[presence.first], &self.versions[presence.last]);
        match (presence.first > all.first, presence.last < all.last) {
            (false, false) => String::new(),
            (true, false) => format!("since {first}"),
            (false, true) => format!("until {last}"),
            (true, true) if first == last => format!("only {first}"),
            (true, true) => format!("only {first} – {last}"),
        }
    }
}
