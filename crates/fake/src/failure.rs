//! What the server answers when it does not do what was asked: Kubernetes' Status, with its reasons and texts.

use k8s_client_runtime::http::StatusCode;
use serde_json::{Value, json};

use crate::model::Resource;

pub(crate) type Result<T, E = Box<Failure>> = std::result::Result<T, E>;

/// An answer that is not a success.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) code: StatusCode,
    /// Kubernetes' reason; empty for errors that a server makes a Status of without knowing them.
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) details: Option<Value>,
    /// The seconds that the client is asked to wait.
    pub(crate) retry_after: Option<u32>,
    /// What a list that has expired can be continued with.
    pub(crate) continue_token: Option<String>,
    /// A path that no handler knows is answered in plain text.
    pub(crate) is_plain: bool,
    /// Warnings about what was sent, which come with a refusal as well.
    pub(crate) warnings: Vec<String>,
}

/// One cause of an invalid object: the reason, the field, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) reason: &'static str,
    pub(crate) field: String,
    pub(crate) message: String,
}

impl Cause {
    /// A field has a value that it cannot have. The value is shown as JSON.
    pub(crate) fn invalid(field: impl Into<String>, value: &Value, problem: &str) -> Self {
        Self::new("FieldValueInvalid", field, format!("Invalid value: {value}: {problem}"))
    }

    /// A field must be given.
    pub(crate) fn required(field: impl Into<String>, problem: &str) -> Self {
        let separator = if problem.is_empty() { "" } else { ": " };
        Self::new("FieldValueRequired", field, format!("Required value{separator}{problem}"))
    }

    /// A field may not be given, or not so.
    pub(crate) fn forbidden(field: impl Into<String>, problem: &str) -> Self {
        Self::new("FieldValueForbidden", field, format!("Forbidden: {problem}"))
    }

    /// A field has none of the values that it can have.
    pub(crate) fn unsupported(field: impl Into<String>, value: &str, supported: &[&str]) -> Self {
        let supported: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
        let message = format!("Unsupported value: {value}: supported values: {}", supported.join(", "));
        Self::new("FieldValueNotSupported", field, message)
    }

    pub(crate) fn new(reason: &'static str, field: impl Into<String>, message: String) -> Self {
        Self { reason, field: field.into(), message }
    }
}

impl Failure {
    pub(crate) fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            code,
            reason,
            message: message.into(),
            details: None,
            retry_after: None,
            continue_token: None,
            is_plain: false,
            warnings: Vec::new(),
        })
    }

    pub(crate) fn with_warnings(mut self: Box<Self>, warnings: &[String]) -> Box<Self> {
        self.warnings.extend_from_slice(warnings);
        self
    }

    fn with(mut self: Box<Self>, details: Value) -> Box<Self> {
        self.details = Some(details);
        self
    }

    /// No handler knows the path.
    pub(crate) fn unknown_path() -> Box<Self> {
        let mut failure = Self::new(StatusCode::NOT_FOUND, "NotFound", "404 page not found\n");
        failure.is_plain = true;
        failure
    }

    /// The group and version are known, the resource or subresource is not.
    pub(crate) fn unknown_resource() -> Box<Self> {
        let message = "the server could not find the requested resource";
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).with(json!({}))
    }

    /// The path does not have the method.
    pub(crate) fn method_not_allowed() -> Box<Self> {
        let message = "the server does not allow this method on the requested resource";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).with(json!({}))
    }

    /// There is no object of the name.
    pub(crate) fn not_found(resource: &Resource, name: &str) -> Box<Self> {
        let message = format!("{} {name:?} not found", resource.qualified());
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).with(resource.details(name))
    }

    /// There is an object of the name already.
    pub(crate) fn already_exists(resource: &Resource, name: &str, is_being_deleted: bool) -> Box<Self> {
        let prefix = if is_being_deleted { "object is being deleted: " } else { "" };
        let message = format!("{prefix}{} {name:?} already exists", resource.qualified());
        Self::new(StatusCode::CONFLICT, "AlreadyExists", message).with(resource.details(name))
    }

    /// The object is not what the writer takes it for.
    pub(crate) fn conflict(resource: &Resource, name: &str, problem: &str) -> Box<Self> {
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {problem}", resource.qualified());
        Self::new(StatusCode::CONFLICT, "Conflict", message).with(resource.details(name))
    }

    /// The object was changed since the writer has read it.
    pub(crate) fn modified(resource: &Resource, name: &str) -> Box<Self> {
        let problem = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, problem)
    }

    /// The object is not the one that a deletion means. The server names the kind in this one.
    pub(crate) fn precondition(resource: &Resource, name: &str, problem: &str) -> Box<Self> {
        let mut kind = resource.clone();
        kind.plural.clone_from(&resource.kind);
        Self::conflict(&kind, name, problem)
    }

    /// The object breaks rules.
    pub(crate) fn invalid(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Box<Self> {
        let texts: Vec<String> = causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        // A text that was there already is not said again.
        let mut said: Vec<String> = Vec::new();
        for text in texts {
            if !said.contains(&text) {
                said.push(text);
            }
        }
        let text = match said.as_slice() {
            [] => String::new(),
            [one] => format!(": {one}"),
            many => format!(": [{}]", many.join(", ")),
        };
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let message = format!("{qualified} {name:?} is invalid{text}");
        let causes: Vec<Value> = causes
            .iter()
            .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
            .collect();
        let mut details = json!({"causes": causes});
        for (key, value) in [("kind", kind), ("group", group), ("name", name)] {
            if !value.is_empty() {
                details[key] = json!(value);
            }
        }
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with(details)
    }

    /// Options that do not go together: `ListOptions` and the like.
    pub(crate) fn invalid_options(kind: &str, cause: Cause) -> Box<Self> {
        Self::invalid("meta.k8s.io", kind, "", &[cause])
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Box<Self> {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// An error that the server has no reason for.
    pub(crate) fn internal(message: impl Into<String>) -> Box<Self> {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
    }

    /// The same with a reason, and the error as its cause.
    pub(crate) fn internal_error(message: &str) -> Box<Self> {
        let text = format!("Internal error occurred: {message}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", text)
            .with(json!({"causes": [{"message": message}]}))
    }

    /// What is asked for is older than what is kept.
    pub(crate) fn expired(message: impl Into<String>) -> Box<Self> {
        Self::new(StatusCode::GONE, "Expired", message)
    }

    /// A revision that has not come yet.
    pub(crate) fn too_large_resource_version(asked: u64, current: u64) -> Box<Self> {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let causes = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
        let mut failure = Self::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message)
            .with(json!({"causes": causes, "retryAfterSeconds": 1}));
        failure.retry_after = Some(1);
        failure
    }

    pub(crate) fn unsupported_media_type(accepted: &[&str]) -> Box<Self> {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            accepted.join(", ")
        );
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    }

    pub(crate) fn not_acceptable(accepted: &[&str]) -> Box<Self> {
        let message = format!("only the following media types are accepted: {}", accepted.join(", "));
        Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
    }

    /// The same of the layer before the handlers of built-in kinds.
    pub(crate) fn no_representation(has_watches: bool) -> Box<Self> {
        let mut message = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, \
                           application/vnd.kubernetes.protobuf, application/cbor"
            .to_owned();
        if has_watches {
            message += ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch, \
                        application/cbor-seq";
        }
        Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message).with(json!({}))
    }

    /// What a real server does and this one does not. It says so instead of guessing.
    pub(crate) fn not_implemented(what: &str) -> Box<Self> {
        let message = format!("the fake API server does not do this: {what}");
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    /// A patch that cannot be carried out.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Box<Self> {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message)
    }

    /// The Status that is sent.
    pub(crate) fn status(&self) -> Value {
        let mut metadata = json!({});
        if let Some(token) = &self.continue_token {
            metadata["continue"] = json!(token);
        }
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure",
            "message": self.message, "code": self.code.as_u16(),
        });
        if !self.reason.is_empty() {
            status["reason"] = json!(self.reason);
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }
}

impl Resource {
    /// The resource in messages: `deployments.apps`.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// What a Status says of the object that it is about.
    pub(crate) fn details(&self, name: &str) -> Value {
        let mut details = json!({"name": name, "kind": self.plural});
        if !self.group.is_empty() {
            details["group"] = json!(self.group);
        }
        details
    }

    /// `apps/v1`
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}
