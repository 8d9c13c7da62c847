//! What went wrong on the way, said in terms of what to check.

use std::{error::Error as StdError, fmt, io, time::Duration};

use super::{
    BoxError,
    tls::{self, Peer},
};
use crate::{
    config::Authority,
    error::{Delivery, Error, ErrorKind},
};

/// A connection that did not come about. Its text is complete: it names the address and the cause.
#[derive(Clone, Debug)]
pub(super) struct ConnectError {
    message: String,
    kind: ErrorKind,
    delivery: Delivery,
}

impl ConnectError {
    pub(super) fn new(message: String) -> Self {
        Self { message, kind: ErrorKind::Connect, delivery: Delivery::Unknown }
    }

    pub(super) fn timeout(message: String) -> Self {
        Self { message, kind: ErrorKind::Timeout, delivery: Delivery::Unreachable }
    }

    pub(super) fn tcp(address: &str, error: &(dyn StdError + 'static)) -> Self {
        let cause = find::<io::Error>(error).map(io::Error::kind);
        let timed_out = cause == Some(io::ErrorKind::TimedOut);
        let refused = cause == Some(io::ErrorKind::ConnectionRefused);
        // The layers between say "tcp connect error" only.
        Self {
            message: format!("cannot connect to {address}: {}", root_cause(error)),
            kind: if timed_out { ErrorKind::Timeout } else { ErrorKind::Connect },
            delivery: if refused { Delivery::Refused } else { Delivery::Unreachable },
        }
    }

    /// A failure of hyper-rustls: it passes on errors of the dialer, and wraps those of the handshake. Where a
    /// handshake's connection was lost, certificates are not what is wrong, and another may succeed.
    pub(super) fn https(address: &Authority, error: BoxError) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(dialing) => return *dialing,
            Err(error) => error,
        };
        match chain(&*error).filter_map(|error| error.downcast_ref::<io::Error>()).last() {
            Some(error) => Self::new(format!("TLS with {address}: {}", describe_handshake(error, Peer::Server)))
                .with_delivery(of_lost(error)),
            None => Self::new(format!("{address}: the host is not a name for TLS: {error}")),
        }
    }

    pub(super) fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(super) fn with_delivery(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ConnectError {}

/// Why there is no connection.
pub(super) fn of_connect(error: ConnectError) -> Error {
    Error::new(error.kind, error.message).with_delivery(error.delivery)
}

/// Why no answer came over HTTP/1.1.
pub(super) fn of_http1(error: hyper::Error) -> Error {
    let delivery = delivery(&error);
    broken(error).with_delivery(delivery)
}

/// An answer whose head is longer than any honest one.
pub(super) fn head_too_long(limit: usize) -> Error {
    let problem = format!("the head of the answer is longer than {limit} bytes");
    Error::new(ErrorKind::Transport, problem).with_delivery(Delivery::Lost)
}

/// Why no answer, or no more of one, came over HTTP/2.
pub(super) fn of_http2(error: h2::Error, silent: bool) -> Error {
    if silent {
        let problem = "the connection went silent: a ping was not answered within http2_ping_timeout";
        return Error::new(ErrorKind::Transport, problem).with_delivery(Delivery::Lost);
    }
    let delivery = match error.get_io() {
        Some(error) => delivery(error),
        None => delivery(&error),
    };
    broken(error).with_delivery(delivery)
}

/// Why a service gave no answer: our own error, however many layers it passed, or that of a layer.
pub(super) fn of_service(error: BoxError) -> Error {
    of_others(error, "the request could not be sent")
}

/// Why a body of a service, or of a layer, did not come to its end.
pub(super) fn of_service_body(error: BoxError) -> Error {
    of_others(error, "the body could not be read to its end")
}

fn of_others(error: BoxError, problem: &str) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(error) => return *error,
        Err(error) => error,
    };
    // What a service of the program's own did before is not known, so its error proves nothing but a loss.
    let (kind, delivery) = match delivery(&*error) {
        _ if is_late(&*error) => (ErrorKind::Timeout, Delivery::Lost),
        Delivery::Unknown | Delivery::Garbled => (ErrorKind::Transport, Delivery::Unknown),
        _ => (ErrorKind::Transport, Delivery::Lost),
    };
    Error::new(kind, problem).with_source(error).with_delivery(delivery)
}

/// Whether a service waited for as long as it would. tower's error for that is known by its text, since its type is not
/// here.
fn is_late(error: &(dyn StdError + 'static)) -> bool {
    find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
        || find::<tokio::time::error::Elapsed>(error).is_some()
        || root_cause(error) == "request timed out"
}

/// Why a compressed answer cannot be read.
pub(super) fn of_gzip(problem: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the server's gzip: {problem}; disable-compression asks for plain answers"))
}

/// Why an answer is not taken whole.
pub(super) fn too_long(limit: Option<u64>) -> Error {
    let problem = format!(
        "the answer is longer than {} bytes, the limit of max_response_bytes; ask for less at a time, for example for pages of a \
         list or its items as a stream, or raise the limit if there is memory for several times as much",
        limit.unwrap_or(u64::MAX)
    );
    Error::new(ErrorKind::Decode, problem)
}

/// Why the rest of an answer is not waited for.
pub(super) fn silent(limit: Duration) -> Error {
    let problem = format!("the connection went silent: nothing of the answer's body arrived for {limit:?}");
    Error::new(ErrorKind::Transport, problem).with_delivery(Delivery::Lost)
}

/// Why the rest of an answer did not come over HTTP/1.1. Whatever the reason, the request has been processed.
pub(super) fn of_body(error: hyper::Error) -> Error {
    broken(error).with_delivery(Delivery::Lost)
}

/// The error of a server from which no answer came in time.
pub(super) fn no_head(limit: Duration) -> Error {
    let problem = format!(
        "no answer began within {limit:?}: the server, or something on the way, is stuck; response_header_timeout or a \
         time limit of the call's own allows more"
    );
    Error::new(ErrorKind::Timeout, problem)
}

/// What an error on the way to the server says of the connection, over which no request was sent yet.
pub(super) fn of_lost(error: &(dyn StdError + 'static)) -> Delivery {
    match delivery(error) {
        // What is said to a proxy is no request of the caller's.
        Delivery::Lost | Delivery::Unprocessed => Delivery::Lost,
        _ => Delivery::Unknown,
    }
}

/// What input and output say of a connection that was lost.
const LOST: [io::ErrorKind; 6] = [
    io::ErrorKind::BrokenPipe,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::NotConnected,
    io::ErrorKind::TimedOut,
    io::ErrorKind::UnexpectedEof,
];

/// What h2 says of a connection that ended inside of a frame, in an error of no kind.
const CUT_FRAME: &str = "bytes remaining on stream";

/// What an error says of the request that it happened to. In doubt it counts as processed.
///
/// hyper and h2 tell it so:
///
/// * `Canceled` is what hyper makes of a request that it hands back since nothing of it was written, and
///   `ChannelClosed` of a connection that ended before it took one. Both are of HTTP/1.1.
/// * A stream that the server resets with `REFUSED_STREAM` was not processed, by the protocol.
/// * A GOAWAY of the server becomes the error of those streams that are above its last one, which it has not processed,
///   and of requests that come to the connection later. Streams up to the last one go on, or fail as a broken
///   connection.
/// * A connection that ended before the head of an answer is an incomplete message or an error of input and output.
fn delivery(error: &(dyn StdError + 'static)) -> Delivery {
    if let Some(error) = find::<h2::Error>(error)
        && error.is_remote()
        && (error.is_go_away() || error.reason() == Some(h2::Reason::REFUSED_STREAM))
    {
        return Delivery::Unprocessed;
    }
    if let Some(error) = find::<hyper::Error>(error) {
        if error.is_canceled() || error.is_closed() {
            return Delivery::Unprocessed;
        }
        if error.is_incomplete_message() {
            return Delivery::Lost;
        }
        if error.is_parse() {
            return Delivery::Garbled;
        }
    }
    match find::<io::Error>(error) {
        Some(error) if LOST.contains(&error.kind()) || error.to_string() == CUT_FRAME => Delivery::Lost,
        _ => Delivery::Unknown,
    }
}

fn broken(error: impl StdError + Send + Sync + 'static) -> Error {
    let cause = root_cause(&error);
    if cause.starts_with(TLS) {
        return Error::new(ErrorKind::Connect, cause);
    }
    if let Some(problem) = find::<h2::Error>(&error).and_then(in_plain_words) {
        return Error::new(ErrorKind::Transport, problem);
    }
    let problem = if find(&error).is_some_and(hyper::Error::is_parse) {
        "what answered does not speak HTTP that can be read; is this the URL of an API server?"
    } else {
        "the connection broke"
    };
    Error::new(ErrorKind::Transport, problem).with_source(error)
}

/// What h2's error says in the protocol's terms.
fn in_plain_words(error: &h2::Error) -> Option<String> {
    if error.get_io().is_some_and(|error| error.to_string() == CUT_FRAME) {
        return Some("the connection broke: it ended in the middle of a frame".to_owned());
    }
    let reason = error.reason().filter(|_| error.is_remote())?;
    Some(match reason {
        _ if error.is_go_away() => format!("the server closed the connection (GOAWAY {reason:?})"),
        h2::Reason::REFUSED_STREAM => "the server refused the request's stream (REFUSED_STREAM)".to_owned(),
        _ => format!("the server broke off the request's stream ({reason:?})"),
    })
}

/// What went wrong in a TLS handshake and what to check.
pub(super) fn describe_handshake(error: &io::Error, peer: Peer) -> String {
    match find(error) {
        Some(error) => tls::describe(error, peer),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("{peer} closed the connection during the handshake")
        }
        None => error.to_string(),
    }
}

/// What stands before the words for an error of TLS. HTTP/2 keeps no more of an error than its text and its kind.
const TLS: &str = "TLS: ";

/// An error of reading from TLS, in our own words. TLS 1.3 tells a client only there that its certificate was refused.
pub(super) fn of_read(error: io::Error, peer: Peer) -> io::Error {
    let words = match find(&error) {
        Some(error) => format!("{TLS}{}", tls::describe(error, peer)),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("{peer}, or something on the way, closed the connection without notice")
        }
        None => return error,
    };
    io::Error::new(error.kind(), words)
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// An error and what it came from.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        // An io::Error that wraps another error has that error's source as its own, and hides the error itself.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source())
    })
}

pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
