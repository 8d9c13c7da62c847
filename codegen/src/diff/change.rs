//! One change: what, where, and who it breaks.

use std::fmt;

use super::{Kind, Reach};
use crate::spec::texts;

texts! {
    /// Whom a change concerns. A change may concern several.
    Audience {
        /// Requests or answers that worked do not work any more, or mean something else.
        Wire = "wire",
        /// Server-side apply: who owns what changes, so managers may lose fields or conflict.
        Apply = "apply",
        /// Code in Rust does not compile any more, though the wire is as it was.
        Rust = "rust",
        /// Nobody's programs break.
        Additive = "additive",
        /// What will happen in a later version, or depends on feature gates.
        Schedule = "schedule",
    }
}

texts! {
    /// What a version's name promises.
    Stability {
        /// `v1`: what is there stays.
        Stable = "stable",
        /// `v1beta1`: on by default at times, and going to be removed.
        Beta = "beta",
        /// `v1alpha1`: off by default, and may change in any way.
        Alpha = "alpha",
    }
}

impl Stability {
    fn of_version(version: &str) -> Self {
        match (version.contains("alpha"), version.contains("beta")) {
            (true, _) => Self::Alpha,
            (_, true) => Self::Beta,
            _ => Self::Stable,
        }
    }
}

/// Where something is: `apps/v1 Deployment.spec`, `apps/v1 deployments/status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The API group; `core` for the one without a name, `meta` for types that all groups share.
    pub group: String,
    /// The version; empty where there is none.
    pub version: String,
    /// A type, such as `Deployment`, or a resource, such as `deployments`; empty for a group or a version as a whole.
    pub name: String,
    /// A field (`spec.containers[].image`) or a subresource; empty for the type or resource itself.
    pub path: String,
}

impl Place {
    /// The same type or resource, and what is inside.
    pub(super) fn inside(&self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }

    /// `apps/v1`, or what there is of it.
    pub fn api_version(&self) -> String {
        match (self.group.as_str(), self.version.as_str()) {
            (group, "") => group.to_owned(),
            ("", version) => version.to_owned(),
            (group, version) => format!("{group}/{version}"),
        }
    }

    /// Whether the group is the one that a user calls so: by its whole name, or by the first part.
    pub fn is_in_group(&self, group: &str) -> bool {
        is_called(&self.group, group)
    }
}

/// Whether `group` is called so: `resource.k8s.io` and `resource` are one.
pub(super) fn is_called(group: &str, name: &str) -> bool {
    group == name || group.split('.').next() == Some(name)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.api_version())?;
        if !self.name.is_empty() {
            if !self.group.is_empty() || !self.version.is_empty() {
                f.write_str(" ")?;
            }
            f.write_str(&self.name)?;
        }
        match self.path.as_str() {
            "" => Ok(()),
            // A part of operations, which are named.
            path if self.name.contains(' ') => write!(f, " of {path}"),
            // Resources are plurals in small letters, types are not.
            path if self.name.starts_with(|c: char| c.is_ascii_lowercase()) => write!(f, "/{path}"),
            path if path.starts_with('[') || path.starts_with('{') => f.write_str(path),
            path => write!(f, ".{path}"),
        }
    }
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Where.
    pub place: Place,
    /// What.
    pub kind: Kind,
    /// What was there before, in words, if the change has more to say than its kind.
    pub before: Option<String>,
    /// What is there now.
    pub after: Option<String>,
    /// Who has it.
    pub reach: Reach,
}

impl Change {
    /// What its version promises, or less where feature gates that are off by default lead to it.
    pub fn stability(&self) -> Stability {
        Stability::of_version(&self.place.version).max(self.reach.stability())
    }

    /// The one of the kind's audiences that has most to do, under whose heading a report has the change.
    pub fn first_audience(&self) -> Audience {
        self.kind.audiences().iter().copied().min().unwrap_or(Audience::Additive)
    }

    /// Whether it is in the group, or in a type that a kind of the group has.
    pub fn concerns_group(&self, group: &str) -> bool {
        self.place.is_in_group(group) || self.reach.kinds.iter().any(|kind| kind.is_in_group(group))
    }

    /// What changed, without where: `type: string → integer`.
    pub fn what(&self) -> String {
        let title = self.kind.title();
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{title}: {before} → {after}"),
            (Some(only), None) | (None, Some(only)) => format!("{title}: {only}"),
            (None, None) => title.to_owned(),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what())
    }
}
