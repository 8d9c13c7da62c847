//! The handshake: first as WebSocket, and once more as SPDY where that is refused.

use bytes::BytesMut;
use http::Method;

use super::{
    Problem, Protocol, spdy, websocket,
    wire::{Channel, Streams},
};
use crate::{
    error::{Error, ErrorKind, Result},
    rest::{Request, Upgraded},
};

/// In the answer and the request, the protocol over SPDY.
const STREAM_PROTOCOL: &str = "X-Stream-Protocol-Version";

/// How a kind of stream is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    /// The subprotocol of WebSocket.
    pub(super) websocket: &'static str,
    /// The protocol over SPDY.
    pub(super) spdy: &'static str,
    /// What an error says of the rights that are needed.
    pub(super) rights: &'static str,
}

/// Switches a connection to WebSocket or, if the server refuses that or SPDY is wanted, to SPDY.
///
/// A refusal is any answer that does not switch as it should: then nothing has begun. Without an answer something may
/// have begun, so there is no second try. Nor is there one where it cannot have another result. If both are refused,
/// the first answer says more: servers that lack WebSocket refuse it in many ways, and SPDY in one.
pub(super) async fn open(request: Request, names: Names, spdy_only: bool) -> Result<(Upgraded, Protocol)> {
    if spdy_only {
        let upgraded = over_spdy(request, names.spdy).await.map_err(|error| with_rights(error, names.rights))?;
        return Ok((upgraded, Protocol::Spdy));
    }
    let first = match over_websocket(request.clone(), names.websocket).await {
        Ok(upgraded) => return Ok((upgraded, Protocol::WebSocket)),
        Err(error) if is_worth_spdy(&error) => error,
        Err(error) => return Err(error),
    };
    tracing::debug!(%first, "the server refuses WebSocket; trying SPDY");
    match over_spdy(request, names.spdy).await {
        Ok(upgraded) => Ok((upgraded, Protocol::Spdy)),
        Err(second) if is_refusal(&second) => Err(with_rights(first, names.rights)),
        Err(second) => Err(second),
    }
}

async fn over_websocket(request: Request, protocol: &str) -> Result<Upgraded> {
    let key = websocket::key();
    let request = request
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", &key)
        .header("Sec-WebSocket-Protocol", protocol);
    upgrade(request, |upgraded| websocket::check_answer(upgraded.headers(), &key, protocol)).await
}

async fn over_spdy(request: Request, protocol: &str) -> Result<Upgraded> {
    let request = request.with_method(Method::POST).header("Upgrade", "SPDY/3.1").header(STREAM_PROTOCOL, protocol);
    let check = |upgraded: &Upgraded| {
        let header = |name| upgraded.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !header("Upgrade").eq_ignore_ascii_case("SPDY/3.1") {
            return Err(Problem("the answer does not switch to SPDY/3.1"));
        }
        if header(STREAM_PROTOCOL) != protocol {
            return Err(Problem("the answer does not choose a protocol that was offered"));
        }
        Ok(())
    };
    upgrade(request, check).await
}

async fn upgrade(
    request: Request,
    check: impl FnOnce(&Upgraded) -> std::result::Result<(), Problem>,
) -> Result<Upgraded> {
    let (method, url) = (request.method().clone(), request.shown_url());
    let upgraded = request.upgrade().await?;
    match check(&upgraded) {
        Ok(()) => Ok(upgraded),
        Err(problem) => {
            Err(Error::new(ErrorKind::Decode, format!("the server's answer to the upgrade is not valid: {problem}"))
                .with_request(&method, url))
        }
    }
}

/// The server, or something on the way, has answered.
fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Api | ErrorKind::Decode)
}

/// SPDY may have another answer.
fn is_worth_spdy(error: &Error) -> bool {
    let lacks_object = error.is_not_found() && !error.is_unexpected_server_error();
    is_refusal(error) && !error.is_unauthorized() && !error.is_too_many_requests() && !lacks_object
}

fn with_rights(error: Error, rights: &'static str) -> Error {
    if error.is_forbidden() { error.with_outcome(Some(rights)) } else { error }
}

/// Numbers the streams of SPDY that channels are, and gives the frames that open them.
pub(super) fn streams(channels: &[(Channel, &str)]) -> (Streams, BytesMut) {
    let (mut opener, mut streams, mut output) = (spdy::Opener::default(), Streams::default(), BytesMut::new());
    for ((channel, kind), stream) in channels.iter().zip((1..).step_by(2)) {
        streams = streams.with(*channel, stream);
        opener.open(&mut output, stream, &[("streamtype", kind)]);
    }
    (streams, output)
}
