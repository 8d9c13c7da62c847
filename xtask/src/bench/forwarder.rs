//! Stands between a program and the API server: counts the bytes, encrypted as they are, and makes the way as long as
//! wanted.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
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
    /// Starts forwarding to the server, over a way on which everything takes so long in each direction.
    pub(super) fn start(server: SocketAddr, delay: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let forwarder = Self { address: listener.local_addr()?, counts: Arc::default() };
        let counts = Arc::clone(&forwarder.counts);
        thread::spawn(move || {
            for client in listener.incoming() {
                if let Err(error) = client.and_then(|client| forward(client, server, delay, &counts)) {
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

/// Forwards one connection, in threads that end with it.
fn forward(client: TcpStream, server: SocketAddr, delay: Duration, counts: &Arc<Counts>) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    // Small frames must not wait for one another here, as they do not without a forwarder.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, from_server) = (client.try_clone()?, server.try_clone()?);
    let upwards = Arc::clone(counts);
    let downwards = Arc::clone(counts);
    thread::spawn(move || copy(from_client, server, delay, &upwards.to_server));
    thread::spawn(move || copy(from_server, client, delay, &downwards.to_client));
    Ok(())
}

/// Copies until one side has had enough; a connection that breaks is the peers' business.
fn copy(from: TcpStream, mut to: TcpStream, delay: Duration, count: &AtomicU64) {
    if delay.is_zero() {
        receive(from, count, |bytes| to.write_all(bytes));
    } else {
        // What is under way is without limit: it is the peers' windows that are to be seen.
        let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
        let mut late = to.try_clone();
        let sending = thread::spawn(move || {
            let Ok(to) = &mut late else { return };
            for (arrival, bytes) in receiver {
                thread::sleep(arrival.saturating_duration_since(Instant::now()));
                if to.write_all(&bytes).is_err() {
                    return;
                }
            }
        });
        receive(from, count, |bytes| {
            let sent = sender.send((Instant::now() + delay, bytes.to_vec()));
            sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
        });
        drop(sender);
        // It ends when all has arrived.
        let _ = sending.join();
    }
    // Fails where the other direction has done so.
    let _ = to.shutdown(Shutdown::Write);
}

/// Hands over what arrives until it ends or is not wanted.
fn receive(mut from: TcpStream, count: &AtomicU64, mut hand_over: impl FnMut(&[u8]) -> io::Result<()>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length) = from.read(&mut buffer)
        && length > 0
    {
        // Before it is written: who reads the count has seen what came of these bytes.
        count.fetch_add(u64::try_from(length).unwrap_or(u64::MAX), Ordering::Relaxed);
        if hand_over(&buffer[..length]).is_err() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks a server through a forwarder, and says how long that took.
    fn ask(delay: Duration) -> io::Result<Duration> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let forwarder = Forwarder::start(listener.local_addr()?, delay)?;
        let server = thread::spawn(move || {
            let (mut connection, _) = listener.accept()?;
            let mut question = Vec::new();
            connection.read_to_end(&mut question)?;
            connection.write_all(b"an answer")?;
            io::Result::Ok(question)
        });

        let started = Instant::now();
        let mut client = TcpStream::connect(forwarder.address())?;
        client.write_all(b"ask")?;
        client.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        client.read_to_string(&mut answer)?;

        assert_eq!(answer, "an answer");
        assert_eq!(server.join().map_err(|_| io::Error::other("the server panicked"))??, b"ask");
        assert_eq!(forwarder.take(), (3, 9));
        assert_eq!(forwarder.take(), (0, 0));
        Ok(started.elapsed())
    }

    #[test]
    fn bytes_are_passed_on_and_counted() -> io::Result<()> {
        ask(Duration::ZERO).map(drop)
    }

    #[test]
    fn bytes_take_as_long_as_the_way_is() -> io::Result<()> {
        assert!(ask(Duration::from_millis(50))? >= Duration::from_millis(100));
        Ok(())
    }
}
