//! HTTP/1.1 with faults.

use std::{collections::VecDeque, fmt::Write, future::pending, io, sync::Arc};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    api::{self, Reply},
    http2::next_line,
    plan::Fault,
    server::{CALL, Connection},
    wire::Wire,
};

/// Serves one connection until its end.
pub(crate) async fn serve(mut wire: Wire, on: &Arc<Connection>) {
    let mut buffer = Vec::new();
    while let Ok(Some(request)) = read_request(&mut wire, &mut buffer).await {
        match answer(&mut wire, on, &request).await {
            Ok(true) => {}
            Ok(false) | Err(_) => return,
        }
    }
}

struct Request {
    method: String,
    path: String,
    call: Option<u64>,
    body: Vec<u8>,
}

/// Answers a request; says whether the connection can go on.
async fn answer(wire: &mut Wire, on: &Connection, request: &Request) -> io::Result<bool> {
    let fault = on.arrived(request.call, false);
    match fault {
        Fault::DropBefore | Fault::TcpReset => {
            on.breaks();
            on.control.cut(fault == Fault::TcpReset);
            wire.flush().await?;
            return Ok(false);
        }
        Fault::BlackHole => {
            on.breaks();
            on.control.silence();
            return pending().await;
        }
        Fault::Busy { code, retry_after } => {
            let body = api::busy(code);
            wire.write_all(&head(code, retry_after, Some(body.len()), false)).await?;
            wire.write_all(&body).await?;
            return Ok(true);
        }
        _ => {}
    }
    let (code, body) = match on.process(request.call, &request.method, &request.path, &request.body) {
        Reply::Object(code, body) => (code, body),
        Reply::Watch { namespace, first, mut then } => {
            wire.write_all(&head(200, None, None, true)).await?;
            let mut lines = VecDeque::from(first);
            while let Some(line) = next_line(&mut lines, &mut then, &namespace).await {
                wire.write_all(&line).await?;
                wire.flush().await?;
            }
            return Ok(false);
        }
    };
    let body: Bytes = body;
    let closes = fault == Fault::GoAwayGraceful;
    match fault {
        Fault::DropAfter => {
            on.breaks();
            return Ok(false);
        }
        // The client gives up at some time, and then closes.
        Fault::Stall => {
            wire.read_u8().await?;
            return Ok(false);
        }
        Fault::HalfAnswer | Fault::HalfThenSilence => {
            wire.write_all(&head(code, None, Some(body.len()), false)).await?;
            wire.write_all(&body[..body.len() / 2]).await?;
            wire.flush().await?;
            if fault == Fault::HalfThenSilence {
                wire.read_u8().await?;
            }
            return Ok(false);
        }
        _ => {}
    }
    wire.write_all(&head(code, None, Some(body.len()), closes)).await?;
    wire.write_all(&body).await?;
    wire.flush().await?;
    Ok(!closes)
}

fn head(code: u16, retry_after: Option<u16>, length: Option<usize>, closes: bool) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {code} Whatever\r\nContent-Type: application/json\r\n");
    if let Some(seconds) = retry_after {
        let _ = write!(head, "Retry-After: {seconds}\r\n");
    }
    if let Some(length) = length {
        let _ = write!(head, "Content-Length: {length}\r\n");
    }
    if closes {
        head += "Connection: close\r\n";
    }
    (head + "\r\n").into_bytes()
}

/// The next request, or none where the client has closed the connection.
async fn read_request(wire: &mut Wire, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head: Vec<u8> = buffer.drain(..end + 4).collect();
            break String::from_utf8(head).map_err(|_| malformed())?;
        }
        if wire.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:")))?;
        line[name.len() + 1..].trim().parse::<u64>().ok()
    };
    let length = header("content-length").and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    while buffer.len() < length {
        if wire.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let mut words = head.split(' ');
    let method = words.next().ok_or_else(malformed)?.to_owned();
    let path = words.next().ok_or_else(malformed)?.to_owned();
    Ok(Some(Request { method, path, call: header(CALL), body: buffer.drain(..length).collect() }))
}
