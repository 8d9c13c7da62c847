//! A kubelet as far as kube-apiserver asks it: a TLS server that writes logs.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::channel::Channel;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use k8s_client::Clientset;
use k8s_client_integration_tests::{object, unique};
use serde_json::json;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer},
};

use crate::pod;

/// A node of the test's own. Every request is answered with the log, for as long as that is open.
pub(crate) struct Kubelet {
    /// The node's name.
    pub(crate) node: String,
    requests: Arc<Mutex<Vec<String>>>,
    client: Clientset,
}

impl Kubelet {
    /// Starts to listen and registers the node. Each item of the log is sent on its own; it ends with its sender.
    pub(crate) async fn start(client: &Clientset, address: IpAddr, log: mpsc::UnboundedReceiver<Bytes>) -> Self {
        let listener = TcpListener::bind((address, 0)).await.expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        let kubelet = Self { node: unique("node"), requests: Arc::default(), client: client.clone() };
        tokio::spawn(serve(listener, kubelet.requests.clone(), Arc::new(tokio::sync::Mutex::new(log))));
        kubelet.register(address, port).await.expect("an administrator may register a node");
        kubelet
    }

    /// One that has this log at once, and no more.
    pub(crate) async fn with_log(client: &Clientset, address: IpAddr, log: &'static [u8]) -> Self {
        let (lines, receiver) = mpsc::unbounded_channel();
        lines.send(Bytes::from_static(log)).expect("the receiver is here");
        Self::start(client, address, receiver).await
    }

    async fn register(&self, address: IpAddr, port: u16) -> k8s_client::Result<()> {
        let nodes = self.client.core_v1().nodes();
        let mut node = nodes.create(&object(json!({ "metadata": { "name": self.node } }))).await?;
        node.metadata.resource_version = None;
        node.status = Some(object(json!({
            "addresses": [{ "type": "InternalIP", "address": address }],
            "daemonEndpoints": { "kubeletEndpoint": { "Port": port } },
        })));
        nodes.update_status(&node).await.map(drop)
    }

    /// Makes a pod of one container, `main`, on the node.
    pub(crate) async fn run(&self, namespace: &str, name: &str) -> k8s_client::Result<()> {
        let pods = self.client.core_v1().pods(namespace);
        pods.create(&pod(name)).await?;
        let target = json!({ "apiVersion": "v1", "kind": "Node", "name": self.node });
        pods.bind(name, &object(json!({ "metadata": { "name": name }, "target": target }))).await.map(drop)
    }

    /// Takes the pod and the node away: nobody else would confirm that they are gone.
    pub(crate) async fn stop(self, namespace: &str, pod: &str) -> k8s_client::Result<()> {
        self.client.core_v1().pods(namespace).delete(pod).grace_period_seconds(0).await?;
        self.client.core_v1().nodes().delete(&self.node).await.map(drop)
    }

    /// The paths and queries that were asked for so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panics with it").clone()
    }
}

pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An address of this machine that is not the loopback one, if it has a network.
pub(crate) fn outward_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // Nothing is sent: this only looks up the route.
    socket.connect(SocketAddr::from(([192, 0, 2, 1], 9))).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

type Log = Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Bytes>>>;

async fn serve(listener: TcpListener, requests: Arc<Mutex<Vec<String>>>, log: Log) {
    let acceptor = TlsAcceptor::from(Arc::new(tls()));
    while let Ok((connection, _)) = listener.accept().await {
        let (acceptor, requests, log) = (acceptor.clone(), requests.clone(), log.clone());
        tokio::spawn(async move {
            let Ok(connection) = acceptor.accept(connection).await else { return };
            let service = service_fn(move |request: Request<Incoming>| {
                let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
                requests.lock().expect("no test panics with it").push(path);
                std::future::ready(Ok::<_, Infallible>(Response::new(body(log.clone()))))
            });
            // What breaks a connection fails the test that reads from it.
            let _ =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

/// What is left of the log, as it comes.
fn body(log: Log) -> Channel<Bytes> {
    let (mut sender, body) = Channel::new(1);
    tokio::spawn(async move {
        while let Some(line) = log.lock().await.recv().await {
            if sender.send_data(line).await.is_err() {
                break;
            }
        }
    });
    body
}

/// kube-apiserver does not check a kubelet's certificate unless it is told by which CA.
fn tls() -> ServerConfig {
    let signed = rcgen::generate_simple_self_signed(["kubelet".to_owned()]).expect("the name is good");
    let key = PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der());
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key.into())
        .expect("key and certificate belong together")
}
