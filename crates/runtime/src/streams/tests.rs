//! What the task of a connection concludes from silence. Time is paused, and passes when all tasks wait.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    time::{Instant, sleep, timeout},
};

use super::{
    TerminalSize,
    driver::{Driver, Purpose, READ},
    handles::ReadHalf,
    state::{End, MAX_WAITING, Shared},
    wire::{Channel, Streams, Writer},
};
use crate::machine::Process;

const MINUTE: Duration = Duration::from_secs(60);

/// Longer than any silence is borne: pings are ten seconds apart, and 35 seconds is the patience.
const FOUND: Duration = Duration::from_secs(46);

/// The server's end of a connection that holds this many bytes, and ours.
fn connection(writer: Writer, held: usize, buffer: usize) -> (DuplexStream, Arc<Shared>, ReadHalf) {
    let (io, server) = tokio::io::duplex(held);
    let shared = Shared::new(writer, buffer, BytesMut::new());
    Driver::spawn(Box::new(io), shared.clone(), Purpose::Process);
    let stdout = ReadHalf::new(&shared, Channel::Stdout);
    (server, shared, stdout)
}

fn spdy() -> Writer {
    Writer::Spdy(Streams::default().with(Channel::Error, 1).with(Channel::Stdin, 3).with(Channel::Stdout, 5))
}

/// When the connection was given up, if it was.
async fn given_up(shared: &Shared, within: Duration) -> Option<Duration> {
    let begun = Instant::now();
    let end = std::future::poll_fn(|context| shared.poll_end(context));
    timeout(within, end).await.ok()?;
    let end = shared.lock().end.clone();
    let Some(End::Lost(failure)) = end else { panic!("{end:?}") };
    assert_eq!(failure.kind, io::ErrorKind::TimedOut, "{failure:?}");
    assert!(failure.words.contains("answers no ping") && failure.words.contains("may still run"), "{failure:?}");
    Some(begun.elapsed())
}

async fn write(shared: &Shared, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let written = std::future::poll_fn(|context| shared.poll_write(context, rest)).await.unwrap();
        rest = &rest[written..];
    }
}

/// How many bytes of input the client of a WebSocket sends until the connection ends. Its pings are answered.
async fn answer_pings(server: DuplexStream) -> usize {
    messages(server, 0).await.iter().map(Vec::len).sum()
}

/// What the client of a WebSocket sends on a channel until the connection ends. Its pings are answered.
async fn messages(mut server: DuplexStream, channel: u8) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let mut head = [0; 2];
    while server.read_exact(&mut head).await.is_ok() {
        let length = match head[1] & 0x7f {
            126 => usize::from(server.read_u16().await.unwrap()),
            length => usize::from(length),
        };
        let mask = server.read_u32().await.unwrap().to_be_bytes();
        let mut payload = vec![0; length];
        server.read_exact(&mut payload).await.unwrap();
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        if head[0] == 0x89 {
            server.write_all(&[&[0x8a, 4], &payload[..]].concat()).await.unwrap();
        } else if head[0] == 0x82 && payload[0] == channel {
            messages.push(payload[1..].to_vec());
        }
    }
    messages
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_vanished_is_found() {
    for writer in [Writer::WebSocket, spdy()] {
        let (_server, shared, _stdout) = connection(writer, 1 << 20, 1 << 20);
        // As whoever waits for a process does.
        shared.end_input();
        let after = given_up(&shared, MINUTE).await.expect("it is found");
        assert!(after <= FOUND, "{writer:?}: {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_process_lives_as_long_as_pings_are_answered() {
    let (server, shared, stdout) = connection(Writer::WebSocket, 1 << 20, 1 << 20);
    let server = tokio::spawn(answer_pings(server));
    assert_eq!(given_up(&shared, 600 * MINUTE).await, None);
    // What was written has arrived when a later ping is answered, and a peer that vanishes then is found.
    write(&shared, &[1; 100]).await;
    assert_eq!(given_up(&shared, MINUTE).await, None);
    shared.wish(super::state::Wish::Leave);
    drop(stdout);
    assert_eq!(server.await.unwrap(), 100);
}

#[tokio::test(start_paused = true)]
async fn any_byte_is_a_sign_of_life() {
    let (mut server, shared, _stdout) = connection(Writer::WebSocket, 1 << 20, 1 << 20);
    tokio::spawn(async move {
        for _ in 0..40 {
            sleep(Duration::from_secs(30)).await;
            server.write_all(&[0x82, 1, 1]).await.unwrap();
        }
        sleep(600 * MINUTE).await;
    });
    let after = given_up(&shared, 600 * MINUTE).await.expect("it is found in the end");
    assert!(after > 20 * MINUTE && after < 20 * MINUTE + FOUND, "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn input_that_nobody_reads_is_no_sign_of_death() {
    // As much as fits on the way, and more than that.
    for (writer, input) in [(Writer::WebSocket, 100), (Writer::WebSocket, 1 << 20), (spdy(), 1 << 20)] {
        let (mut server, shared, _stdout) = connection(writer, 64 << 10, 1 << 20);
        let writing = tokio::spawn({
            let shared = shared.clone();
            async move { write(&shared, &vec![7; input]).await }
        });
        assert_eq!(given_up(&shared, 600 * MINUTE).await, None);
        let reading = tokio::spawn(async move {
            if let Writer::WebSocket = writer {
                return answer_pings(server).await;
            }
            let mut all = Vec::new();
            let _ = server.read_to_end(&mut all).await;
            all.into_iter().map(|byte| usize::from(byte == 7)).sum()
        });
        writing.await.unwrap();
        sleep(Duration::from_secs(20)).await;
        shared.wish(super::state::Wish::Leave);
        assert_eq!(reading.await.unwrap(), input, "{writer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_sizes_that_cannot_go_out_the_newest_is_kept() {
    const SIZES: u16 = 10_000;
    let (server, shared, _stdout) = connection(Writer::WebSocket, 1 << 10, 1 << 20);
    // As much as fits on the way, and more than that.
    write(&shared, &[7; 10_000]).await;
    for width in 1..=SIZES {
        shared.resize(TerminalSize { width, height: 1 });
        tokio::task::yield_now().await;
    }
    assert!(shared.lock().output.len() < 1000, "{} bytes wait", shared.lock().output.len());
    let sizes = tokio::spawn(messages(server, 4));
    sleep(Duration::from_secs(20)).await;
    shared.wish(super::state::Wish::Leave);
    let sizes = sizes.await.unwrap();
    let newest = format!(r#"{{"Width":{SIZES},"Height":1}}"#).into_bytes();
    assert!(sizes.len() <= 2 && sizes.last() == Some(&newest), "{} sizes", sizes.len());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_vanishes_after_it_has_read_the_input_is_found() {
    let (mut server, shared, _stdout) = connection(Writer::WebSocket, 1 << 20, 1 << 20);
    write(&shared, &[7; 10]).await;
    // The message, and the first ping behind it.
    let mut frames = [0; 17 + 10];
    server.read_exact(&mut frames).await.unwrap();
    let (mask, payload) = (&frames[19..23], &frames[23..]);
    let payload: Vec<u8> = payload.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    server.write_all(&[&[0x8a, 4], &payload[..]].concat()).await.unwrap();
    let after = given_up(&shared, MINUTE).await.expect("it is found");
    assert!(after <= FOUND, "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn output_that_is_not_read_is_no_sign_of_death() {
    let (server, shared, mut stdout) = connection(Writer::WebSocket, 64 << 10, 1000);
    let (mut read, mut write) = tokio::io::split(server);
    let writing = tokio::spawn(async move {
        for _ in 0..100 {
            write.write_all(&[&[0x82, 126, 0x10, 1, 1], &[7; 4096][..]].concat()).await.unwrap();
        }
        sleep(600 * MINUTE).await;
    });
    tokio::spawn(async move { tokio::io::copy(&mut read, &mut tokio::io::sink()).await });
    assert_eq!(given_up(&shared, 60 * MINUTE).await, None);
    let mut all = 0;
    while all < 409_600 {
        all += stdout.chunk().await.unwrap().unwrap().len();
    }
    assert!(given_up(&shared, MINUTE).await.is_some(), "it is read again, and silent");
    writing.abort();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_pings_and_never_reads_is_read_no_further_until_it_does() {
    const HELD: usize = 64 << 10;
    const PINGS: usize = 1 << 20;
    // The shortest ones, whose answers are the longest by comparison.
    let (over_websocket, over_spdy) = (&[0x89, 0][..], &[0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 2][..]);
    for (writer, ping, pong) in [(Writer::WebSocket, over_websocket, 6), (spdy(), over_spdy, 12)] {
        let (server, shared, _stdout) = connection(writer, HELD, 1 << 20);
        let (mut read, mut write) = tokio::io::split(server);
        let taken = Arc::new(AtomicUsize::new(0));
        let pinging = tokio::spawn({
            let taken = taken.clone();
            async move {
                for _ in 0..PINGS {
                    write.write_all(ping).await.unwrap();
                    taken.fetch_add(1, Ordering::Relaxed);
                }
                write
            }
        });
        sleep(MINUTE).await;
        let before = taken.load(Ordering::Relaxed);
        // What is being written and what waits behind it: each may be over the limit by the answers to one piece.
        let answers = |pings: usize| pings * pong;
        let most = 2 * (2 * MAX_WAITING + answers(2 * READ / ping.len())) + HELD;
        assert!(shared.lock().output.len() >= 2 * MAX_WAITING, "{writer:?}: it is held up");
        assert!(answers(before) - answers(HELD / ping.len()) <= most, "{writer:?}: {before} pings were taken");
        sleep(600 * MINUTE).await;
        assert_eq!(taken.load(Ordering::Relaxed), before, "{writer:?}: no more is taken");
        assert_eq!(shared.lock().end, None, "{writer:?}: one that does not read is not gone");

        let reading = async {
            let (mut all, mut piece) = (0, vec![0; HELD]);
            while all < answers(PINGS) {
                all += read.read(&mut piece).await.unwrap();
            }
        };
        timeout(MINUTE, reading).await.expect("all are answered");
        drop(pinging.await.unwrap());
    }
}

/// What a server sends to end a process: bytes of its output, and the report.
fn last_words(writer: Writer) -> Vec<u8> {
    const SUCCESS: &[u8] = br#"{"metadata":{},"status":"Success"}"#;
    let length = u8::try_from(SUCCESS.len()).unwrap();
    match writer {
        Writer::WebSocket => [&[0x82, 3, 1, b'h', b'i', 0x82, length + 1, 3], SUCCESS].concat(),
        _ => [&[0, 0, 0, 5, 0, 0, 0, 2, b'h', b'i', 0, 0, 0, 1, 0, 0, 0, length], SUCCESS].concat(),
    }
}

#[tokio::test(start_paused = true)]
async fn outputs_end_also_if_a_server_has_reported_and_does_not_close() {
    for writer in [Writer::WebSocket, spdy()] {
        let (mut server, shared, mut stdout) = connection(writer, 1 << 20, 1 << 20);
        server.write_all(&last_words(writer)).await.unwrap();
        let begun = Instant::now();
        // Pings are answered, which is a sign of life and not one of more to come.
        let server = tokio::spawn(answer_pings(server));
        assert_eq!(stdout.chunk().await.unwrap().unwrap(), "hi");
        let end = timeout(MINUTE, stdout.chunk()).await.expect("the output ends");
        assert_eq!(end.unwrap(), None, "{writer:?}");
        assert!(begun.elapsed() <= Duration::from_secs(20), "{writer:?}: {:?}", begun.elapsed());
        assert_eq!(shared.lock().end, Some(End::Closed));
        if let Writer::WebSocket = writer {
            timeout(MINUTE, server).await.expect("the connection is closed").unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_a_report_is_read_as_long_as_it_comes() {
    let (mut server, _shared, mut stdout) = connection(Writer::WebSocket, 1 << 20, 1 << 10);
    let serving = tokio::spawn(async move {
        server.write_all(&last_words(Writer::WebSocket)).await.unwrap();
        for _ in 0..10 {
            sleep(Duration::from_secs(9)).await;
            server.write_all(&[&[0x82, 126, 0x10, 1, 1], &[7; 4096][..]].concat()).await.unwrap();
        }
        answer_pings(server).await
    });
    // It takes its time, and all that has come waits for it.
    sleep(10 * MINUTE).await;
    let mut all = 0;
    while let Some(chunk) = stdout.chunk().await.unwrap() {
        all += chunk.len();
        sleep(MINUTE).await;
    }
    assert_eq!(all, 2 + 10 * 4096);
    timeout(MINUTE, serving).await.expect("the connection is closed").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_forwarded_connection_that_nobody_holds_ends_in_time() {
    let (io, mut server) = tokio::io::duplex(1 << 20);
    let streams = Streams::default().with(Channel::Error, 1).with(Channel::Stdin, 3).with(Channel::Stdout, 3);
    let shared = Shared::new(Writer::Spdy(streams), 1000, BytesMut::new());
    Driver::spawn(Box::new(io), shared.clone(), Purpose::Forward);
    write(&shared, b"last words").await;
    shared.end_input();
    shared.discard(Channel::Stdout);
    shared.wish(super::state::Wish::Finish);
    let begun = Instant::now();
    let mut all = Vec::new();
    server.read_to_end(&mut all).await.unwrap();
    assert!(all[8..].starts_with(b"last words"), "{all:?}");
    assert!(begun.elapsed() <= Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(Arc::strong_count(&shared), 1, "the task is gone");
}

#[tokio::test(start_paused = true)]
async fn a_killed_program_leaves_no_task_that_goes_on() {
    let (io, mut server) = tokio::io::duplex(1 << 10);
    let shared = Shared::new(Writer::WebSocket, 1000, BytesMut::new());
    let process = Arc::<Process>::default();
    let given = shared.clone();
    let start = async move { Driver::spawn(Box::new(io), given, Purpose::Process) };
    process.clone().run(start).await;
    let mut ping = [0; 10];
    timeout(MINUTE, server.read_exact(&mut ping)).await.expect("a ping comes").unwrap();
    process.kill();
    write(&shared, b"input").await;
    timeout(MINUTE, server.read_u8()).await.expect_err("nothing is sent any more");
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_ends_leaves_no_handle_waiting() {
    let other = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_server, shared, mut stdout) = {
        let _entered = other.enter();
        connection(Writer::WebSocket, 1000, 1000)
    };
    other.shutdown_background();
    assert_eq!(stdout.chunk().await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    assert!(matches!(shared.lock().end, Some(End::Lost(_))));
}
