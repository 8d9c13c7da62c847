//! Has a local port lead to a pod's, as `kubectl port-forward` does; or asks a pod for a page, without a local port.
//!
//! ```console
//! cargo run -p port-forward -- [--kubeconfig FILE] [--namespace NAME] --port 80 [--local-port 8080] POD
//! cargo run -p port-forward -- --port 80 --selector app=demo --get /
//! cargo run -p port-forward -- --port http --service web --get /
//! ```

use std::path::PathBuf;

use bytes::Bytes;
use clap::Parser;
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use k8s_client::{
    Clientset, Config, WaitFor as _,
    resource::PortForward,
    streams::{PodPort, pod_of_service},
    wait::conditions::pod_running,
};
use tokio::signal::ctrl_c;

#[derive(Parser)]
struct Arguments {
    /// The kubeconfig file. Default: $KUBECONFIG, ~/.kube/config, then the cluster that this runs in.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// The namespace of the pod.
    #[arg(long, default_value = "default")]
    namespace: String,
    /// The port of the pod, or of the service by number or name.
    #[arg(long)]
    port: String,
    /// The local port. Default: any that is free.
    #[arg(long, default_value = "0")]
    local_port: u16,
    /// Asks for this path by HTTP, shows the answer and ends.
    #[arg(long)]
    get: Option<String>,
    /// Takes the first pod with these labels.
    #[arg(long, group = "target")]
    selector: Option<String>,
    /// Takes a pod behind this service.
    #[arg(long, group = "target")]
    service: Option<String>,
    /// The pod.
    #[arg(group = "target", required_unless_present = "target")]
    pod: Option<String>,
}

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    // Connections that fail are warnings.
    tracing_subscriber::fmt().init();
    let Arguments { kubeconfig, namespace, port, local_port, get, selector, service, pod } = Arguments::parse();
    let config = match &kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let client = Clientset::new(&config)?;
    let pods = client.core_v1().pods(&namespace);
    let PodPort { pod, port } = match (pod, service, selector) {
        (Some(pod), _, _) => PodPort { pod, port: port.parse()? },
        (None, Some(service), _) => pod_of_service(client.rest_client(), &namespace, &service, &port).await?,
        (None, None, selector) => {
            let found = pods.list().label_selector(selector.unwrap_or_default()).await?.items.into_iter().next();
            let pod = found.and_then(|pod| pod.metadata.name).ok_or("there is no pod with these labels")?;
            PodPort { pod, port: port.parse()? }
        }
    };
    pods.wait_for(&pod, pod_running).await?;

    let forward = pods.port_forward(&pod);
    if let Some(path) = get {
        return page(&forward, port, &path).await;
    }
    let mut forwarder = forward.listen(port).local_port(local_port).await?;
    for address in forwarder.local_addrs() {
        println!("forwarding {address} to port {port} of pod {pod}");
    }
    tokio::select! {
        end = forwarder.ended() => Err(end.into()),
        _ = ctrl_c() => Ok(()),
    }
}

/// A forwarded connection is a stream of bytes like any other, so hyper speaks HTTP over it.
async fn page(forward: &PortForward, port: u16, path: &str) -> Result<(), Error> {
    let (mut http, connection) = http1::handshake(TokioIo::new(forward.connect(port).await?)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path).header("host", "pod").body(Empty::<Bytes>::new())?;
    let answer = http.send_request(request).await?;
    println!("{}", answer.status());
    let body = answer.into_body().collect().await?.to_bytes();
    print!("{}", String::from_utf8_lossy(&body));
    drop(http);
    Ok(connection.await??)
}
