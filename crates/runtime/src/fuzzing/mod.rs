//! Rules that no input from outside may break: a function for each kind of input, which panics where a rule is broken.
//!
//! The fuzz targets of `tests/fuzz` call them, and so do the ordinary tests, with the targets' seeds and small changes
//! of them. The module is there in tests and for cargo-fuzz, which sets `cfg(fuzzing)`; the crate that users build has
//! neither the module nor a feature for it.
//!
//! Two kinds of input have their rules elsewhere. Protobuf is read by the tables of a group's crate, so its target
//! (`tests/fuzz/fuzz_targets/protobuf.rs`) has the rule itself. The documents of discovery are read in
//! `k8s-client-discovery`, whose tests change them.

mod list_stream;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Uri;
use http_body::Frame;
use k8s_openapi::api::core::v1::ConfigMap;
use secrecy::ExposeSecret as _;

pub use crate::streams::fuzzing::{spdy_frames, websocket_frames};
pub use list_stream::list_stream;
#[cfg(test)]
pub(crate) use list_stream::{ConfigMapKind, ConfigMapMessage, arriving, streamed};

use crate::{
    auth,
    codec::MediaType,
    config::{Config, Credentials, ExecApiVersion, Proxy, ProxyUrl, changed_kubeconfigs},
    resource::logs::cut::LineCutter,
    transport::Body,
    watch::WatchStream,
};

/// A kubeconfig: it is read or refused, always with the same result, and what it says is shown without its token. Where
/// its text can be changed, it can be changed again.
pub fn kubeconfig(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let read = || Config::from_kubeconfig_text(&text).map_err(|error| error.to_string());
    let (first, second) = (read(), read());
    assert_eq!(format!("{first:?}"), format!("{second:?}"), "the same text is read in two ways");
    for changed in changed_kubeconfigs(&text).into_iter().flatten() {
        // The same change once more finds its own work.
        assert!(
            changed_kubeconfigs(&changed).iter().any(Result::is_ok),
            "what was written cannot be changed:\n{changed}"
        );
    }
    let Ok(config) = first else { return };
    if let Credentials::Bearer(token) = &config.credentials {
        // A token that stands elsewhere too, as a name say, is no secret.
        let token = token.expose_secret();
        let hidden = token.len() < 8 || text.matches(token).count() != 1 || !format!("{config:?}").contains(token);
        assert!(hidden, "the token is shown");
    }
}

/// The body of a watch: it gives the same events however the network cuts it, and ends with the first error. As the
/// body of a log it gives the same pieces of lines, of which none is longer than the limit and no byte is lost.
///
/// The first byte of the input is the longest piece, the second and third are where the chunks end.
pub fn watch_frames(input: &[u8]) {
    let Some(([limit, step, turn], text)) = input.split_first_chunk::<3>() else { return };
    let limit = usize::from(*limit);
    let whole = lines(text, vec![Bytes::copy_from_slice(text)], limit);
    assert_eq!(whole, lines(text, cut(text, *step, *turn), limit), "the same bytes give other lines in other chunks");

    let whole = events(vec![Bytes::copy_from_slice(text)]);
    assert_eq!(whole, events(cut(text, *turn, *step)), "the same bytes give other events in other chunks");
}

/// Settings of a proxy, a line each: the server's URL, the proxy's, the exceptions. They are read or refused, without
/// showing a password, and what is excepted stays so whatever else is.
pub fn no_proxy(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.lines();
    let (server, proxy) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let except = lines.next().unwrap_or_default();
    if let Ok(url) = ProxyUrl::parse(proxy) {
        let shown = format!("{url:?}");
        let password =
            proxy.rsplit_once('@').and_then(|(login, _)| login.rsplit_once(':')).map_or("", |(_, word)| word);
        let hidden = password.len() < 8 || proxy.matches(password).count() != 1 || !shown.contains(password);
        assert!(hidden, "the password is shown");
        ProxyUrl::parse(&shown).expect("what is shown is the URL of a proxy");
    }
    let Ok(server) = server.parse::<Uri>() else { return };
    let chosen = |except: &str| Proxy::of_variables(&server, proxy, except).ok();
    let is_excepted = |except: &str| matches!(chosen(except), Some(None));
    assert_eq!(format!("{:?}", chosen(except)), format!("{:?}", chosen(except)), "the same settings mean two things");
    if is_excepted(except) {
        assert!(is_excepted(&format!("{except},other")), "a further exception takes this one away");
        assert!(is_excepted(&format!("other, {except}")), "a further exception takes this one away");
    }
    assert!(is_excepted("*") || chosen("*").is_none(), "everything is excepted, but not this");
}

/// What a credential plugin wrote: it is read or refused, always with the same result, and no token stands in the
/// message that refuses it.
pub fn exec_answer(input: &[u8]) {
    for version in [ExecApiVersion::V1, ExecApiVersion::V1Beta1] {
        let read = || auth::read_exec_answer(input, version);
        assert_eq!(read(), read(), "the same answer means two things");
        let Err(problem) = read() else { continue };
        // Short pieces stand in messages by chance.
        let text = String::from_utf8_lossy(input);
        let token = text.split("\"token\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        if token.len() < 12 || text.matches(token).count() != 1 || !problem.contains(token) {
            continue;
        }
        // By chance it is a word of ours, which is shown whatever the token is.
        let other = text.replacen(token, "another token", 1);
        let hidden = auth::read_exec_answer(other.as_bytes(), version).is_err_and(|other| other.contains(token));
        assert!(hidden, "the token is shown: {problem}");
    }
}

/// The chunks of a body: their lengths alternate.
fn cut(mut text: &[u8], one: u8, other: u8) -> Vec<Bytes> {
    let mut lengths = [usize::from(one) + 1, usize::from(other) + 1].into_iter().cycle();
    let mut chunks = Vec::new();
    while !text.is_empty() {
        let length = lengths.next().unwrap_or(1).min(text.len());
        chunks.push(Bytes::copy_from_slice(&text[..length]));
        text = &text[length..];
    }
    chunks
}

/// The pieces of lines of a body: whether each ends its line, too.
fn lines(text: &[u8], chunks: Vec<Bytes>, limit: usize) -> Vec<(Bytes, bool)> {
    let mut cutter = LineCutter::new(limit);
    let mut pieces = Vec::new();
    for chunk in chunks {
        cutter.push(chunk);
        pieces.extend(std::iter::from_fn(|| cutter.next()));
    }
    pieces.extend(cutter.rest());
    let mut again = Vec::new();
    let mut is_inside = false;
    for piece in &pieces {
        assert!(piece.bytes.len() <= limit.max(1), "a piece is longer than {limit} bytes");
        assert!(!piece.bytes.contains(&b'\n'), "a piece holds the end of a line");
        assert_eq!(piece.begins, !is_inside, "a line begins in the middle of another");
        is_inside = !piece.ends;
        again.extend_from_slice(&piece.bytes);
        again.extend(piece.ends.then_some(b'\n'));
    }
    let ends_in_a_line = !text.is_empty() && !text.ends_with(b"\n");
    assert!(again[..again.len() - usize::from(ends_in_a_line)] == *text, "the pieces are not what came");
    pieces.into_iter().map(|piece| (piece.bytes, piece.ends)).collect()
}

/// What a watch makes of a body.
fn events(chunks: Vec<Bytes>) -> Vec<String> {
    let body = Body::new(Chunks { rest: chunks.into(), taken: Arc::default() });
    let mut watch = WatchStream::<ConfigMap>::new(body, MediaType::Json, String::new());
    let mut all = Vec::new();
    loop {
        match watch.try_next().now_or_never().expect("there is nothing to wait for") {
            Ok(None) => return all,
            Ok(Some(event)) => all.push(format!("{event:?}")),
            Err(error) if error.undecodable_object().is_some() => all.push(error.to_string()),
            Err(error) => {
                all.push(error.to_string());
                let after = watch.try_next().now_or_never().expect("there is nothing to wait for");
                assert!(matches!(after, Ok(None)), "there is something after an error");
                return all;
            }
        }
    }
}

/// A body whose chunks are all there.
pub(crate) struct Chunks {
    pub(crate) rest: VecDeque<Bytes>,
    pub(crate) taken: Arc<AtomicUsize>,
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = self.rest.pop_front();
        self.taken.fetch_add(chunk.as_ref().map_or(0, Bytes::len), Ordering::Relaxed);
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}
