//! Requests to pods, services and nodes through the API server.

use std::{convert::Infallible, net::IpAddr};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use k8s_client_integration_tests::{Test, TestResult, eventually, nodes, object, soon};
use k8s_client_test_harness::Node;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// A pod `web` on this node whose port `http` is served by a task of the test, and a service of it.
async fn served(node: &Node) -> TestResult<(Test, u16)> {
    let test = Test::namespace().await;
    let container = json!({ "name": "main", "image": "local", "command": ["sleep", "1000"] });
    let pod = json!({
        "metadata": { "name": "web", "labels": { "app": "web" } },
        "spec": { "terminationGracePeriodSeconds": 1, "containers": [container] },
    });
    test.run_pod(node, pod).await;
    let core = test.client.core_v1();
    let address = core.pods(&test.namespace).exec("web").command(["printenv", "POD_IP"]).output().await?;
    let address: IpAddr = String::from_utf8(address.stdout.to_vec())?.trim().parse()?;
    let listener = TcpListener::bind((address, 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(connection.with_upgrades());
        }
    });
    let ports = json!([{ "name": "http", "port": 80, "targetPort": port }]);
    let spec = json!({ "selector": { "app": "web" }, "ports": ports });
    core.services(&test.namespace).create(&object(json!({ "metadata": { "name": "web" }, "spec": spec }))).await?;
    Ok((test, port))
}

/// Answers by the path.
async fn answer(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::default());
    let path = request.uri().path().to_owned();
    match path.as_str() {
        "/missing" => *response.status_mut() = StatusCode::NOT_FOUND,
        "/broken" => {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().expect("a value"));
            *response.body_mut() = r#"{"error":"it broke"}"#.into();
        }
        "/status" => {
            *response.status_mut() = StatusCode::CONFLICT;
            response.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().expect("a value"));
            *response.body_mut() =
                r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Conflict","code":409}"#.into();
        }
        "/redirect" => {
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(header::LOCATION, "/elsewhere".parse().expect("a value"));
        }
        "/echo" => {
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            response.headers_mut().insert(header::CONNECTION, "Upgrade".parse().expect("a value"));
            response.headers_mut().insert(header::UPGRADE, request.headers()[header::UPGRADE].clone());
            tokio::spawn(async move {
                let mut stream = TokioIo::new(hyper::upgrade::on(&mut request).await.expect("it is upgraded"));
                let mut said = [0; 5];
                stream.read_exact(&mut said).await.expect("five bytes");
                stream.write_all(&said).await.expect("they are read");
                stream.shutdown().await.expect("it ends");
            });
        }
        _ => {
            let shown = [header::HOST.as_str(), "authorization", "x-forwarded-for", "x-own", "content-type"]
                .map(|name| format!("{name}={:?}", request.headers().get(name)));
            let head = format!("{} {} {}\n", request.method(), request.uri(), shown.join(" "));
            let body = request.into_body().collect().await.expect("it comes").to_bytes();
            *response.body_mut() = [head.as_bytes(), &body].concat().into();
        }
    }
    Ok(response)
}

#[tokio::test]
async fn proxies_carry_requests_to_pods_and_services() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let (test, port) = served(&node).await?;
        let core = test.client.core_v1();
        let (pods, services) = (core.pods(&test.namespace), core.services(&test.namespace));
        let body = soon("an answer", pods.proxy("web").port(port).into_future()).await?.bytes().await?;
        let page = String::from_utf8(body.to_vec())?;
        assert!(page.starts_with("GET / host="), "{page}");
        assert!(page.contains("authorization=None") && !page.contains("x-forwarded-for=None"), "{page}");

        eventually("the service has an endpoint", || async { services.proxy("web").port("http").await.ok() }).await;
        for service_port in ["http", "80"] {
            let request = services.proxy("web").port(service_port).method(Method::POST).path("a b/é").query("q", "x y");
            let request = request.header("X-Own", "mine").body("text/plain", "hello");
            let page = String::from_utf8(request.await?.bytes().await?.to_vec())?;
            assert!(
                page.starts_with("POST /a%20b/%C3%A9?q=x+y ") || page.starts_with("POST /a%20b/%C3%A9?q=x%20y "),
                "{page}"
            );
            assert!(page.contains(r#"x-own=Some("mine") content-type=Some("text/plain")"#), "{page}");
            assert!(page.ends_with("\nhello"), "{page}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn bad_answer_of_a_backend_is_no_error_of_the_api_server() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let (test, port) = served(&node).await?;
        let core = test.client.core_v1();
        let (pods, services) = (core.pods(&test.namespace), core.services(&test.namespace));
        let backend = |path: &str| pods.proxy("web").port(port).path(path);
        assert_eq!(backend("missing").await?.status_code(), StatusCode::NOT_FOUND);
        let broken = backend("broken").await?;
        assert_eq!(broken.status_code(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(broken.bytes().await?, r#"{"error":"it broke"}"#);
        let redirect = backend("redirect").await?;
        assert_eq!(redirect.status_code(), StatusCode::FOUND);
        let location = redirect.headers()[header::LOCATION].to_str()?.to_owned();
        assert!(location.ends_with(&format!("/pods/web:{port}/proxy/elsewhere")), "{location}");
        assert!(backend("status").await.expect_err("it is a Status").is_conflict());

        // What the server says itself is its error.
        let error = services.proxy("web").port("unknown").await.expect_err("there is no such port");
        assert!(error.is_service_unavailable(), "{error}");
        assert!(pods.proxy("nobody").await.expect_err("there is no such pod").is_not_found());
        let error = pods.proxy("web").port(1).await.expect_err("nobody listens");
        assert!(
            error.is_service_unavailable() && error.to_string().contains("error trying to reach service"),
            "{error}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn upgrade_goes_through_the_proxy() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let (test, port) = served(&node).await?;
        let pods = test.client.core_v1().pods(&test.namespace);
        let request = pods.proxy("web").port(port).path("echo").header("Upgrade", "echo");
        let mut connection = soon("the backend switches", request.upgrade()).await?;
        connection.write_all(b"hello").await?;
        let mut said = Vec::new();
        soon("the backend ends", connection.read_to_end(&mut said)).await?;
        assert_eq!(said, b"hello");
        let error = pods.proxy("web").port(port).path("missing").upgrade().await.expect_err("it does not switch");
        assert!(error.is_not_found(), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn upgrade_through_the_proxy_needs_the_verb_of_its_method() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let (test, port) = served(&nodes.spdy()).await?;
    for (verb, allowed, forbidden) in [("get", Method::GET, Method::POST), ("create", Method::POST, Method::GET)] {
        let pods = test.user(&["pods/proxy"], &[verb]).await.core_v1().pods(&test.namespace);
        let upgrade = |method: &Method| {
            let request = pods.proxy("web").port(port).path("echo").header("Upgrade", "echo");
            request.method(method.clone()).upgrade()
        };
        eventually("the role counts", || async { upgrade(&allowed).await.ok() }).await;
        let error = upgrade(&forbidden).await.expect_err("the verb is another one");
        assert!(error.is_forbidden(), "{forbidden}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn node_is_reached_by_its_kubelets_port() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let test = Test::namespace().await;
    for node in nodes.both() {
        let proxy = test.client.core_v1().nodes();
        assert_eq!(&*proxy.proxy(node.name()).path("healthz").await?.bytes().await?, b"ok");
    }
    Ok(())
}
