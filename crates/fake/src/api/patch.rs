//! Patches of all types, and server-side apply.

use std::sync::Arc;

use k8s_client_runtime::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Call, body, create,
    metadata::{check_namespace, check_namespace_lives, check_namespace_of, meta, meta_mut},
    options,
    update::{self, Write},
};
use crate::{
    failure::{Cause, Failure, Result},
    fields::{self, Apply},
    hooks,
    http::Answer,
    schema::Schema,
    state::State,
    store::Object,
};

/// The most operations of a JSON patch.
const MOST_OPERATIONS: usize = 10_000;

/// A patch, read.
#[derive(Clone, Debug)]
pub(super) enum Patch {
    /// Operations, one after another.
    Json(json_patch::Patch),
    /// Members that replace those of the object.
    Merge(Value),
    /// The same with lists that are merged as the types say.
    Strategic(Map<String, Value>),
    /// What its manager wants the object to have.
    Apply(Value),
}

/// The media types of patches.
const ACCEPTED: [&str; 4] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];

impl Patch {
    /// Reads the body of a patch.
    pub(super) fn read(call: &Call) -> Result<Self> {
        body::check_length(call)?;
        let wrong = |text: String| Failure::bad_request(text);
        let object = || match serde_json::from_slice(&call.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(other) => Err(wrong(format!(
                "error decoding patch: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                kind_of(&other)
            ))),
            Err(_) => Err(wrong("invalid JSON patch".to_owned())),
        };
        match call.content_type.split(';').next().unwrap_or_default().trim() {
            "application/json-patch+json" => {
                let value: Value = serde_json::from_slice(&call.body)
                    .map_err(|error| wrong(format!("error decoding patch: {error}")))?;
                let Value::Array(operations) = &value else {
                    return Err(wrong(format!(
                        "error decoding patch: json: cannot unmarshal {} into Go value of type []handlers.jsonPatchOp",
                        kind_of(&value)
                    )));
                };
                if operations.len() > MOST_OPERATIONS {
                    let message = format!(
                        "Request entity too large: The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got \
                         {}",
                        operations.len()
                    );
                    return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message));
                }
                serde_json::from_value(value).map(Self::Json).map_err(|_| rejected())
            }
            "application/merge-patch+json" => object().map(|object| Self::Merge(Value::Object(object))),
            "application/strategic-merge-patch+json" if call.resource.custom.is_none() => object().map(Self::Strategic),
            "application/apply-patch+yaml" => {
                let value = serde_json::from_slice(&call.body)
                    .or_else(|_| serde_saphyr::from_slice::<Value>(&call.body).map_err(|error| error.to_string()))
                    .map_err(|error| wrong(format!("error decoding YAML: {error}")))?;
                Ok(Self::Apply(value))
            }
            _ => {
                let is_custom = call.resource.custom.is_some();
                let accepted = ACCEPTED.into_iter().filter(|it| !is_custom || !it.contains("strategic"));
                // The real server knows CBOR too, and its text is the same for clients that look at it.
                let accepted: Vec<&str> = accepted.chain(["application/apply-patch+cbor"]).collect();
                Err(Failure::unsupported_media_type(&accepted))
            }
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What the server says of a JSON patch that cannot be carried out.
fn rejected() -> Box<Failure> {
    let message = "the server rejected our request due to an error in our request";
    let mut failure = Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message);
    failure.details = Some(json!({}));
    failure
}

/// Checks what a patch says beside the object.
pub(super) fn check_options(call: &Call, patch: &Patch) -> Result<()> {
    options::check_write(call, "PatchOptions")?;
    match patch {
        Patch::Apply(_) if call.query.text("fieldManager").is_empty() => {
            let cause = Cause::required("fieldManager", "is required for apply patch");
            Err(Failure::invalid_options("PatchOptions", cause))
        }
        Patch::Apply(_) => Ok(()),
        _ if call.query.flag("force").is_some() => {
            let cause = Cause::forbidden("force", "may not be specified for non-apply patch");
            Err(Failure::invalid_options("PatchOptions", cause))
        }
        _ => Ok(()),
    }
}

pub(super) fn patch(state: &mut State, call: &Call) -> Result<Answer> {
    let patch = Patch::read(call)?;
    check_options(call, &patch)?;
    if let Patch::Apply(configuration) = patch {
        return apply(state, call, configuration, "");
    }
    let existing = state.object(&call.resource, call.namespace(), call.name())?;
    write(state, call, &existing, &patch, "")
}

/// Patches an object and writes what comes out.
pub(super) fn write(
    state: &mut State,
    call: &Call,
    existing: &Arc<Object>,
    patch: &Patch,
    subresource: &'static str,
) -> Result<Answer> {
    let resource = &call.resource;
    let before = with_type(&existing.value, &resource.api_version(), &resource.kind);
    let patched = apply_to(patch, before, &resource.schema)?;
    let shown = patched.to_string();
    let validation = call.query.text("fieldValidation");
    let (object, api_version, kind) = body::without_type(patched, &resource.kind, &[])?;
    body::check_type(&api_version, &kind, call.name(), resource)?;
    let sent = body::decode(object, resource, validation, StatusCode::BAD_REQUEST).map_err(|failure| {
        let problem =
            failure.message.split_once(&format!("as a {}: ", resource.kind)).map_or("", |(_, problem)| problem);
        let cause = Cause::invalid("patch", &shown.as_str().into(), problem);
        Failure::invalid("", "", "", &[cause])
    })?;
    let mut object = sent.value;
    update::check_name(call, &object)?;
    check_namespace(call, &mut object)?;
    // Without a resourceVersion in the patch, it is that of the object that was read.
    let write = Write { is_patch: true, is_tracked: false, subresource };
    Ok(update::replace(state, call, existing, object, &write)?.with_warnings(sent.warnings))
}

/// An object with its `apiVersion` and `kind`, as clients see it.
pub(super) fn with_type(value: &Value, api_version: &str, kind: &str) -> Value {
    let mut value = value.clone();
    value["apiVersion"] = api_version.into();
    value["kind"] = kind.into();
    value
}

/// What a patch makes of an object.
pub(super) fn apply_to(patch: &Patch, mut object: Value, schema: &Schema) -> Result<Value> {
    match patch {
        Patch::Json(patch) => {
            json_patch::patch(&mut object, patch).map_err(|_| rejected())?;
            Ok(object)
        }
        Patch::Merge(patch) => Ok(fields::json_merge(object, patch.clone())),
        Patch::Strategic(patch) => fields::strategic_merge(object, patch.clone(), schema),
        Patch::Apply(_) => Err(Failure::not_implemented("an apply as a mere patch")),
    }
}

/// Server-side apply.
pub(super) fn apply(state: &mut State, call: &Call, configuration: Value, subresource: &'static str) -> Result<Answer> {
    let resource = Arc::clone(&call.resource);
    let (object, api_version, kind) = body::without_type(configuration, &resource.kind, &call.body)?;
    if api_version != resource.api_version() || kind != resource.kind {
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        return Err(Failure::bad_request(format!("invalid object type: {group}/{version}, Kind={kind}")));
    }
    let mut configuration = Value::Object(object);
    check_applied(call, &configuration)?;
    check_namespace_of(call, &configuration)?;
    configuration = with_type(&configuration, &api_version, &kind);
    let existing = state.object(&resource, call.namespace(), call.name()).ok();
    if existing.is_none() && !subresource.is_empty() {
        return Err(Failure::not_found(&resource, call.name()));
    }
    let uid = meta(&configuration, "uid").to_owned();
    if existing.is_none() && !uid.is_empty() {
        let problem =
            format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
        return Err(Failure::conflict(&resource, call.name(), &problem));
    }
    let version = meta(&configuration, "resourceVersion").to_owned();
    if existing.as_ref().is_some_and(|existing| !version.is_empty() && existing.meta("resourceVersion") != version) {
        return Err(Failure::modified(&resource, call.name()));
    }
    let apply =
        Apply { subresource, manager: call.query.text("fieldManager"), force: call.query.flag("force") == Some(true) };
    let live = existing.as_ref().map(|existing| &existing.value);
    let applied = fields::apply(state, &resource, live, &configuration, &apply)?;
    let (object, ..) = body::without_type(applied, &resource.kind, &[])?;
    let sent = body::decode(object, &resource, "Ignore", StatusCode::BAD_REQUEST)?;
    let mut object = sent.value;
    meta_mut(&mut object).insert("name".to_owned(), call.name().into());
    check_namespace(call, &mut object)?;
    let Some(existing) = existing else {
        meta_mut(&mut object).remove("resourceVersion");
        check_namespace_lives(state, call, call.name())?;
        hooks::default_fields(&resource, &mut object);
        create::prepare(state, &resource, &mut object);
        return Ok(create::finish(state, call, object)?.created());
    };
    if version.is_empty() {
        meta_mut(&mut object).remove("resourceVersion");
    }
    let write = Write { is_patch: true, is_tracked: true, subresource };
    update::replace(state, call, &existing, object, &write)
}

/// What a configuration may not say.
fn check_applied(call: &Call, configuration: &Value) -> Result<()> {
    let name = meta(configuration, "name");
    if !name.is_empty() && name != call.name() {
        let message = format!("the name of the object ({name}) does not match the name on the URL ({})", call.name());
        return Err(Failure::bad_request(message));
    }
    if configuration["metadata"].get("managedFields").is_some_and(|managed| !managed.is_null()) {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    Ok(())
}
