//! The verbs: what the server does with a request, one file each.

mod body;
mod create;
mod delete;
mod metadata;
mod options;
mod patch;
mod read;
mod selector;
mod subresource;
mod update;
mod validate;
mod watch;

use std::sync::Arc;

use bytes::Bytes;
use k8s_client_runtime::http::Method;
use serde_json::json;

pub(crate) use body::MEDIA_TYPES;
pub(crate) use delete::{Deletion, delete_one, is_finished};
pub(crate) use patch::check_patch_type;
pub(crate) use subresource::selects;
pub(crate) use validate::is_label;
pub(crate) use watch::{WatchStream, open};

use crate::{
    failure::{Failure, Result},
    http::{Answer, Query, ResourcePath},
    model::Resource,
    schema::Types,
    state::State,
};

/// A request to a resource.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) verb: &'static str,
    pub(crate) resource: Arc<Resource>,
    pub(crate) path: ResourcePath,
    pub(crate) query: Query,
    pub(crate) content_type: String,
    pub(crate) user_agent: String,
    pub(crate) body: Bytes,
    /// The types of the version that is served.
    pub(crate) types: &'static Types,
}

impl Call {
    /// The namespace; empty for objects of the cluster, and for all namespaces.
    pub(crate) fn namespace(&self) -> &str {
        self.path.namespace.as_deref().unwrap_or_default()
    }

    /// The object's name; empty if the path names none.
    pub(crate) fn name(&self) -> &str {
        self.path.name.as_deref().unwrap_or_default()
    }

    /// The subresource; empty for the resource itself.
    pub(crate) fn subresource(&self) -> &str {
        self.path.subresource.as_deref().unwrap_or_default()
    }

    /// Who the fields that are written belong to.
    pub(crate) fn field_manager(&self) -> String {
        let given = self.query.text("fieldManager");
        let agent = self.user_agent.split('/').next().unwrap_or_default();
        let manager = if given.is_empty() { agent } else { given };
        if manager.is_empty() { "unknown".to_owned() } else { manager.chars().take(128).collect() }
    }
}

/// The verb of a request, as audit logs and RBAC call it.
pub(crate) fn verb(method: &Method, path: &ResourcePath, query: &Query) -> Option<&'static str> {
    let is_named = path.name.is_some();
    Some(match *method {
        Method::GET | Method::HEAD => {
            let watches = path.is_watch || query.flag("watch") == Some(true);
            match (is_named && path.subresource.is_none(), watches) {
                (false, true) if path.subresource.is_none() => "watch",
                (true, true) => "watch",
                _ if is_named => "get",
                _ => "list",
            }
        }
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if is_named => "delete",
        Method::DELETE => "deletecollection",
        _ => return None,
    })
}

/// Refuses what the path does not have.
pub(crate) fn check_served(resource: &Resource, path: &ResourcePath, verb: &str) -> Result<()> {
    let verbs = match path.subresource.as_deref() {
        None => &resource.verbs,
        Some(subresource) => match subresource_of(resource, subresource) {
            Some(subresource) => &subresource.verbs,
            None if resource.custom.is_some() => {
                return Err(Failure::not_found(resource, path.name.as_deref().unwrap_or_default()));
            }
            None => return Err(Failure::unknown_resource()),
        },
    };
    let in_namespace = path.namespace.is_some();
    // Objects in namespaces are listed and watched across them, and nothing else.
    let is_place = match (resource.namespaced, in_namespace) {
        (true, false) => path.name.is_none(),
        (false, true) => false,
        _ => true,
    };
    let across = resource.namespaced && !in_namespace && !matches!(verb, "list" | "watch");
    if resource.custom.is_some() && (!is_place || across) {
        return Err(Failure::unknown_path());
    }
    if !is_place {
        return Err(Failure::unknown_resource());
    }
    let fits = match (path.name.is_some(), path.subresource.is_some()) {
        (_, true) => true,
        (true, false) => matches!(verb, "get" | "watch" | "update" | "patch" | "delete"),
        (false, false) => matches!(verb, "list" | "watch" | "create" | "deletecollection"),
    };
    if fits && !across && verbs.iter().any(|known| known == verb) {
        return Ok(());
    }
    if resource.custom.is_some() && verb == "update" && path.name.is_none() {
        return Err(Failure::bad_request("name must be provided"));
    }
    let mut failure = Failure::method_not_allowed();
    if resource.custom.is_some() {
        failure.message = format!("{verb} is not supported on resources of kind {:?}", resource.qualified());
        failure.details = Some(json!({"group": resource.group, "kind": resource.plural}));
    }
    Err(failure)
}

/// The subresource of a name; the path of what is proxied belongs to `proxy`.
fn subresource_of<'a>(resource: &'a Resource, name: &str) -> Option<&'a crate::model::Subresource> {
    resource.subresources.get(name).or_else(|| resource.subresources.get(name.split('/').next().unwrap_or(name)))
}

/// Answers everything but watches.
pub(crate) fn answer(state: &mut State, call: &Call) -> Result<Answer> {
    if call.path.subresource.is_some() {
        return subresource::answer(state, call);
    }
    match call.verb {
        "get" => read::get(state, call),
        "list" => read::list(state, call),
        "create" => create::create(state, call),
        "update" => update::update(state, call),
        "patch" => patch::patch(state, call, ""),
        "delete" => delete::delete(state, call),
        "deletecollection" => delete::delete_collection(state, call),
        other => Err(Failure::not_implemented(other)),
    }
}
