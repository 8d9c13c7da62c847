//! Patches of all types, and server-side apply.

use std::sync::Arc;

use json_patch::{AddOperation, PatchOperation, ReplaceOperation};
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
    model::Resource,
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

const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// The media types of patches.
const ACCEPTED: [&str; 4] = [JSON, MERGE, STRATEGIC, APPLY];

/// The media type of a patch, which is looked at before anything else.
pub(crate) fn check_patch_type<'a>(resource: &Resource, content_type: &'a str) -> Result<&'a str> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let is_custom = resource.custom.is_some();
    if ACCEPTED.iter().any(|known| *known == media_type && !(is_custom && *known == STRATEGIC)) {
        return Ok(media_type);
    }
    // Built-in kinds have a layer before their handlers, which says no more.
    if !is_custom {
        let code = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let mut failure = Failure::new(code, "UnsupportedMediaType", "415: Unsupported Media Type");
        failure.details = Some(json!({}));
        return Err(failure);
    }
    // The real server knows CBOR too, and its text is the same for clients that look at it.
    let accepted = ACCEPTED.into_iter().filter(|it| *it != STRATEGIC).chain(["application/apply-patch+cbor"]);
    Err(Failure::unsupported_media_type(&accepted.collect::<Vec<_>>()))
}

impl Patch {
    /// Reads the body of a patch to an object; `existing` is what is patched, and refuses where it is not there. What
    /// is applied need not be for anything that is there.
    pub(super) fn read<T>(call: &Call, existing: impl FnOnce() -> Result<T>) -> Result<(Self, Option<T>)> {
        let media_type = check_patch_type(&call.resource, &call.content_type)?;
        check_options(call, media_type == APPLY)?;
        body::check_length(call)?;
        if media_type == APPLY {
            return Self::of_apply(call).map(|patch| (patch, None));
        }
        // A merge patch that is no JSON at all is refused before the object is looked for.
        if media_type == MERGE && serde_json::from_slice::<Value>(&call.body).is_err() {
            return Err(Failure::bad_request("invalid JSON patch"));
        }
        let existing = existing()?;
        let patch = match media_type {
            JSON => Self::of_operations(call)?,
            MERGE => Self::Merge(Value::Object(object(call)?)),
            _ => Self::Strategic(object(call)?),
        };
        Ok((patch, Some(existing)))
    }

    fn of_operations(call: &Call) -> Result<Self> {
        let wrong = |problem: String| Failure::bad_request(format!("error decoding patch: {problem}"));
        let value: Value = serde_json::from_slice(&call.body).map_err(|error| wrong(error.to_string()))?;
        let Value::Array(operations) = &value else {
            let kind = kind_of(&value);
            return Err(wrong(format!("json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp")));
        };
        if operations.len() > MOST_OPERATIONS {
            let message = format!(
                "Request entity too large: The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {}",
                operations.len()
            );
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message));
        }
        serde_json::from_value(value).map(Self::Json).map_err(|_| rejected())
    }

    fn of_apply(call: &Call) -> Result<Self> {
        let value = serde_json::from_slice(&call.body)
            .or_else(|_| serde_saphyr::from_slice::<Value>(&call.body).map_err(|error| error.to_string()))
            .map_err(|error| Failure::bad_request(format!("error decoding YAML: {error}")))?;
        Ok(Self::Apply(value))
    }
}

/// The body of a patch that is an object.
fn object(call: &Call) -> Result<Map<String, Value>> {
    match serde_json::from_slice(&call.body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(Failure::bad_request(format!(
            "error decoding patch: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            kind_of(&other)
        ))),
        Err(_) => Err(Failure::bad_request("invalid JSON patch")),
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
fn check_options(call: &Call, is_apply: bool) -> Result<()> {
    options::check_write(call, "PatchOptions")?;
    if is_apply && call.query.text("fieldManager").is_empty() {
        let cause = Cause::required("fieldManager", "is required for apply patch");
        return Err(Failure::invalid_options("PatchOptions", cause));
    }
    if !is_apply && call.query.flag("force").is_some() {
        let cause = Cause::forbidden("force", "may not be specified for non-apply patch");
        return Err(Failure::invalid_options("PatchOptions", cause));
    }
    Ok(())
}

/// Patches an object, or a part of it.
pub(super) fn patch(state: &mut State, call: &Call, subresource: &'static str) -> Result<Answer> {
    let (patch, existing) = Patch::read(call, || state.object(&call.resource, call.namespace(), call.name()))?;
    match (patch, existing) {
        (Patch::Apply(configuration), _) => apply(state, call, configuration, subresource),
        (patch, Some(existing)) => write(state, call, &existing, &patch, subresource),
        (_, None) => Err(Failure::not_found(&call.resource, call.name())),
    }
}

/// Patches an object and writes what comes out.
fn write(
    state: &mut State,
    call: &Call,
    existing: &Arc<Object>,
    patch: &Patch,
    subresource: &'static str,
) -> Result<Answer> {
    let resource = &call.resource;
    let before = with_type(&existing.value, &resource.api_version(), &resource.kind);
    let patched = apply_to(patch, before, &resource.schema)?;
    let shown = match patch {
        Patch::Strategic(patch) => go_text(&Value::Object(patch.clone())),
        _ => patched.to_string(),
    };
    let validation = call.query.text("fieldValidation");
    let (object, api_version, kind) = body::without_type(patched, &resource.kind, &[])?;
    body::check_type(&api_version, &kind, call.name(), resource)?;
    let sent = body::decode(object, resource, Vec::new(), validation, StatusCode::BAD_REQUEST).map_err(|failure| {
        let problem =
            failure.message.split_once(&format!("as a {}: ", resource.kind)).map_or("", |(_, problem)| problem);
        let cause = Cause::invalid("patch", &shown.as_str().into(), problem);
        Failure::invalid("", "", "", &[cause])
    })?;
    let mut object = sent.value;
    // Without a resourceVersion in the patch, it is that of the object that was read.
    let write = Write { is_patch: true, is_tracked: false, subresource };
    let answer = update::check_name(call, &object)
        .and_then(|()| check_namespace(call, &mut object))
        .and_then(|()| update::replace(state, call, existing, object, &write))
        .map_err(|failure| failure.with_warnings(&sent.warnings))?;
    Ok(answer.with_warnings(sent.warnings))
}

/// A value as Go shows it: `map[a:[1 2] b:<nil>]`.
fn go_text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(go_text).collect::<Vec<_>>().join(" ")),
        Value::Object(members) => {
            let members: Vec<String> = members.iter().map(|(key, value)| format!("{key}:{}", go_text(value))).collect();
            format!("map[{}]", members.join(" "))
        }
        other => other.to_string(),
    }
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
            for operation in &patch.0 {
                let operation = as_the_server_reads(operation, &object);
                json_patch::patch(&mut object, &[operation]).map_err(|_| rejected())?;
            }
            Ok(object)
        }
        Patch::Merge(patch) => Ok(fields::json_merge(object, patch.clone())),
        Patch::Strategic(patch) => fields::strategic_merge(object, patch.clone(), schema),
        Patch::Apply(_) => Err(Failure::not_implemented("an apply as a mere patch")),
    }
}

/// The server's library replaces a member that is not there by adding it.
fn as_the_server_reads(operation: &PatchOperation, object: &Value) -> PatchOperation {
    let PatchOperation::Replace(ReplaceOperation { path, value }) = operation else { return operation.clone() };
    let of_object = path.as_str().rsplit_once('/').and_then(|(parent, _)| object.pointer(parent)?.as_object());
    if of_object.is_none() {
        return operation.clone();
    }
    PatchOperation::Add(AddOperation { path: path.clone(), value: value.clone() })
}

/// Server-side apply.
fn apply(state: &mut State, call: &Call, configuration: Value, subresource: &'static str) -> Result<Answer> {
    let resource = Arc::clone(&call.resource);
    let (object, api_version, kind) = body::without_type(configuration, &resource.kind, &call.body)?;
    if api_version != resource.api_version() || kind != resource.kind {
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        return Err(Failure::bad_request(format!("invalid object type: {group}/{version}, Kind={kind}")));
    }
    let mut configuration = Value::Object(object);
    if configuration["metadata"].get("managedFields").is_some_and(|managed| !managed.is_null()) {
        return Err(Failure::bad_request("metadata.managedFields must be nil"));
    }
    check_namespace_of(call, &configuration)?;
    configuration = with_type(&configuration, &api_version, &kind);
    let existing = state.object(&resource, call.namespace(), call.name()).ok();
    if existing.is_none() && !subresource.is_empty() && !resource.behaviour.created_by_update {
        return Err(Failure::not_found(&resource, call.name()));
    }
    let uid = meta(&configuration, "uid").to_owned();
    if existing.is_none() && !uid.is_empty() {
        let problem =
            format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
        return Err(Failure::conflict(&resource, call.name(), &problem));
    }
    let apply =
        Apply { subresource, manager: call.query.text("fieldManager"), force: call.query.flag("force") == Some(true) };
    let live = existing.as_ref().map(|existing| &existing.value);
    let applied = fields::apply(state, &resource, live, &configuration, &apply)?;
    let (object, ..) = body::without_type(applied, &resource.kind, &[])?;
    let named = format!("{}/{}", meta(&configuration, "namespace"), meta(&configuration, "name"));
    let mut object = body::decode_applied(object, &resource, &named)?;
    if !meta(&object, "name").is_empty() {
        update::check_name(call, &object)?;
    }
    meta_mut(&mut object).insert("name".to_owned(), call.name().into());
    check_namespace(call, &mut object)?;
    let Some(existing) = existing else {
        check_namespace_lives(state, call, call.name())?;
        hooks::default_fields(&resource, &mut object, state.minor());
        create::settle(&resource, &mut object);
        create::prepare(state, &resource, &mut object);
        return Ok(create::finish(state, call, object)?.created());
    };
    let write = Write { is_patch: true, is_tracked: true, subresource };
    update::replace(state, call, &existing, object, &write)
}
