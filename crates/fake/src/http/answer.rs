//! Answers before they are written.

use std::sync::Arc;

use bytes::Bytes;
use k8s_client_runtime::{
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    rest::Body,
};
use serde_json::Value;

use super::{Asked, Form, JSON, Renderer};
use crate::{
    failure::Failure,
    model::{Model, Resource},
    store::Object,
    table::Rows,
};

/// What a request is answered with.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: StatusCode,
    pub(crate) content: Content,
    /// Warnings for the user.
    pub(crate) warnings: Vec<String>,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Content {
    /// An object of a resource that is kept, or would be.
    Object(Arc<Resource>, Arc<Object>),
    /// Objects of a resource, and the metadata of the list.
    List(Arc<Resource>, Vec<Arc<Object>>, Value),
    /// Anything else, with its own `apiVersion` and `kind`.
    Value(Value),
}

impl Answer {
    pub(crate) fn ok(content: Content) -> Self {
        Self { code: StatusCode::OK, content, warnings: Vec::new() }
    }

    pub(crate) fn value(value: Value) -> Self {
        Self::ok(Content::Value(value))
    }

    pub(crate) fn object(resource: &Arc<Resource>, object: Arc<Object>) -> Self {
        Self::ok(Content::Object(Arc::clone(resource), object))
    }

    pub(crate) fn created(mut self) -> Self {
        self.code = StatusCode::CREATED;
        self
    }

    pub(crate) fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }
}

/// A response with a whole body.
pub(crate) fn response(code: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

impl Failure {
    /// The response that says so, to who accepts this.
    pub(crate) fn response(&self, accept: &str, model: &'static Model) -> Response<Body> {
        let mut response = if self.is_plain {
            response(self.code, "text/plain; charset=utf-8", self.message.clone())
        } else {
            // Who accepts nothing that there is is told so in JSON.
            let form = Form::of(accept, Asked::Refusal).unwrap_or(JSON);
            let renderer = Renderer { form, rows: Rows::default(), model };
            response(self.code, form.content_type(), renderer.value(&self.status()))
        };
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        warn(headers, &self.warnings);
        response
    }
}

/// Adds the headers of warnings.
pub(crate) fn warn(headers: &mut HeaderMap, warnings: &[String]) {
    for text in warnings {
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        headers
            .extend(HeaderValue::from_str(&format!("299 - \"{quoted}\"")).ok().map(|value| (header::WARNING, value)));
    }
}
