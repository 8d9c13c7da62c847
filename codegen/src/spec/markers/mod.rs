//! What only Go's sources say of the API: values of enums, feature gates, and what is going to be removed.
//!
//! Published `OpenAPI` documents have no enums, and prose, where deprecations stand, is not stored. The comments of
//! Go's types have markers for programs, and generated functions the releases in which kinds come and go. Stored is
//! what is about types that the version's schemas have:
//!
//! ```json
//! {
//!   "deprecated": {"io.k8s.api.core.v1.Volume": ["gitRepo"]},
//!   "enums": {"io.k8s.api.core.v1.URIScheme": {"fields": ["io.k8s.api.core.v1.HTTPGetAction.scheme"], …}},
//!   "gated": {"io.k8s.api.core.v1.PodSpec": {"schedulingGroup": ["GenericWorkload"]}},
//!   "gates": {"GenericWorkload": {"default": false, "stage": "alpha"}},
//!   "lifecycle": {"io.k8s.api.coordination.v1alpha2.LeaseCandidate": {"introduced": "1.32", "removed": "1.38"}}
//! }
//! ```

mod gates;
mod intake;
mod lifecycle;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde_json::{Map, Value, json};

pub use self::intake::GoSources;
use super::{json, node::Node};
use crate::Error;

/// The file's name in a version's folder.
pub(super) const FILE: &str = "markers.json";

/// What Go's sources say of a version's API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markers {
    /// Deprecated properties, by the full name of their schema.
    pub deprecated: BTreeMap<String, BTreeSet<String>>,
    /// The types of strings of which all values are known, by full name.
    pub enums: BTreeMap<String, Values>,
    /// The gates of properties that are there or have an effect only where all those gates are open, by schema and
    /// property. Gates that are open for good are left out.
    pub gated: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// The feature gates of properties and values.
    pub gates: BTreeMap<String, Gate>,
    /// The releases in which kinds come and go, by schema; lists are left out, which go with their items.
    pub lifecycle: BTreeMap<String, Lifecycle>,
}

/// The values of an enum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// All values.
    pub values: BTreeSet<String>,
    /// The properties that have them, or lists or maps of them: `io.k8s.api.core.v1.Toleration.operator`.
    pub fields: BTreeSet<String>,
    /// The gates of values that have any.
    pub gated: BTreeMap<String, Vec<String>>,
}

/// A feature gate in one version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gate {
    /// `alpha`, `beta`, `ga` or `deprecated`.
    pub stage: String,
    /// Whether it is open where nobody says anything.
    pub default: bool,
}

impl Gate {
    /// Whether it is open for good.
    pub fn is_ga(&self) -> bool {
        self.stage == "ga"
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = if self.is_ga() { "GA" } else { &self.stage };
        write!(f, "{stage}, {} by default", if self.default { "on" } else { "off" })
    }
}

/// A release: 1.38.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// The 1 of 1.38.
    pub major: u32,
    /// The 38 of 1.38.
    pub minor: u32,
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse().ok();
        let parts = text.split_once('.').and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
        let (major, minor) = parts.ok_or_else(|| format!("`{text}` is not a release such as 1.38"))?;
        Ok(Self { major, minor })
    }
}

/// The releases in which a kind comes and goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// The first release that has it.
    pub introduced: Option<Release>,
    /// The first release that warns of it.
    pub deprecated: Option<Release>,
    /// The first release without it.
    pub removed: Option<Release>,
    /// What to use in its place: `coordination.k8s.io/v1 Lease`.
    pub replacement: Option<String>,
}

impl Lifecycle {
    fn releases(&mut self) -> [(&'static str, &mut Option<Release>); 3] {
        [("introduced", &mut self.introduced), ("deprecated", &mut self.deprecated), ("removed", &mut self.removed)]
    }
}

const REPLACEMENT: &str = "replacement";

impl Markers {
    /// The enum that a field has, such as `io.k8s.api.core.v1.Toleration.operator`.
    pub fn enum_of(&self, field: &str) -> Option<&Values> {
        self.enums.values().find(|of_enum| of_enum.fields.contains(field))
    }

    /// The text to store.
    pub fn stored(&self) -> String {
        let enums = self.enums.iter().map(|(name, of_enum)| {
            let mut stored = json!({"fields": of_enum.fields, "values": of_enum.values});
            if !of_enum.gated.is_empty() {
                stored["gated"] = json!(of_enum.gated);
            }
            (name.clone(), stored)
        });
        let gates = self.gates.iter().map(|(name, gate)| {
            let stored = json!({"default": gate.default, "stage": gate.stage});
            (name.clone(), stored)
        });
        let lifecycle = self.lifecycle.iter().map(|(name, lifecycle)| {
            let mut lifecycle = lifecycle.clone();
            let mut stored = Map::new();
            for (key, release) in lifecycle.releases() {
                stored.extend(release.map(|release| (key.to_owned(), Value::from(release.to_string()))));
            }
            stored.extend(lifecycle.replacement.map(|kind| (REPLACEMENT.to_owned(), Value::from(kind))));
            (name.clone(), Value::Object(stored))
        });
        json::render(&json!({
            "deprecated": self.deprecated,
            "enums": enums.collect::<Map<_, _>>(),
            "gated": self.gated,
            "gates": gates.collect::<Map<_, _>>(),
            "lifecycle": lifecycle.collect::<Map<_, _>>(),
        }))
    }

    /// Reads the stored text.
    pub(super) fn load(root: &Node<'_>) -> Result<Self, Error> {
        let strings = |node: &Node<'_>| Ok::<BTreeSet<String>, Error>(node.strings()?.into_iter().collect());
        Ok(Self {
            deprecated: map(&root.require("deprecated")?, strings)?,
            enums: map(&root.require("enums")?, |node| {
                let gated = node.get("gated").map(|gated| map(&gated, Node::strings));
                Ok(Values {
                    values: strings(&node.require("values")?)?,
                    fields: strings(&node.require("fields")?)?,
                    gated: gated.transpose()?.unwrap_or_default(),
                })
            })?,
            gated: map(&root.require("gated")?, |fields| map(fields, Node::strings))?,
            gates: map(&root.require("gates")?, |gate| {
                let stage = gate.require("stage")?.string()?.to_owned();
                Ok(Gate { stage, default: gate.require("default")?.bool()? })
            })?,
            lifecycle: map(&root.require("lifecycle")?, |node| {
                let mut lifecycle = Lifecycle::default();
                for (key, release) in lifecycle.releases() {
                    let read = |node: Node<'_>| node.string()?.parse().map_err(|problem: String| node.error(problem));
                    *release = node.get(key).map(read).transpose()?;
                }
                let replacement = node.get(REPLACEMENT).map(|kind| kind.string().map(str::to_owned));
                lifecycle.replacement = replacement.transpose()?;
                Ok(lifecycle)
            })?,
        })
    }
}

/// Reads an object, each entry in the same way.
fn map<'a, T>(node: &Node<'a>, read: impl Fn(&Node<'a>) -> Result<T, Error>) -> Result<BTreeMap<String, T>, Error> {
    node.entries()?.iter().map(|(key, node)| Ok(((*key).to_owned(), read(node)?))).collect()
}
