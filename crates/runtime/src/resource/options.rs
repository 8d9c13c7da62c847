//! The options of the API, verb by verb, as plain structs.
//!
//! The builders have a method for each; the structs are for whoever makes options in another place than the call. Names
//! and meanings are the API's; `None` and `false` are not sent. Write literals with `..Default::default()`: the API
//! gets new options now and then.
//!
//! ```
//! use k8s_client_runtime::resource::ListOptions;
//!
//! let options = ListOptions { label_selector: Some("app=web".to_owned()), limit: Some(500), ..Default::default() };
//! ```

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Preconditions;

use crate::rest::Query;

/// Options of get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetOptions {
    /// The oldest version that will do; `"0"` takes what the server has in its cache.
    pub resource_version: Option<String>,
}

/// Options of list, and the choosing half of delete-collection's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Labels that the objects must have, such as `app=web,tier!=cache`.
    pub label_selector: Option<String>,
    /// Fields that the objects must have, such as `metadata.name=web`; each kind supports a few.
    pub field_selector: Option<String>,
    /// The most objects in one answer; the rest follows with `continue_token`. Ignored with `resource_version` `"0"`.
    pub limit: Option<u32>,
    /// Where the answer before this one stopped: its `metadata.continue`.
    pub continue_token: Option<String>,
    /// The version that the answer is to have, read as `resource_version_match` says: without it at least this version
    /// or, with a limit, exactly this one.
    pub resource_version: Option<String>,
    /// How `resource_version` is meant.
    pub resource_version_match: Option<ResourceVersionMatch>,
    /// How long the server may take, in seconds.
    pub timeout_seconds: Option<u32>,
    /// The shard of the objects that is wanted (alpha in Kubernetes 1.37).
    pub shard_selector: Option<String>,
}

/// Options of watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchOptions {
    /// Labels that the objects must have.
    pub label_selector: Option<String>,
    /// Fields that the objects must have.
    pub field_selector: Option<String>,
    /// The version after which changes are told: that of a list, or of the last event. Without it, and with `"0"`, the
    /// objects there are come first, as added.
    pub resource_version: Option<String>,
    /// How `resource_version` is meant; needed with `send_initial_events`.
    pub resource_version_match: Option<ResourceVersionMatch>,
    /// How long the server keeps the watch open, in seconds. Default: the server's, 30 to 60 minutes.
    pub timeout_seconds: Option<u32>,
    /// Lets the server tell the current version now and then by a bookmark.
    pub allow_watch_bookmarks: bool,
    /// Asks for the objects there are before the changes, ended by a bookmark.
    pub send_initial_events: Option<bool>,
    /// The shard of the objects that is wanted (alpha in Kubernetes 1.37).
    pub shard_selector: Option<String>,
}

macro_rules! options_of_writes {
    ($($name:ident: $verb:literal),*) => {$(
        #[doc = concat!("Options of ", $verb, ".")]
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            /// Goes through all stages but stores nothing.
            pub dry_run: bool,
            /// Who writes.
            pub field_manager: Option<String>,
            /// What the server does about unknown and duplicate fields.
            pub field_validation: Option<FieldValidation>,
        }

        impl $name {
            pub(super) fn write(&self, query: &mut Query) {
                write_options(query, self.dry_run, self.field_manager.as_deref(), self.field_validation);
            }
        }
    )*};
}

options_of_writes!(CreateOptions: "create", UpdateOptions: "update", PatchOptions: "patch");

/// Options of apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// Goes through all stages but stores nothing.
    pub dry_run: bool,
    /// Who owns the applied fields. Apply needs it.
    pub field_manager: Option<String>,
    /// Takes fields over that belong to another manager, where it would be a conflict otherwise.
    pub force: bool,
    /// What the server does about unknown and duplicate fields.
    pub field_validation: Option<FieldValidation>,
}

/// Options of delete, and the deleting half of delete-collection's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteOptions {
    /// Goes through all stages but deletes nothing.
    pub dry_run: bool,
    /// How long the object may take to end, in seconds; 0 is at once. Default: the kind's own.
    pub grace_period_seconds: Option<u32>,
    /// What becomes of the objects that this one owns. Default: the kind's own, mostly in the background.
    pub propagation_policy: Option<PropagationPolicy>,
    /// What must be true of the object, or the server answers with a conflict.
    pub preconditions: Option<Preconditions>,
    /// Deletes an object that the server cannot read any more, finalizers and preconditions left aside. It can break
    /// the cluster.
    pub ignore_store_read_error_with_cluster_breaking_potential: Option<bool>,
}

/// How a resource version is meant in a list or a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResourceVersionMatch {
    /// Exactly this version.
    Exact,
    /// This version or a newer one.
    NotOlderThan,
}

/// What the server does about unknown and duplicate fields of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldValidation {
    /// Drops them without a word.
    Ignore,
    /// Drops them and sends a warning: the server's default.
    Warn,
    /// Refuses the request.
    Strict,
}

/// What becomes of the objects that a deleted object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PropagationPolicy {
    /// They stay, without an owner.
    Orphan,
    /// The object goes at once; what it owns is deleted afterwards.
    Background,
    /// The object stays until all that it owns is gone.
    Foreground,
}

impl ResourceVersionMatch {
    fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "Exact",
            Self::NotOlderThan => "NotOlderThan",
        }
    }
}

impl FieldValidation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "Ignore",
            Self::Warn => "Warn",
            Self::Strict => "Strict",
        }
    }
}

impl PropagationPolicy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Orphan => "Orphan",
            Self::Background => "Background",
            Self::Foreground => "Foreground",
        }
    }
}

impl GetOptions {
    pub(super) fn write(&self, query: &mut Query) {
        query.text("resourceVersion", self.resource_version.as_deref());
    }
}

impl ListOptions {
    pub(super) fn write(&self, query: &mut Query) {
        query.text("labelSelector", self.label_selector.as_deref());
        query.text("fieldSelector", self.field_selector.as_deref());
        query.value("limit", self.limit);
        query.text("continue", self.continue_token.as_deref());
        query.text("resourceVersion", self.resource_version.as_deref());
        query.text("resourceVersionMatch", self.resource_version_match.map(ResourceVersionMatch::as_str));
        query.value("timeoutSeconds", self.timeout_seconds);
        query.text("shardSelector", self.shard_selector.as_deref());
    }
}

impl WatchOptions {
    pub(super) fn write(&self, query: &mut Query) {
        query.push("watch", "true");
        query.text("labelSelector", self.label_selector.as_deref());
        query.text("fieldSelector", self.field_selector.as_deref());
        query.text("resourceVersion", self.resource_version.as_deref());
        query.text("resourceVersionMatch", self.resource_version_match.map(ResourceVersionMatch::as_str));
        query.value("timeoutSeconds", self.timeout_seconds);
        query.value("allowWatchBookmarks", self.allow_watch_bookmarks.then_some(true));
        query.value("sendInitialEvents", self.send_initial_events);
        query.text("shardSelector", self.shard_selector.as_deref());
    }
}

/// The options that create, update, patch and apply share.
fn write_options(query: &mut Query, dry_run: bool, manager: Option<&str>, validation: Option<FieldValidation>) {
    query.text("dryRun", dry_run.then_some("All"));
    query.text("fieldManager", manager);
    query.text("fieldValidation", validation.map(FieldValidation::as_str));
}

impl ApplyOptions {
    pub(super) fn write(&self, query: &mut Query) {
        write_options(query, self.dry_run, self.field_manager.as_deref(), self.field_validation);
        // Said either way, as client-go does.
        query.value("force", Some(self.force));
    }
}

impl DeleteOptions {
    /// Delete's options travel in the body, where the API has all of them.
    pub(super) fn body(&self) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions {
        k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions {
            api_version: Some("v1".to_owned()),
            kind: Some("DeleteOptions".to_owned()),
            dry_run: self.dry_run.then(|| vec!["All".to_owned()]),
            grace_period_seconds: self.grace_period_seconds.map(i64::from),
            propagation_policy: self.propagation_policy.map(|policy| policy.as_str().to_owned()),
            preconditions: self.preconditions.clone(),
            ignore_store_read_error_with_cluster_breaking_potential: self
                .ignore_store_read_error_with_cluster_breaking_potential,
            ..Default::default()
        }
    }
}
