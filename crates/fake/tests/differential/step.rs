//! Requests as sequences have them: with references to the answers before, which differ between servers.

use std::fmt;

use serde_json::{Map, Value};

/// Requests that are sent one after another, in a namespace of their own.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    pub(crate) seed: u64,
    pub(crate) steps: Vec<Step>,
}

/// A request.
///
/// In its texts, `{ns}` is the sequence's namespace. A text `@uid:3` is the uid in the answer to step 3, `@rv:3` the
/// `resourceVersion`, `@name:3` the name, `@continue:3` the list's token.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) content_type: &'static str,
    pub(crate) accept: &'static str,
    pub(crate) agent: &'static str,
    pub(crate) body: Body,
    /// Whether it has been taken out, so that the numbers of the others stay.
    pub(crate) is_left_out: bool,
}

/// What a request sends.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    None,
    Json(Value),
    Text(String),
    /// The object of an earlier answer, changed by a merge patch.
    Edited {
        of: usize,
        patch: Value,
    },
}

impl Step {
    pub(crate) fn new(method: &'static str, path: String) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            content_type: "application/json",
            accept: "application/json",
            agent: "differ/1",
            body: Body::None,
            is_left_out: false,
        }
    }

    pub(crate) fn with(mut self, body: Value) -> Self {
        self.body = Body::Json(body);
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Whether it is a watch, whose answer goes on.
    pub(crate) fn is_watch(&self) -> bool {
        self.query.iter().any(|(name, value)| *name == "watch" && value == "true")
    }

    /// The path with its query, and the body, given the namespace and the answers before.
    pub(crate) fn resolved(&self, namespace: &str, answers: &[Value]) -> (String, Vec<u8>) {
        let text = |text: &str| resolved(&text.replace("{ns}", namespace), answers);
        let path: Vec<String> = self.path.split('/').map(text).collect();
        let query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{name}={}", encoded(&text(value)))).collect();
        let path = path.join("/");
        let target = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        let body = match &self.body {
            Body::None => Vec::new(),
            Body::Text(text) => text.replace("{ns}", namespace).into_bytes(),
            Body::Json(value) => in_texts(value.clone(), &text).to_string().into_bytes(),
            Body::Edited { of, patch } => {
                // A refusal and what is metadata alone are no objects to send.
                let is_object = |answer: &&Value| answer["spec"].is_object() || answer["metadata"]["uid"].is_string();
                let object = answers.get(*of).filter(is_object).filter(|it| it["kind"] != "PartialObjectMetadata");
                let patched = merged(object.cloned().unwrap_or_default(), in_texts(patch.clone(), &text));
                patched.to_string().into_bytes()
            }
        };
        (target, body)
    }
}

/// A query's value with what URLs cannot have as it is.
fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// What a reference refers to; any other text is itself.
fn resolved(text: &str, answers: &[Value]) -> String {
    let Some((what, number)) = text.strip_prefix('@').and_then(|text| text.split_once(':')) else {
        return text.to_owned();
    };
    let metadata = number.parse().ok().and_then(|number: usize| answers.get(number)).map(|answer| &answer["metadata"]);
    let key = match what {
        "rv" => "resourceVersion",
        other => other,
    };
    let found = metadata.and_then(|metadata| metadata[key].as_str()).unwrap_or_default();
    // An object without a name would be a list.
    if found.is_empty() && what == "name" { "nothing".to_owned() } else { found.to_owned() }
}

fn in_texts(value: Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => change(&text).into(),
        Value::Array(items) => items.into_iter().map(|item| in_texts(item, change)).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, in_texts(value, change))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

/// A merge patch, as RFC 7386 has it.
fn merged(mut object: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else { return patch };
    if !object.is_object() {
        object = Value::Object(Map::new());
    }
    if let Value::Object(members) = &mut object {
        for (key, value) in patch {
            if value.is_null() {
                members.remove(&key);
            } else {
                let before = members.remove(&key).unwrap_or_default();
                members.insert(key, merged(before, value));
            }
        }
    }
    object
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query: Vec<String> = self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let separator = if query.is_empty() { "" } else { "?" };
        write!(f, "{} {}{separator}{}", self.method, self.path, query.join("&"))?;
        if self.agent != "differ/1" {
            write!(f, " by {}", self.agent)?;
        }
        if self.accept != "application/json" {
            write!(f, " as {}", self.accept)?;
        }
        let kind = if self.content_type == "application/json" { "" } else { self.content_type };
        match &self.body {
            Body::None => Ok(()),
            Body::Json(value) => write!(f, " {kind} {value}"),
            Body::Text(text) => write!(f, " {kind} {text:?}"),
            Body::Edited { of, patch } => write!(f, " {kind} the answer to {of} with {patch}"),
        }
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "sequence {}", self.seed)?;
        for (number, step) in self.steps.iter().enumerate().filter(|(_, step)| !step.is_left_out) {
            writeln!(f, "{number:4} {step}")?;
        }
        Ok(())
    }
}
