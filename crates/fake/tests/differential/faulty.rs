//! Requests that servers refuse, or take with a warning.

use serde_json::{Value, json};

use crate::{
    draw::{APPLY, Drawing, JSON_PATCH, MERGE, STRATEGIC},
    kinds::one,
    step::{Body, Step},
};

/// A request that something is wrong with.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn step(drawing: &mut Drawing) -> Step {
    let name = drawing.name();
    let (all, of_name) = (drawing.kind.path(), drawing.path_of(name));
    let object = drawing.object(name);
    let get = |path: &str| Step::new("GET", path.to_owned());
    let post = |body: Value| Step::new("POST", all.clone()).with(body);
    let patch =
        |kind: &'static str, body: Value| Step { content_type: kind, ..Step::new("PATCH", of_name.clone()) }.with(body);
    let text = |method: &'static str, path: &str, kind: &'static str, text: &str| Step {
        content_type: kind,
        body: Body::Text(text.to_owned()),
        ..Step::new(method, path.to_owned())
    };
    let with = |pointer: &str, value: Value| {
        let mut object = object.clone();
        match pointer.rsplit_once('/') {
            Some((parent, key)) => {
                if let Some(parent) = object.pointer_mut(parent) {
                    parent[key] = value;
                }
            }
            None => object[pointer] = value,
        }
        object
    };
    let applied = |body: Value| patch(APPLY, body).query("fieldManager", "m1");
    let root = drawing.kind.root();
    match drawing.rng.u8(..45) {
        0 => post(with("/metadata/name", json!("Wrong_{ns}"))),
        1 => post(with("/metadata/name", json!(""))),
        2 => post(with("/metadata/namespace", json!("elsewhere"))),
        3 => post(with("/metadata/resourceVersion", json!("5"))),
        4 => post(with("apiVersion", json!("v2"))),
        5 => post(with("apiVersion", json!("example.org/v1"))),
        6 => post(with("kind", json!("Other"))),
        7 => post(with("/metadata/labels", json!({"a b": "c"}))),
        8 => post(with("/metadata/labels", json!({"a": "not a value"}))),
        9 => post(with("/metadata/finalizers", json!(["not/a/finalizer"]))),
        10 => post(with("/metadata/annotations", json!({"/x": "y"}))),
        11 => post(with("/metadata/labels", json!({"a": 1}))),
        12 => post(with("/metadata/ownerReferences", json!([{"apiVersion": "v1", "kind": "Pod", "name": "x"}]))),
        13 => {
            let validation = one(&mut drawing.rng, &["Strict", "Warn", "Ignore", "Other"]);
            let mut body = with("wrong", json!(1));
            body["spec"]["wrong"] = json!({"x": 1});
            body["metadata"]["wrong"] = json!(true);
            post(body).query("fieldValidation", validation)
        }
        14 => text("POST", &all, "text/plain", "text"),
        15 => text("POST", &all, "application/json", "{"),
        16 => text("POST", &all, "application/json", "[]"),
        17 => text("POST", &all, "application/json", ""),
        18 => text("PATCH", &of_name, "application/json", "{}"),
        19 => text("PATCH", &of_name, MERGE, "[]"),
        20 => text("PATCH", &of_name, MERGE, "{"),
        21 => text("PATCH", &of_name, JSON_PATCH, "{}"),
        22 => patch(JSON_PATCH, json!([{"op": "replace", "path": "/nothing/here", "value": 1}])),
        23 => patch(JSON_PATCH, json!([{"op": "test", "path": "/metadata/name", "value": "other"}])),
        24 => patch(JSON_PATCH, json!([{"op": "replace", "path": "/metadata/name", "value": "other"}])),
        25 => patch(STRATEGIC, json!({"metadata": {"labels": {"$patch": "nonsense"}}})),
        26 => patch(MERGE, json!({"metadata": {"name": "other"}})),
        27 => patch(MERGE, json!({"metadata": {"labels": {"a": 1}}})),
        28 => patch(MERGE, json!({"metadata": {"labels": {"a": "b"}}})).query("force", "true"),
        29 => patch(APPLY, object),
        30 => applied(with("/metadata/managedFields", json!([{"manager": "x"}]))),
        31 => applied(with("apiVersion", json!("example.org/v1"))),
        32 => applied(with("/metadata/name", json!("other"))),
        33 => Step::new("PUT", of_name.clone()).with(with("/metadata/name", json!("other"))),
        34 => Step::new("PUT", of_name.clone()).with(with("/metadata/uid", json!("given-uid"))),
        35 => Step::new("PUT", of_name.clone()).with(with("/metadata/resourceVersion", json!("text"))),
        36 => {
            let selector = one(&mut drawing.rng, &["a==b=c", "a in x", "a,,b", "=x", "a in (x", "a!b"]);
            get(&all).query("labelSelector", selector)
        }
        37 => {
            let selector = one(&mut drawing.rng, &["spec.unknown=x", "metadata.name", "metadata.name>a"]);
            get(&all).query("fieldSelector", selector)
        }
        38 => {
            let (name, value) = one(
                &mut drawing.rng,
                &[
                    ("resourceVersion", "text"),
                    ("continue", "nonsense"),
                    ("limit", "text"),
                    ("resourceVersionMatch", "Exact"),
                    ("sendInitialEvents", "true"),
                    ("resourceVersion", "99999999999"),
                ],
            );
            get(&all).query(name, value)
        }
        39 => {
            let suffix = one(&mut drawing.rng, &["/nothing", "/status", "/scale", "/nothing/at/all"]);
            get(&format!("{of_name}{suffix}"))
        }
        40 => {
            let rest = one(&mut drawing.rng, &["/nothing", "/namespaces/{ns}/nothing", "/namespaces/{ns}/nothing/x"]);
            get(&format!("{root}{rest}"))
        }
        41 => Step::new(one(&mut drawing.rng, &["PUT", "PATCH"]), all.clone()).with(object),
        42 => Step { accept: one(&mut drawing.rng, &["text/html", "application/xml", "*/*"]), ..get(&of_name) },
        43 => {
            let validation = one(&mut drawing.rng, &["Strict", "Warn", "Ignore", ""]);
            let mut body = with("wrong", json!(1));
            body["metadata"]["labels"] = json!({"a": "b"});
            let json = body.to_string().replacen(r#""labels":{"#, r#""labels":{"a":"c","#, 1);
            text("POST", &all, "application/json", &format!(r#"{{"kind":"Other",{}"#, &json[1..]))
                .query("fieldValidation", validation)
        }
        _ => {
            let body = one(&mut drawing.rng, &["Sometimes", ""]);
            Step::new("DELETE", of_name.clone()).with(json!({"propagationPolicy": body, "dryRun": ["Some"]}))
        }
    }
}
