//! Bodies of requests as objects.

use std::{collections::BTreeMap, fmt::Write as _};

use k8s_client_runtime::http::StatusCode;
use serde_json::{Map, Value};

use super::Call;
use crate::{
    breaks::{Break, is_broken},
    failure::{Cause, Failure, Result},
    json,
    model::{Model, Resource},
    protobuf::Sent as SentProtobuf,
    schema::{self, Schema},
};

/// The media types of bodies and answers. This server does not have all of them.
pub(crate) const MEDIA_TYPES: [&str; 4] =
    ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/cbor"];

/// The most bytes that a body may have.
const MOST_BYTES: usize = 3 * 1024 * 1024;

/// An object that was sent, without `apiVersion` and `kind`.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) value: Value,
    /// Warnings about fields that nobody knows.
    pub(super) warnings: Vec<String>,
}

/// Refuses a body that is too long.
pub(super) fn check_length(call: &Call) -> Result<()> {
    if call.body.len() <= MOST_BYTES {
        return Ok(());
    }
    let message = "Request entity too large: limit is 3145728";
    Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message))
}

/// The body as JSON, whatever it is written in: an object of this kind and type, or one that says what else it is.
pub(super) fn parse(call: &Call, kind: &str, schema: &Schema) -> Result<Value> {
    check_length(call)?;
    match call.content_type.split(';').next().unwrap_or_default().trim() {
        "" | "application/json" => {}
        "application/yaml" => {
            return serde_saphyr::from_slice(&call.body)
                .map_err(|error| Failure::bad_request(format!("error converting YAML to JSON: {error}")));
        }
        // A real server's handler breaks at such a custom resource, and its connection with it.
        "application/vnd.kubernetes.protobuf" if call.resource.custom.is_some() && kind != "DeleteOptions" => {
            return Err(Failure::unsupported_media_type(&MEDIA_TYPES[..2]));
        }
        "application/vnd.kubernetes.protobuf" => return from_protobuf(call, kind, schema),
        // What a real server reads and this one does not is not offered to who sends it.
        "application/cbor" => return Err(Failure::unsupported_media_type(&MEDIA_TYPES[..3])),
        _ => return Err(Failure::unsupported_media_type(&MEDIA_TYPES)),
    }
    serde_json::from_slice(&call.body).map_err(|error| {
        let problem = if error.is_eof() { "unexpected end of JSON input".to_owned() } else { error.to_string() };
        let problem = format!("couldn't get version/kind; json parse error: {problem}");
        unrecognized(kind, &problem, &call.body)
    })
}

fn from_protobuf(call: &Call, kind: &str, schema: &Schema) -> Result<Value> {
    let sent = SentProtobuf::open(&call.body).map_err(|problem| unrecognized(kind, &problem, &call.body))?;
    let mut object = Map::new();
    for (name, given) in [("apiVersion", &sent.api_version), ("kind", &sent.kind)] {
        if !given.is_empty() {
            object.insert(name.to_owned(), given.clone().into());
        }
    }
    // Fields of another kind mean something else. Who reads the object says that it is one.
    if sent.kind.is_empty() || sent.kind == kind {
        let version = sent.api_version.rsplit('/').next().unwrap_or_default().to_owned();
        let fields = sent.read(schema).map_err(|error| {
            let message = format!("{kind} in version {version:?} cannot be handled as a {kind}: {error}");
            Failure::bad_request(message)
        })?;
        object.extend(fields);
    }
    Ok(Value::Object(object))
}

/// How much of a body is shown in an error.
const SHOWN: usize = 30;

/// Nobody can tell what the body is.
fn unrecognized(kind: &str, problem: &str, body: &[u8]) -> Box<Failure> {
    let start = body.get(..SHOWN).unwrap_or(body);
    let shown = if body.is_empty() {
        "<empty>".to_owned()
    } else if body.first() == Some(&b'{') {
        String::from_utf8_lossy(start).into_owned()
    } else {
        start.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    let rest = if body.len() > SHOWN { " ..." } else { "" };
    let message = format!("the object provided is unrecognized (must be of type {kind}): {problem} ({shown}{rest})");
    Failure::bad_request(message)
}

/// The object that a create or update sends.
pub(super) fn object(call: &Call) -> Result<Sent> {
    let value = parse(call, &call.resource.kind, &call.resource.schema)?;
    typed(call, &call.resource, value)
}

/// An object of a resource, with its `apiVersion` and `kind`, which must be those of the resource.
pub(super) fn typed(call: &Call, resource: &Resource, value: Value) -> Result<Sent> {
    let (object, api_version, kind) = without_type(value, &resource.kind, &call.body)?;
    if resource.custom.is_some() && kind.is_empty() {
        // A custom resource is nothing without saying what it is.
        let problem = format!("Object 'Kind' is missing in '{}'", String::from_utf8_lossy(&call.body));
        if call.query.text("fieldValidation") == "Ignore" {
            return Err(handled(resource, &problem, StatusCode::BAD_REQUEST));
        }
        return Err(unrecognized(&resource.kind, &problem, &call.body));
    }
    let name = object.get("metadata").and_then(|metadata| metadata["name"].as_str()).unwrap_or_default();
    check_type(&api_version, &kind, name, resource)?;
    let repeated = json::repeated_fields(&call.body);
    let repeated = repeated.iter().map(|path| format!("duplicate field {path:?}")).collect();
    decode(object, resource, repeated, call.query.text("fieldValidation"), StatusCode::BAD_REQUEST)
}

/// Takes `apiVersion` and `kind` out of an object.
pub(super) fn without_type(value: Value, kind: &str, body: &[u8]) -> Result<(Map<String, Value>, String, String)> {
    let Value::Object(mut object) = value else {
        let problem = format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go value of type struct {{ \
             APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
             \"json:\\\"kind,omitempty\\\"\" }}",
            type_of(&value)
        );
        return Err(unrecognized(kind, &problem, body));
    };
    let mut text = |key: &str| match object.remove(key) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    Ok((object, api_version, kind))
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What an object says that it is must be what the path is for.
pub(super) fn check_type(api_version: &str, kind: &str, name: &str, resource: &Resource) -> Result<()> {
    let expected = resource.api_version();
    if resource.custom.is_some() {
        if api_version != expected {
            let given = if api_version.is_empty() { "/" } else { api_version };
            return Err(Failure::bad_request(format!(
                "the API version in the data ({given}) does not match the expected API version ({expected})"
            )));
        }
        if kind != resource.kind {
            let cause = Cause::invalid("kind", &kind.into(), &format!("must be {}", resource.kind));
            return Err(Failure::invalid(&resource.group, kind, name, &[cause]));
        }
        return Ok(());
    }
    let version = api_version.rsplit('/').next().unwrap_or_default();
    let is_right = (api_version.is_empty() || api_version == expected) && (kind.is_empty() || kind == resource.kind);
    if is_right {
        return Ok(());
    }
    let handled = format!("{kind} in version {version:?} cannot be handled as a {}", resource.kind);
    if !is_registered(api_version, kind) {
        return Err(Failure::bad_request(format!(
            "{handled}: no kind {kind:?} is registered for version {api_version:?} in scheme \"pkg/runtime/scheme.go:111\""
        )));
    }
    let package = resource.group.split('.').next().filter(|group| !group.is_empty()).unwrap_or("core");
    Err(Failure::bad_request(format!(
        "{handled}: converting ({version}.{kind}) to ({package}.{}): unknown conversion",
        resource.kind
    )))
}

/// Whether the server knows a kind in a version, be it served or not.
fn is_registered(api_version: &str, kind: &str) -> bool {
    let model = Model::of(Model::newest());
    let resources = model.and_then(|model| model.resources.get(api_version)).into_iter().flat_map(BTreeMap::values);
    let of_all = ["CreateOptions", "DeleteOptions", "GetOptions", "ListOptions", "PatchOptions", "UpdateOptions"];
    let mut kinds =
        resources.flat_map(|it| it.subresources.values().map(|it| it.kind.as_str()).chain([it.kind.as_str()]));
    (api_version == "v1" && kind == "Status")
        || kinds.any(|known| known == kind.strip_suffix("List").unwrap_or(kind) || of_all.contains(&kind))
}

/// What is sent is of the right kind, but cannot be read.
fn handled(resource: &Resource, problem: &str, code: StatusCode) -> Box<Failure> {
    let (kind, version) = (&resource.kind, &resource.version);
    Failure::new(code, "BadRequest", format!("{kind} in version {version:?} cannot be handled as a {kind}: {problem}"))
}

/// Reads what an apply has made of an object; `named` is the configuration's namespace and name.
pub(super) fn decode_applied(object: Map<String, Value>, resource: &Resource, named: &str) -> Result<Value> {
    let object = Value::Object(object);
    if resource.custom.is_some() {
        return Ok(schema::prune_applied(object, &resource.schema));
    }
    schema::decode(object, &resource.schema, &resource.kind, &mut Vec::new()).map_err(|problem| {
        let slash = if resource.group.is_empty() { "/" } else { "" };
        let kind = format!("{slash}{}, Kind={}", resource.api_version(), resource.kind);
        Failure::internal(format!(
            "failed to convert new object ({named}; {kind}) to proper version: unable to convert unstructured \
             object to {kind}: {problem}"
        ))
    })
}

/// Reads an object by the schema of its resource, with what is to be done with unknown fields and what else is `odd`.
pub(super) fn decode(
    object: Map<String, Value>,
    resource: &Resource,
    mut odd: Vec<String>,
    validation: &str,
    wrong: StatusCode,
) -> Result<Sent> {
    let value = Value::Object(object);
    let schema = &resource.schema;
    let handled = |problem: &str| handled(resource, problem, wrong);
    let mut unknown = Vec::new();
    // An empty list is left out as if it were not there, but asks built-in kinds for something.
    let asks = |managed: &&Value| resource.custom.is_none() && managed.as_array().is_some_and(Vec::is_empty);
    let managed = value["metadata"].get("managedFields").filter(asks).cloned();
    let value = if resource.custom.is_some() {
        schema::prune(value, schema, &mut unknown)
    } else {
        schema::decode(value, schema, &resource.kind, &mut unknown)
    };
    let mut value = value.map_err(|error| handled(&error))?;
    if let (Some(managed), Some(metadata)) = (managed, value["metadata"].as_object_mut()) {
        metadata.insert("managedFields".to_owned(), managed);
    }
    odd.extend(unknown.iter().map(|path| format!("unknown field {path:?}")));
    match validation {
        "Strict" if !odd.is_empty() && !is_broken(Break::UnknownFieldIsNotRefused) => {
            Err(handled(&format!("strict decoding error: {}", odd.join(", "))))
        }
        _ if is_broken(Break::UnknownFieldIsNotWarnedOf) => Ok(Sent { value, warnings: Vec::new() }),
        "Ignore" => Ok(Sent { value, warnings: Vec::new() }),
        _ => Ok(Sent { value, warnings: odd }),
    }
}
