//! Who owns which fields, and patches: from the verbs to [`merge`](crate::merge).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    breaks::{Break, is_broken},
    failure::{Failure, Result},
    json_path,
    merge::{
        ApplyError, FieldManager, FieldSet, PatchError, PathElement, ReplicasPaths, Type, Versions, conflict_message,
        from_scale, json_merge as merge, strategic_merge as merge_strategically, to_scale,
    },
    model::Resource,
    schema::Schema,
    state::State,
};

pub(crate) use crate::merge::keep_times;

/// A resource in all versions that are served.
struct Served<'s> {
    schemas: BTreeMap<&'s str, &'s Schema>,
    reset: FieldSet,
    /// The only version that the reset fields are of; `None` if they are of all.
    reset_in: Option<&'s str>,
}

impl<'s> Versions<'s> for Served<'s> {
    fn kind(&self, api_version: &str) -> Option<Type<'s>> {
        self.schemas.get(api_version).map(|schema| Type::from(*schema))
    }

    fn reset_fields(&self, api_version: &str) -> Option<&FieldSet> {
        self.reset_in.is_none_or(|version| version == api_version).then_some(&self.reset)
    }
}

/// What a write by this endpoint does not touch.
fn reset_fields(resource: &Resource, subresource: &str) -> FieldSet {
    let has_status = resource.subresources.contains_key("status");
    match subresource {
        "" if has_status => FieldSet::of_fields([&["status"][..]]),
        "status" if resource.custom.is_some() => FieldSet::of_fields([&["spec"][..], &["metadata"]]),
        "status" if resource.plural == "deployments" => FieldSet::of_fields([&["spec"][..], &["metadata", "labels"]]),
        "status" if resource.plural == "pods" => {
            FieldSet::of_fields([&["spec"][..], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]])
        }
        "status" => FieldSet::of_fields([&["spec"][..]]),
        "ephemeralcontainers" | "resize" => FieldSet::of_fields([&["status"][..]]),
        _ => FieldSet::default(),
    }
}

/// Runs something with the field manager of an endpoint.
fn with_manager<T>(
    state: &State,
    resource: &Resource,
    subresource: &str,
    run: impl FnOnce(&FieldManager<'_, '_>, &Value) -> T,
) -> T {
    let served = Served {
        schemas: state.versions(resource).map(|version| (&*version.version_text, &version.schema)).collect(),
        reset: reset_fields(resource, subresource),
        // The versions of a custom resource are endpoints that know nothing of each other.
        reset_in: resource.custom.is_some().then_some(&*resource.version_text),
    };
    let now = state.clock.timestamp();
    let empty = resource.nothing();
    let manager = FieldManager {
        versions: &served,
        api_version: &resource.version_text,
        kind: &resource.kind,
        subresource,
        empty,
        now: &now,
    };
    run(&manager, empty)
}

/// An object with its `apiVersion` and `kind`.
fn typed(object: &Value, resource: &Resource) -> Value {
    let mut object = object.clone();
    object["apiVersion"] = resource.api_version().into();
    object["kind"] = resource.kind.clone().into();
    object
}

fn untyped(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.remove("apiVersion");
        members.remove("kind");
    }
    object
}

/// Completes an object that is about to be written with the owners of its fields.
pub(crate) fn update(
    state: &State,
    resource: &Resource,
    subresource: &str,
    old: Option<&Value>,
    object: &Value,
    manager: &str,
) -> Value {
    if is_broken(Break::UpdateOwnsNothing) {
        return object.clone();
    }
    let object = typed(object, resource);
    untyped(with_manager(state, resource, subresource, |fields, empty| {
        let live = old.map(|old| typed(old, resource));
        fields.update(live.as_ref().unwrap_or(empty), object, manager)
    }))
}

/// An apply: by whom, and whether it takes over what others own.
pub(crate) struct Apply<'a> {
    pub(crate) subresource: &'a str,
    pub(crate) manager: &'a str,
    pub(crate) force: bool,
}

/// What an applied configuration makes of an object, or of nothing.
pub(crate) fn apply(
    state: &State,
    resource: &Resource,
    live: Option<&Value>,
    configuration: &Value,
    apply: &Apply<'_>,
) -> Result<Value> {
    with_manager(state, resource, apply.subresource, |fields, empty| {
        let live = live.map(|live| typed(live, resource));
        let live = live.as_ref().unwrap_or(empty);
        let force = apply.force || is_broken(Break::ConflictsAreForced);
        fields.apply(live, configuration, apply.manager, force).map_err(refused)
    })
}

fn refused(error: ApplyError) -> Box<Failure> {
    match error {
        ApplyError::BadRequest(message) => Failure::bad_request(message),
        ApplyError::Internal(message) => Failure::internal(message),
        ApplyError::Conflicts(conflicts) => {
            let causes: Vec<Value> = conflicts
                .iter()
                .map(|conflict| {
                    json!({
                        "reason": "FieldManagerConflict", "message": conflict.message(), "field": conflict.field(),
                    })
                })
                .collect();
            let code = k8s_client_runtime::http::StatusCode::CONFLICT;
            let mut failure = Failure::new(code, "Conflict", conflict_message(&conflicts));
            failure.details = Some(json!({"causes": causes}));
            failure
        }
    }
}

/// A merge patch of an object.
pub(crate) fn json_merge(object: Value, patch: Value) -> Value {
    merge(object, patch)
}

/// A strategic merge patch of an object.
pub(crate) fn strategic_merge(object: Value, patch: Map<String, Value>, schema: &Schema) -> Result<Value> {
    if is_broken(Break::StrategicMergeIsAMerge) {
        return Ok(merge(object, Value::Object(patch)));
    }
    let Value::Object(object) = object else { return Ok(object) };
    merge_strategically(object, patch, Type::from(schema)).map(Value::Object).map_err(|error| match error {
        PatchError::BadRequest(message) => Failure::bad_request(message),
        PatchError::Internal(message) => Failure::internal(message),
        PatchError::Unprocessable(message) => Failure::unprocessable(message),
    })
}

/// A write to the scale of an object.
pub(crate) enum ScaleWrite<'a> {
    /// The scale as it is to be.
    Whole(Value),
    /// What a manager wants of it.
    Applied(&'a Value, Apply<'a>),
}

/// The version of scales.
const SCALE_VERSION: &str = "autoscaling/v1";

/// What a write makes of the scale, and the managedFields that the object has then: its replicas are the writer's.
pub(crate) fn write_scale(
    state: &State,
    resource: &Resource,
    object: &Value,
    mut scale: Value,
    write: ScaleWrite<'_>,
    manager: &str,
) -> Result<(Value, Option<Value>)> {
    let paths = replicas_paths(state, resource);
    let owned = object["metadata"].get("managedFields");
    let of_scale = to_scale(owned, &paths).map_err(Failure::internal)?;
    if let Some(of_scale) = of_scale {
        scale["metadata"]["managedFields"] = of_scale;
    }
    let schema = resource.subresources.get("scale").map(|scale| scale.schema.clone()).unwrap_or_default();
    let served = Served {
        schemas: BTreeMap::from([(SCALE_VERSION, &schema)]),
        reset: FieldSet::of_fields([&["status"][..]]),
        reset_in: None,
    };
    let empty = json!({"apiVersion": SCALE_VERSION, "kind": "Scale", "metadata": {}, "spec": {}, "status": {}});
    let now = state.clock.timestamp();
    let fields = FieldManager {
        versions: &served,
        api_version: SCALE_VERSION,
        kind: "Scale",
        subresource: "scale",
        empty: &empty,
        now: &now,
    };
    let written = match write {
        ScaleWrite::Whole(wanted) => fields.update(&scale, wanted, manager),
        ScaleWrite::Applied(configuration, apply) => {
            let is_custom = resource.custom.is_some();
            if is_custom && scale["metadata"].get("managedFields").is_none() {
                return Err(Failure::internal(format!(
                    "failed to create manager for existing fields: {}",
                    no_scale("live", "/")
                )));
            }
            let applied = fields.apply(&scale, configuration, apply.manager, apply.force).map_err(refused)?;
            if is_custom && applied["spec"] != scale["spec"] {
                let text = |name: &str| configuration["metadata"][name].as_str().unwrap_or_default();
                let named = format!("{}/{}", text("namespace"), text("name"));
                return Err(Failure::internal(no_scale("new", &named)));
            }
            applied
        }
    };
    if is_broken(Break::ScaleOwnsNothing) {
        return Ok((written, owned.cloned()));
    }
    let of_scale = written["metadata"].get("managedFields");
    let owned = from_scale(owned, of_scale, &resource.api_version(), &paths).map_err(Failure::internal)?;
    Ok((written, owned))
}

/// What the real server says when it would have to make the scale of a custom resource of what was applied.
fn no_scale(which: &str, named: &str) -> String {
    format!(
        "failed to convert {which} object ({named}; autoscaling/v1, Kind=Scale) to proper version: request to convert CR to \
         an invalid group/version: autoscaling/v1"
    )
}

/// Where each version of a resource has its replicas.
fn replicas_paths(state: &State, resource: &Resource) -> ReplicasPaths {
    state
        .versions(resource)
        .map(|version| {
            let path = version.subresources.get("scale").and_then(|_| {
                let path = version.custom.as_ref().and_then(|custom| custom.scale.as_ref());
                let path = path.map_or(".spec.replicas", |(replicas, ..)| replicas.as_str());
                Some(json_path::steps(path)?.iter().map(|step| PathElement::field(step.as_str())).collect())
            });
            (version.api_version(), path)
        })
        .collect()
}
