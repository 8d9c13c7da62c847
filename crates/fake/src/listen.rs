//! The server on a port of the loopback interface, for other programs.

use std::{io, net::SocketAddr};

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, task::JoinHandle};
use tower_service::Service as _;

use crate::server::FakeServer;

/// A [`FakeServer`] that listens on a port of the loopback interface until this is dropped.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let server = k8s_client_fake::FakeServer::new();
/// let listener = server.listen().await?;
/// std::fs::write("/tmp/fake.kubeconfig", listener.kubeconfig())?;
/// // kubectl --kubeconfig /tmp/fake.kubeconfig get namespaces
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listener {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as clients have it: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A kubeconfig of one context, `fake`.
    pub fn kubeconfig(&self) -> String {
        let url = self.url();
        format!(
            "apiVersion: v1
kind: Config
clusters:
- name: fake
  cluster:
    server: {url}
users:
- name: fake
contexts:
- name: fake
  context: {{ cluster: fake, user: fake }}
current-context: fake
"
        )
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FakeServer {
    /// Listens on a port of the loopback interface that is free.
    ///
    /// Whoever reaches the port can do everything: there is no authentication.
    ///
    /// # Errors
    ///
    /// When there is no port, and outside of a runtime of tokio.
    pub async fn listen(&self) -> io::Result<Listener> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let server = self.clone();
        let task = tokio::spawn(async move {
            loop {
                let Ok((connection, _)) = listener.accept().await else { continue };
                let server = server.clone();
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(move |request| server.clone().call(request));
                    let connection = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .serve_connection(TokioIo::new(connection), service);
                    // A client that goes away is no news.
                    let _ = connection.await;
                });
            }
        });
        Ok(Listener { address, task })
    }
}
