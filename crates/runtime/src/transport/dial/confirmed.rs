//! Whether the other end of a connection confirms what it is sent.
//!
//! A server that cannot hand on our input says nothing for hours and is alive: its system confirms what arrives, and
//! answers when it is asked for room. One that vanished confirms nothing. The system's limit for that, its user
//! timeout, ends the connections to both. So here the system is asked how often it has sent in vain, which Linux tells
//! of each connection. Other systems decide alone, after a quarter of an hour or so.
//!
//! It sends again after a fraction of a second at first. Where it has asked for room for long, it asks each two
//! minutes.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufRead as _, BufReader},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    task::{JoinHandle, spawn_blocking},
    time::{Instant, Sleep, sleep_until},
};

/// How often the system is asked, as long as nothing comes and something was sent.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long it may send in vain.
const PATIENCE: Duration = Duration::from_secs(35);

/// A connection that fails when the other end confirms nothing for long.
pub(super) struct Confirmed {
    io: TcpStream,
    ends: Option<(SocketAddr, SocketAddr)>,
    interval: Duration,
    patience: Duration,
    timer: Pin<Box<Sleep>>,
    /// Something was read since the timer was set.
    heard: bool,
    /// Something was written since something was read.
    written: bool,
    asking: Option<JoinHandle<Option<u32>>>,
    /// Since when the system is known to send in vain, and how often it has.
    in_vain: Option<(Instant, u32)>,
}

impl Confirmed {
    pub(super) fn new(io: TcpStream) -> Self {
        Self::within(io, INTERVAL, PATIENCE)
    }

    fn within(io: TcpStream, interval: Duration, patience: Duration) -> Self {
        Self {
            ends: io.local_addr().ok().zip(io.peer_addr().ok()),
            io,
            interval,
            patience,
            timer: Box::pin(sleep_until(Instant::now() + interval)),
            heard: false,
            written: false,
            asking: None,
            in_vain: None,
        }
    }

    /// Whether it may be waited for more. Wakes the task when that is to be found out again.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while self.timer.as_mut().poll(cx).is_ready() {
            self.timer.as_mut().reset(Instant::now() + self.interval);
            if std::mem::take(&mut self.heard) {
                self.in_vain = None;
            } else if let Some((local, peer)) = self.ends
                && self.written
                && self.asking.is_none()
            {
                self.asking = Some(spawn_blocking(move || sent_in_vain(local, peer)));
            }
        }
        let Some(asking) = &mut self.asking else { return Ok(()) };
        let Poll::Ready(times) = Pin::new(asking).poll(cx) else { return Ok(()) };
        self.asking = None;
        let now = Instant::now();
        self.in_vain = match (times.ok().flatten().filter(|times| *times > 0), self.in_vain) {
            (Some(times), Some((since, before))) if before <= times => Some((since, times)),
            (times, _) => times.map(|times| (now, times)),
        };
        match self.in_vain {
            Some((since, _)) if now.saturating_duration_since(since) >= self.patience => {
                let words = format!("the other side has confirmed nothing for {} s", (now - since).as_secs());
                Err(io::Error::new(io::ErrorKind::TimedOut, words))
            }
            _ => Ok(()),
        }
    }

    /// Takes note of a try to write.
    fn wrote<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match written {
            Poll::Pending => self.check(cx).map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending),
            ready @ Poll::Ready(_) => {
                self.written = true;
                ready
            }
        }
    }
}

impl AsyncRead for Confirmed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let ready @ Poll::Ready(_) = Pin::new(&mut this.io).poll_read(cx, buf) {
            (this.heard, this.written) = (true, false);
            return ready;
        }
        this.check(cx)?;
        Poll::Pending
    }
}

impl AsyncWrite for Confirmed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.wrote(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.wrote(cx, written)
    }
}

/// How often in a row the system has sent on a connection, or asked for room, and heard nothing. `None` if it does not
/// tell.
fn sent_in_vain(local: SocketAddr, peer: SocketAddr) -> Option<u32> {
    if cfg!(not(target_os = "linux")) {
        return None;
    }
    let table = if local.is_ipv4() { "/proc/self/net/tcp" } else { "/proc/self/net/tcp6" };
    let (local, peer) = (end(local), end(peer));
    BufReader::new(File::open(table).ok()?).lines().map_while(io::Result::ok).find_map(|line| {
        // A number, both ends, the state, the queues, the timer, how often it was sent again, the user, and how often
        // the other end was asked for room.
        let mut fields = line.split_ascii_whitespace().skip(1);
        (fields.next()? == local && fields.next()? == peer).then_some(())?;
        let sent = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
        let asked: u32 = fields.nth(1)?.parse().ok()?;
        Some(sent.max(asked))
    })
}

/// One end of a connection as the tables have it: four bytes each as one number, and the port.
fn end(address: SocketAddr) -> String {
    let octets = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let mut end = String::new();
    for number in octets.chunks(4).filter_map(|bytes| Some(u32::from_ne_bytes(bytes.try_into().ok()?))) {
        let _ = write!(end, "{number:08X}");
    }
    let _ = write!(end, ":{:04X}", address.port());
    end
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::Ipv6Addr;

    use socket2::{SockFilter, SockRef};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        time::timeout,
    };

    use super::*;

    const SHORT: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_secs(2);

    async fn pair(ip: IpAddr) -> (Confirmed, TcpStream) {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Confirmed::within(ours, SHORT, LONG), listener.accept().await.unwrap().0)
    }

    /// From now on nothing arrives there, not even for the system.
    fn black_hole(theirs: &TcpStream) {
        // Returns 0: no byte of a packet is kept.
        SockRef::from(theirs).attach_filter(&[SockFilter::new(6, 0, 0, 0)]).unwrap();
    }

    #[tokio::test]
    async fn peer_that_vanishes_with_bytes_on_their_way_is_found() {
        for ip in [IpAddr::from([127, 0, 0, 1]), Ipv6Addr::LOCALHOST.into()] {
            let (mut ours, theirs) = pair(ip).await;
            ours.write_all(b"confirmed").await.unwrap();
            black_hole(&theirs);
            ours.write_all(b"lost").await.unwrap();
            let started = Instant::now();
            let error = timeout(10 * LONG, ours.read_u8()).await.expect("it is found").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(error.to_string().contains("has confirmed nothing for 2 s"), "{error}");
            assert!(started.elapsed() >= LONG, "{:?}", started.elapsed());
        }
    }

    #[tokio::test]
    async fn peer_that_takes_nothing_is_no_such_peer_until_it_vanishes() {
        let (mut ours, theirs) = pair([127, 0, 0, 1].into()).await;
        let full = async {
            loop {
                ours.write_all(&vec![0; 1 << 16]).await.expect("it is there");
            }
        };
        assert!(timeout(2 * LONG, full).await.is_err(), "there is no end of room");
        assert!(timeout(2 * LONG, ours.read_u8()).await.is_err(), "it is there");
        black_hole(&theirs);
        let error = timeout(20 * LONG, ours.write_all(&vec![0; 1 << 20])).await.expect("it is found").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn silence_is_borne_where_all_is_confirmed() {
        let (mut ours, mut theirs) = pair([127, 0, 0, 1].into()).await;
        ours.write_all(b"confirmed").await.unwrap();
        assert!(timeout(2 * LONG, ours.read_u8()).await.is_err(), "it is there");
        theirs.write_all(b"x").await.unwrap();
        assert_eq!(ours.read_u8().await.unwrap(), b'x');
    }
}
