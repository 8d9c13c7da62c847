//! Answers of those behind a proxy of the API server.

use http::Method;
use k8s_client_runtime::{
    ErrorKind, RestClient,
    resource::{Cluster, Namespaced, ProxyRequest, ResourceClient},
};
use k8s_openapi::api::core::v1::{Node, Pod, Service};

use crate::support::{Answer, JSON, Server};

fn pods(client: &RestClient) -> ResourceClient<Pod, Namespaced> {
    ResourceClient::<Pod>::namespaced(client, "ns")
}

fn services(client: &RestClient) -> ResourceClient<Service, Namespaced> {
    ResourceClient::<Service>::namespaced(client, "ns")
}

fn nodes(client: &RestClient) -> ResourceClient<Node, Cluster> {
    ResourceClient::<Node>::cluster(client)
}

#[tokio::test]
async fn bad_answer_of_a_target_is_its_answer() {
    for (status, headers, body) in [
        ("404 Not Found", "Content-Type: text/plain\r\n", "no such page"),
        ("404 Not Found", "", ""),
        ("500 Internal Server Error", JSON, r#"{"error":"it broke"}"#),
        ("502 Bad Gateway", JSON, r#"{"kind":"Pod","apiVersion":"v1"}"#),
        ("400 Bad Request", JSON, "{"),
        ("418 I'm a teapot", "Content-Type: application/grpc\r\n", "\u{1}\u{2}"),
        ("302 Found", "Location: /login\r\nContent-Type: text/html\r\n", "<a href=\"/login\">"),
    ] {
        let server = Server::answering(status, headers, body).await;
        let answer = pods(&server.client()).proxy("web").await.expect(status);
        assert_eq!(answer.status_code().to_string(), status);
        assert_eq!(answer.headers().contains_key("location"), status.starts_with("302"), "{status}");
        assert_eq!(answer.bytes().await.expect(status), body.as_bytes());
    }
}

#[tokio::test]
async fn status_is_the_servers_error() {
    let status = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"ServiceUnavailable",
        "message":"error trying to reach service: dial tcp 10.1.2.3:80: connect: connection refused","code":503}"#;
    let server = Server::answering("503 Service Unavailable", JSON, status).await;
    let error = services(&server.client()).proxy("web").await.expect_err("nobody was reached");
    assert!(error.is_service_unavailable() && error.to_string().contains("error trying to reach service"), "{error}");
}

#[tokio::test]
async fn bad_answer_that_is_large_or_breaks_off_is_what_came_of_it() {
    let large = format!(r#"{{"kind":"Status","message":"{}"}}"#, "x".repeat(2 << 20));
    let server = Server::answering("500 Internal Server Error", JSON, &large).await;
    let answer = pods(&server.client()).proxy("web").await.expect("an answer");
    assert!(answer.bytes().await.expect("all of it") == large, "the body is another");

    let head =
        "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\"";
    let server = Server::start(vec![Answer::Close(head.into())]).await;
    let mut body = pods(&server.client()).proxy("web").await.expect("an answer").into_body();
    assert_eq!(body.chunk().await.expect("what came").expect("no error yet"), &b"{\"a\""[..]);
    let error = body.chunk().await.expect("the end is an error").expect_err("it broke off");
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
}

#[tokio::test]
async fn path_of_a_target_always_begins_with_a_slash() {
    let server = Server::answering("200 OK", "", "").await;
    let client = server.client();
    let pods = || pods(&client).proxy("web");
    let services = || services(&client).proxy("web");
    for (request, expected) in [
        (pods(), "pods/web/proxy/"),
        (pods().path("/"), "pods/web/proxy/"),
        (pods().path("healthz"), "pods/web/proxy/healthz"),
        (pods().path("/a b/é?x#y/"), "pods/web/proxy/a%20b/%C3%A9%3Fx%23y/"),
        (pods().port(8080).query("q", "1"), "pods/web:8080/proxy/?q=1"),
        (pods().scheme("https"), "pods/https:web:/proxy/"),
        (services().scheme("https").port("metrics").path("x"), "services/https:web:metrics/proxy/x"),
        (nodes(&client).proxy("node-1").port(9100), "nodes/node-1:9100/proxy/"),
    ] {
        let url = request.into_request().path_and_query();
        assert!(url.ends_with(expected), "{url} is not …/{expected}");
    }
}

#[tokio::test]
async fn what_a_server_would_not_find_is_refused() {
    let server = Server::answering("200 OK", "", "").await;
    let client = server.client();
    let refused: [(ProxyRequest, &str); 5] = [
        (pods(&client).proxy("web").port("http"), "invalid port \"http\": the proxy of pods takes a number"),
        (nodes(&client).proxy("n").port("70000"), "invalid port \"70000\": the proxy of nodes takes a number"),
        (services(&client).proxy("web").scheme("ftp"), "invalid scheme \"ftp\": a proxy speaks http or https"),
        (pods(&client).proxy("web").path("../../secrets"), "may not contain '.' or '..' as a segment"),
        (pods(&client).proxy("a/b"), "may not contain '/'"),
    ];
    for (request, problem) in refused {
        let error = request.await.expect_err(problem);
        assert!(error.kind() == ErrorKind::Request && error.to_string().contains(problem), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn method_body_and_headers_reach_the_target() {
    let server = Server::answering("201 Created", "", "").await;
    let request = services(&server.client()).proxy("web").method(Method::POST).body("text/plain", "hello");
    request.header("X-Own", "yes").header("Accept", "text/csv").await.expect("an answer");
    let request = server.requests().remove(0).to_lowercase();
    assert!(request.starts_with("post /api/v1/namespaces/ns/services/web/proxy/ http/1.1\r\n"), "{request}");
    for part in ["x-own: yes\r\n", "accept: text/csv\r\n", "content-type: text/plain\r\n", "\r\n\r\nhello"] {
        assert!(request.contains(part), "{part} is missing in {request}");
    }
}

#[tokio::test]
async fn target_switches_the_connection_to_another_protocol_or_says_why_not() {
    let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let server = Server::start(vec![Answer::Close(head.into())]).await;
    let upgraded = pods(&server.client()).proxy("web").port(80).path("events").upgrade().await.expect("a connection");
    assert_eq!(upgraded.headers()["upgrade"], "websocket");
    let request = server.requests().remove(0).to_lowercase();
    assert!(request.starts_with("get /api/v1/namespaces/ns/pods/web:80/proxy/events http/1.1\r\n"), "{request}");
    assert!(request.contains("upgrade: websocket\r\n"), "{request}");

    let server = Server::answering("404 Not Found", "Content-Type: text/plain\r\n", "no events here").await;
    let error = pods(&server.client()).proxy("web").upgrade().await.expect_err("it does not switch");
    assert!(error.is_not_found() && error.to_string().ends_with("the requested resource: no events here"), "{error}");
}
