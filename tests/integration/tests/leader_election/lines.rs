//! A TCP line to the server that can be stalled.

use std::{
    future::pending,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use k8s_client::Config;
use k8s_client_integration_tests::TestResult;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Passes connections on to the server.
pub(super) struct Line {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    /// Connections up to this number get nothing through any more, and are not closed.
    stalled: watch::Sender<usize>,
}

impl Line {
    /// A line to the server of this configuration.
    pub(super) async fn start(config: &Config) -> TestResult<Self> {
        let server = config.server_url()?.authority().ok_or("a server")?.to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let accepted = Arc::new(AtomicUsize::new(0));
        let (stalled, is_stalled) = watch::channel(0);
        let count = accepted.clone();
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let (server, mut is_stalled) = (server.clone(), is_stalled.clone());
                tokio::spawn(async move {
                    let mut to = TcpStream::connect(server).await?;
                    tokio::select! {
                        copied = copy_bidirectional(&mut from, &mut to) => copied,
                        // Neither side is closed.
                        () = async { drop(is_stalled.wait_for(|last| *last >= number).await) } => pending().await,
                    }
                });
            }
        });
        Ok(Self { address, accepted, stalled })
    }

    /// The same configuration over this line.
    pub(super) fn config(&self, config: &Config) -> TestResult<Config> {
        let mut config = config.clone();
        config.server = format!("https://{}", self.address).parse()?;
        Ok(config)
    }

    /// How many connections there have been.
    pub(super) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// From now on nothing gets through the connections that there are.
    pub(super) fn stall(&self) {
        self.stalled.send_replace(self.accepted());
    }
}
