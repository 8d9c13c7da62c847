//! Counts the bytes between a program and the API server, encrypted as they are, by standing in between.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// Forwards connections on the loopback address until this process ends.
#[derive(Debug)]
pub(super) struct Forwarder {
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    to_server: AtomicU64,
    to_client: AtomicU64,
}

impl Forwarder {
    /// Starts forwarding to the server.
    pub(super) fn start(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let forwarder = Self { address: listener.local_addr()?, counts: Arc::default() };
        let counts = Arc::clone(&forwarder.counts);
        thread::spawn(move || {
            for client in listener.incoming() {
                if let Err(error) = client.and_then(|client| forward(client, server, &counts)) {
                    eprintln!("the counting forwarder: {error}");
                }
            }
        });
        Ok(forwarder)
    }

    /// Where programs are to connect to.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The bytes that went to the server and to the client since the last call.
    pub(super) fn take(&self) -> (u64, u64) {
        let taken = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        (taken(&self.counts.to_server), taken(&self.counts.to_client))
    }
}

/// Forwards one connection, in two threads that end with it.
fn forward(client: TcpStream, server: SocketAddr, counts: &Arc<Counts>) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    // Small frames must not wait for one another here, as they do not without a forwarder.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, from_server) = (client.try_clone()?, server.try_clone()?);
    let upwards = Arc::clone(counts);
    let downwards = Arc::clone(counts);
    thread::spawn(move || copy(from_client, server, &upwards.to_server));
    thread::spawn(move || copy(from_server, client, &downwards.to_client));
    Ok(())
}

/// Copies until one side has had enough; a connection that breaks is the peers' business.
fn copy(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = from.read(&mut buffer)
        && length > 0
    {
        // Before it is written: who reads the count has seen what came of these bytes.
        count.fetch_add(u64::try_from(length).unwrap_or(u64::MAX), Ordering::Relaxed);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // Fails where the other direction has done so.
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_passed_on_and_counted() -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let forwarder = Forwarder::start(listener.local_addr()?)?;
        let server = thread::spawn(move || {
            let (mut connection, _) = listener.accept()?;
            let mut question = Vec::new();
            connection.read_to_end(&mut question)?;
            connection.write_all(b"an answer")?;
            io::Result::Ok(question)
        });

        let mut client = TcpStream::connect(forwarder.address())?;
        client.write_all(b"ask")?;
        client.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        client.read_to_string(&mut answer)?;

        assert_eq!(answer, "an answer");
        assert_eq!(server.join().map_err(|_| io::Error::other("the server panicked"))??, b"ask");
        assert_eq!(forwarder.take(), (3, 9));
        assert_eq!(forwarder.take(), (0, 0));
        Ok(())
    }
}
