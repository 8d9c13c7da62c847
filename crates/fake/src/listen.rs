//! The server on a port of the loopback interface, for other programs.

use std::{io, net::SocketAddr, time::Duration};

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::sleep,
};
use tower_service::Service as _;

use crate::server::FakeServer;

/// How long nothing is accepted after that has failed, as it does when the process has no file descriptors left.
const PAUSE: Duration = Duration::from_millis(50);

/// A [`FakeServer`] that listens on a port of the loopback interface. Dropping this closes the port and all connections
/// to it.
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
        let task = tokio::spawn(self.clone().accept(listener));
        Ok(Listener { address, task })
    }

    /// Serves whoever connects, until this future is dropped.
    async fn accept(self, listener: TcpListener) {
        // Dropping it ends them.
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((connection, _)) => {
                        connections.spawn(self.clone().serve(connection));
                    }
                    Err(_) => sleep(PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn serve(self, connection: TcpStream) {
        let service = hyper::service::service_fn(move |request| self.clone().call(request));
        let connection =
            http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(connection), service);
        // Clients come and go: a connection that breaks is not a failure of the server.
        let _ = connection.await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        time::timeout,
    };

    use super::*;

    #[tokio::test]
    async fn dropping_the_listener_closes_its_connections() {
        let listener = FakeServer::new().listen().await.unwrap();
        let mut client = TcpStream::connect(listener.address()).await.unwrap();
        client.write_all(b"GET /healthz HTTP/1.1\r\nHost: fake\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");

        drop(listener);
        let mut rest = Vec::new();
        timeout(Duration::from_secs(10), client.read_to_end(&mut rest))
            .await
            .expect("the connection is closed")
            .unwrap();
        assert!(rest.ends_with(b"ok"));
    }
}
