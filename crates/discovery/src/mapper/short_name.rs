//! Short names that several resources have: [`AmbiguousShortName`].

use std::{fmt, sync::Arc};

use k8s_client_runtime::schema::GroupResource;

/// Several resources have the short name that was looked up, and one of them was chosen.
///
/// As with kubectl, that is the one that takes precedence. So what a short name means may change when somebody installs
/// a custom resource that has it too. A name with its group, such as `events.events.k8s.io`, always means the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AmbiguousShortName {
    /// The short name, in lower case.
    pub short_name: String,
    /// The resource that it was taken for.
    pub chosen: GroupResource,
    /// The other resources that have it, what takes precedence first. There is at least one.
    pub others: Vec<GroupResource>,
}

/// Shows both names, as the server wrote them, with control characters escaped.
impl fmt::Display for AmbiguousShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |resource: &GroupResource| resource.to_string().escape_debug().to_string();
        let others: Vec<_> = self.others.iter().map(shown).collect();
        let (name, chosen) = (&self.short_name, shown(&self.chosen));
        write!(f, "short name {name:?} was taken for {chosen}, but could also mean {}", others.join(" or "))
    }
}

/// A function that is called with each ambiguous short name.
#[derive(Clone)]
pub(super) struct Handler(Arc<dyn Fn(&AmbiguousShortName) + Send + Sync>);

impl Handler {
    pub(super) fn new(handler: impl Fn(&AmbiguousShortName) + Send + Sync + 'static) -> Self {
        Self(Arc::new(handler))
    }

    pub(super) fn handle(&self, ambiguous: &AmbiguousShortName) {
        (self.0)(ambiguous);
    }
}

/// Writes the warning to `tracing`.
impl Default for Handler {
    fn default() -> Self {
        Self::new(|ambiguous| tracing::warn!("Warning: {ambiguous}"))
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handler")
    }
}
