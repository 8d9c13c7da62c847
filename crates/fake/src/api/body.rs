//! Bodies of requests as objects.

use std::fmt::Write as _;

use k8s_client_runtime::http::StatusCode;
use serde_json::{Map, Value};

use super::Call;
use crate::{
    failure::{Cause, Failure, Result},
    model::Resource,
    schema::{self, Schema},
};

/// The media types of bodies.
const ACCEPTED: [&str; 2] = ["application/json", "application/yaml"];

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

/// The body as JSON, whatever it is written in.
pub(super) fn parse(call: &Call, kind: &str) -> Result<Value> {
    check_length(call)?;
    match call.content_type.split(';').next().unwrap_or_default().trim() {
        "" | "application/json" => {}
        "application/yaml" => {
            return serde_saphyr::from_slice(&call.body)
                .map_err(|error| Failure::bad_request(format!("error converting YAML to JSON: {error}")));
        }
        _ => return Err(Failure::unsupported_media_type(&ACCEPTED)),
    }
    serde_json::from_slice(&call.body).map_err(|error| {
        let problem = if error.is_eof() { "unexpected end of JSON input".to_owned() } else { error.to_string() };
        let problem = format!("couldn't get version/kind; json parse error: {problem}");
        unrecognized(kind, &problem, &call.body)
    })
}

/// How much of a body is shown in an error.
const SHOWN: usize = 30;

/// Nobody can tell what the body is.
fn unrecognized(kind: &str, problem: &str, body: &[u8]) -> Box<Failure> {
    let start = body.get(..SHOWN).unwrap_or(body);
    let shown = if body.first() == Some(&b'{') {
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
    let resource = &call.resource;
    let value = parse(call, &resource.kind)?;
    let (object, api_version, kind) = without_type(value, &resource.kind, &call.body)?;
    if resource.custom.is_some() && kind.is_empty() {
        // A custom resource is nothing without saying what it is.
        let problem = format!("Object 'Kind' is missing in '{}'", String::from_utf8_lossy(&call.body));
        return Err(unrecognized(&resource.kind, &problem, &call.body));
    }
    let name = object.get("metadata").and_then(|metadata| metadata["name"].as_str()).unwrap_or_default();
    check_type(&api_version, &kind, name, resource)?;
    decode(object, resource, call.query.text("fieldValidation"), StatusCode::BAD_REQUEST)
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
            let given = if api_version.contains('/') { api_version.to_owned() } else { format!("/{api_version}") };
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
    if kind == resource.kind && api_version != expected {
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

/// Reads an object by the schema of its resource, with what is to be done with unknown fields.
pub(super) fn decode(
    object: Map<String, Value>,
    resource: &Resource,
    validation: &str,
    wrong: StatusCode,
) -> Result<Sent> {
    decode_as(Value::Object(object), &resource.schema, resource, validation, wrong)
}

fn decode_as(value: Value, schema: &Schema, resource: &Resource, validation: &str, wrong: StatusCode) -> Result<Sent> {
    let handled = |problem: &str| {
        let message = format!(
            "{} in version {:?} cannot be handled as a {}: {problem}",
            resource.kind, resource.version, resource.kind
        );
        Failure::new(wrong, "BadRequest", message)
    };
    let mut unknown = Vec::new();
    let value = if resource.custom.is_some() {
        schema::prune(value, schema, &mut unknown)
    } else {
        schema::decode(value, schema, &resource.kind, &mut unknown).map_err(|error| handled(&error.to_string()))?
    };
    let texts: Vec<String> = unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
    match validation {
        "Strict" if !texts.is_empty() => Err(handled(&format!("strict decoding error: {}", texts.join(", ")))),
        "Ignore" => Ok(Sent { value, warnings: Vec::new() }),
        _ => Ok(Sent { value, warnings: texts }),
    }
}
