//! A local port that leads to one of a pod, and what is found out about pods.

use std::{
    io::ErrorKind as Io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use k8s_client_runtime::{ErrorKind, streams::PodPort};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use crate::{
    server::{Channels as _, Connection, SUCCESS, Server, http, refusal},
    spdy::{Spdy, Tunnel},
};

const SOON: Duration = Duration::from_secs(60);

const POD: &str = r#"{"metadata":{"name":"web","uid":"1"},"status":{"phase":"Running"}}"#;

/// Sends back what comes to port 80, and refuses all other ports.
fn echo(connection: Connection) {
    let mut spdy = Spdy::new(Tunnel::new(connection.websocket()));
    let port = loop {
        if let crate::spdy::Frame::Open(_, headers) = spdy.read() {
            break headers.into_iter().find(|(name, _)| name == "port").unwrap().1;
        }
    };
    if port == "80" {
        let input = spdy.input(3);
        spdy.data(3, &input, true);
    } else {
        spdy.data(1, b"connection refused", true);
        spdy.reset(3);
        spdy.reset(1);
    }
    let _ = spdy.read_end();
}

/// A server of a pod that is there as long as this says so.
fn server_of_pod() -> (Server, Arc<AtomicBool>) {
    let there = Arc::new(AtomicBool::new(true));
    let is_there = there.clone();
    let server = Server::start(move |connection| match (is_there.load(Ordering::SeqCst), connection.is_websocket()) {
        (true, true) => echo(connection),
        (true, false) => connection.answer(&http(200, POD)),
        (false, _) => connection.answer(&refusal(404, "NotFound", "pods \\\"web\\\" not found")),
    });
    (server, there)
}

async fn echoed(to: (IpAddr, u16)) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(b"hello").await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    timeout(SOON, stream.read_to_string(&mut answer)).await??;
    Ok(answer)
}

#[tokio::test]
async fn connections_to_all_addresses_reach_the_pod_until_it_is_dropped() {
    let (server, _) = server_of_pod();
    let forwarder = server.pods.port_forward("web").listen(80).await.unwrap();
    let port = forwarder.local_port();
    assert!(port > 0 && !forwarder.local_addrs().is_empty());
    for address in forwarder.local_addrs() {
        assert_eq!(address.port(), port);
        assert!(address.ip().is_loopback());
        assert_eq!(echoed((address.ip(), port)).await.unwrap(), "hello");
    }
    let address = forwarder.local_addrs()[0];
    let mut open = TcpStream::connect(address).await.unwrap();
    open.write_all(b"x").await.unwrap();
    drop(forwarder);
    assert!(timeout(SOON, open.read_to_end(&mut Vec::new())).await.is_ok(), "it closes");
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, refused).await.expect("the port is closed");
}

#[tokio::test]
async fn a_connection_that_fails_is_reset_and_hurts_no_other() {
    let (server, _) = server_of_pod();
    let mut forwarder = server.pods.port_forward("web").listen(81).await.unwrap();
    let address = forwarder.local_addrs()[0];
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let error = timeout(SOON, stream.read_u8()).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), Io::ConnectionReset, "{error}");
    }
    let listener = server.pods.port_forward("web").listen(80).await.unwrap();
    assert_eq!(echoed((listener.local_addrs()[0].ip(), listener.local_port())).await.unwrap(), "hello");
    assert!(timeout(Duration::from_millis(100), forwarder.ended()).await.is_err(), "the pod is there");
}

#[tokio::test]
async fn it_ends_with_the_pod() {
    let (server, there) = server_of_pod();
    let mut forwarder = server.pods.port_forward("web").listen(80).await.unwrap();
    let address = forwarder.local_addrs()[0];
    there.store(false, Ordering::SeqCst);
    // A connection that fails has it look at once.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.read_u8().await;
    let end = timeout(SOON, forwarder.ended()).await.expect("it ends");
    assert!(end.to_string().contains("the pod is gone"), "{end}");
    let closed = async {
        while TcpStream::connect(address).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, closed).await.expect("the port is closed");

    let error = server.pods.port_forward("web").listen(80).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[tokio::test]
async fn without_the_right_to_read_the_pod_it_goes_on() {
    let server = Server::start(|connection| {
        if connection.is_websocket() { echo(connection) } else { connection.answer(&refusal(403, "Forbidden", "no")) }
    });
    let forwarder = server.pods.port_forward("web").listen(80).await.unwrap();
    let address = forwarder.local_addrs()[0];
    assert_eq!(echoed((address.ip(), address.port())).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_that_names_it() {
    let (server, _) = server_of_pod();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let listen = server.pods.port_forward("web").listen(80).local_port(address.port());
    let error = listen.clone().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert!(error.to_string().contains(&format!("cannot listen on {address}")), "{error}");
    assert!(listen.addresses([]).await.is_err());
}

#[tokio::test]
async fn addresses_that_are_asked_for_are_all_listened_on_or_none() {
    let (server, _) = server_of_pod();
    let listen = server.pods.port_forward("web").listen(80);
    // An address of documentation, which no machine has.
    let [own, absent]: [IpAddr; 2] = [[127, 0, 0, 1].into(), [192, 0, 2, 1].into()];
    let error = listen.clone().addresses([own, absent]).await.unwrap_err();
    assert!(error.to_string().contains("cannot listen on 192.0.2.1:"), "{error}");
    let forwarder = listen.addresses([own]).await.unwrap();
    assert_eq!(forwarder.local_addrs(), [(own, forwarder.local_port()).into()]);
}

#[tokio::test]
async fn connections_are_accepted_while_the_pod_is_looked_at() {
    let looks = AtomicUsize::new(0);
    let server = Server::start(move |connection| match connection.is_websocket() {
        true => echo(connection),
        false if looks.fetch_add(1, Ordering::SeqCst) == 0 => connection.answer(&http(200, POD)),
        // The server takes its time: longer than anybody here waits.
        false => std::thread::sleep(2 * SOON),
    });
    let refused = server.pods.port_forward("web").listen(81).await.unwrap();
    let address = refused.local_addrs()[0];
    for _ in 0..3 {
        // What fails has it look.
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert!(timeout(SOON, stream.read_u8()).await.expect("it is accepted").is_err());
    }
}

#[tokio::test]
async fn default_container_is_what_kubectl_takes() {
    for (pod, expected) in [
        (r#"{"metadata":{"name":"web"},"spec":{"containers":[{"name":"a"},{"name":"b"}]}}"#, "a"),
        (
            r#"{"metadata":{"annotations":{"kubectl.kubernetes.io/default-container":"b"}},
                "spec":{"containers":[{"name":"a"},{"name":"b"}]}}"#,
            "b",
        ),
    ] {
        let server = Server::start(move |connection| {
            if connection.is_websocket() {
                connection.websocket().end(SUCCESS);
            } else {
                assert!(connection.head.starts_with("GET /api/v1/namespaces/ns/pods/web HTTP/1.1\r\n"));
                connection.answer(&http(200, pod));
            }
        });
        let exec = server.pods.exec("web").command(["true"]).default_container();
        assert!(exec.status().await.unwrap().success());
        assert!(server.heads()[1].contains(&format!("container={expected}&")), "{}", server.heads()[1]);
    }
}

#[tokio::test]
async fn port_of_a_service_is_one_of_a_pod_behind_it() {
    let service = |more: &str| {
        format!(
            r#"{{"spec":{{{more}"selector":{{"app":"web","tier":"front"}},"ports":[
            {{"port":80,"targetPort":8080,"name":"plain","protocol":"TCP"}},{{"port":443,"name":"secure","targetPort":"tls"}},
            {{"port":90}},{{"port":53,"name":"dns","protocol":"UDP"}},{{"port":54,"name":"both","protocol":"UDP"}},
            {{"port":54,"name":"too","protocol":"TCP"}}]}}}}"#
        )
    };
    let pods = r#"{"items":[
        {"metadata":{"name":"ended"},"status":{"phase":"Succeeded"}},
        {"metadata":{"name":"slow"},"status":{"phase":"Running","conditions":[{"type":"Ready","status":"False"}]}},
        {"metadata":{"name":"good"},"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]},
         "spec":{"containers":[{"name":"c","ports":[{"name":"tls","containerPort":443,"protocol":"UDP"},
            {"name":"tls","containerPort":8443}]}]}}]}"#;
    for (service, port, expected) in [
        (service(""), "80", Ok(8080)),
        (service(""), "plain", Ok(8080)),
        (service(""), "443", Ok(8443)),
        (service(""), "90", Ok(90)),
        (service(r#""clusterIP":"None","#), "80", Ok(80)),
        (service(""), "54", Ok(54)),
        (service(""), "53", Err("port \"53\" of the service is UDP, and only TCP can be forwarded")),
        (service(""), "dns", Err("is UDP")),
        (service(""), "81", Err("it has 80 plain, 443 secure, 90, 53 dns")),
        (r#"{"spec":{"ports":[{"port":80}]}}"#.to_owned(), "80", Err("no selector")),
    ] {
        let server = Server::start(move |connection| {
            let body = if connection.head.contains("/services/web") { &service } else { pods };
            connection.answer(&http(200, body));
        });
        let found = k8s_client_runtime::streams::pod_of_service(&server.client, "ns", "web", port).await;
        match expected {
            Ok(port) => {
                assert_eq!(found.unwrap(), PodPort { pod: "good".to_owned(), port });
                assert!(server.heads()[1].contains("labelSelector=app%3Dweb%2Ctier%3Dfront"), "{}", server.heads()[1]);
            }
            Err(words) => {
                let error = found.unwrap_err();
                assert!(error.to_string().contains(words), "{error}");
            }
        }
    }
}
