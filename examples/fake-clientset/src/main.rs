//! Tests a program on a fake server, as client-go's example `fake-clientset` does: an informer sees a pod that is
//! created, though there is no cluster.
//!
//! ```console
//! cargo run -p fake-clientset
//! cargo test -p fake-clientset
//! ```

use std::{error::Error, time::Duration};

use k8s_client::{
    Clientset,
    informer::{Event, Informer},
    k8s_openapi::api::core::v1::{Container, Pod, PodSpec},
};
use k8s_client_fake::FakeServer;
use tokio::time::timeout;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = server()?;
    let seen = sees_a_pod(&server, "my-pod").await?;
    println!("the informer has seen {seen}");

    // What the program has asked, and what it has written.
    for request in server.requests() {
        println!("  {request}");
    }
    println!("it has written: {:?}", server.writes());
    Ok(())
}

/// A server with the namespace that the program works in.
fn server() -> Result<FakeServer, Box<dyn Error>> {
    let server = FakeServer::new();
    server.add_yaml("{apiVersion: v1, kind: Namespace, metadata: {name: test-ns}}")?;
    Ok(server)
}

/// Starts an informer, creates a pod, and waits until the informer has seen it. This is the program that is tested: it
/// knows nothing of the fake server but its client.
async fn sees_a_pod(server: &FakeServer, name: &str) -> Result<String, Box<dyn Error>> {
    let client = Clientset::from(server.client()?);
    let pods = client.core_v1().pods("test-ns");
    let informer = Informer::of(pods.clone()).start();
    let mut changes = informer.subscribe();
    informer.synced().await?;

    // A pod without a container is refused, as a real server does.
    let container = Container { name: "web".to_owned(), image: Some("nginx".to_owned()), ..Container::default() };
    let mut pod = Pod::default();
    pod.metadata.name = Some(name.to_owned());
    pod.spec = Some(PodSpec { containers: vec![container], ..PodSpec::default() });
    pods.create(&pod).await?;
    let added = async {
        while let Some(event) = changes.next().await {
            if let Event::Added(pod) = event {
                return pod.metadata.name.clone();
            }
        }
        None
    };
    Ok(timeout(Duration::from_secs(10), added).await?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use k8s_client_fake::{Fault, RequestFilter};

    use super::*;

    #[tokio::test]
    async fn informer_sees_the_pod_that_is_created() {
        let server = server().unwrap();
        assert_eq!(sees_a_pod(&server, "my-pod").await.unwrap(), "my-pod");
        assert_eq!(server.writes(), ["create pods test-ns/my-pod"]);
    }

    #[tokio::test(start_paused = true)]
    async fn informer_sees_it_even_if_its_watch_breaks() {
        let server = server().unwrap();
        server.inject(RequestFilter::verb("watch").first(2), Fault::CutWatch(Duration::ZERO));
        assert_eq!(sees_a_pod(&server, "my-pod").await.unwrap(), "my-pod");
    }

    #[tokio::test]
    async fn refusal_is_reported() {
        let server = server().unwrap();
        server.inject(
            RequestFilter::verb("create").resource("", "pods"),
            Fault::refuse(403, "Forbidden", "no pods here"),
        );
        let error = sees_a_pod(&server, "my-pod").await.unwrap_err();
        assert!(error.to_string().contains("no pods here"), "{error}");
    }
}
