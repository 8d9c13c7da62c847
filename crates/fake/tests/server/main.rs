//! The fake server by its HTTP: what is asked, and what is answered. The texts are those of a real server, which
//! `tests/differential` asks the same and more.

mod controllers;
mod custom_resources;
mod deletion;
mod lists;
mod objects;
mod odd_requests;
mod odd_values;
mod openapi;
mod patches;
mod protobuf;
mod users;
mod watches;

use k8s_client_fake::FakeServer;
use k8s_client_runtime::{http::Request, rest::Body};
use serde_json::Value;
use tower_service::Service as _;

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// Sends a request; the code and the body of the answer. Lines of a watch are items of a list.
async fn ask(server: &FakeServer, method: &str, path: &str, body: Value) -> (u16, Value) {
    let (method, media_type) = match method.split_once(':') {
        Some((method, "apply")) => (method, "application/apply-patch+yaml".to_owned()),
        Some((method, kind)) => (method, format!("application/{kind}-patch+json")),
        None => (method, "application/json".to_owned()),
    };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder()
        .method(method)
        .uri(format!("http://fake{path}"))
        .header("content-type", media_type)
        .header("user-agent", "test/1")
        .body(Body::from(body))
        .unwrap();
    let response = server.clone().call(request).await.unwrap();
    let code = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or_else(|_| text.lines().map(parse).collect());
    (code, body)
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|_| line.into())
}

/// Sends a request that is answered with an object.
async fn object(server: &FakeServer, method: &str, path: &str, body: Value) -> Value {
    let (code, answer) = ask(server, method, path, body).await;
    assert!((200..300).contains(&code), "{method} {path}: {code} {answer}");
    answer
}

/// Sends a request that is refused: the code, the reason and the message.
async fn refusal(server: &FakeServer, method: &str, path: &str, body: Value) -> (u16, String, String) {
    let (code, status) = ask(server, method, path, body).await;
    assert_eq!(status["kind"], "Status", "{method} {path}: {status}");
    assert_eq!(status["code"], code);
    let text = |key: &str| status[key].as_str().unwrap_or_default().to_owned();
    (code, text("reason"), text("message"))
}

/// The names of a list's objects.
fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().into_iter().flatten().filter_map(|item| item["metadata"]["name"].as_str()).collect()
}

/// A server that draws the same each time.
fn server() -> FakeServer {
    FakeServer::builder().seed(1).start()
}
