//! Which kind of call a request is: [`CallKind`].

use std::time::Duration;

/// What a request asks for in time, which decides its limits and whether a lost connection is worth another try.
///
/// | | [`Ordinary`](Self::Ordinary) | [`Watch`](Self::Watch) | [`Streaming`](Self::Streaming) |
/// |---|---|---|---|
/// | [`Config::timeout`](crate::Config::timeout) | holds | – | – |
/// | [`Config::response_header_timeout`](crate::Config::response_header_timeout) | holds | holds | – (30 s for an upgrade) |
/// | a limit of the call itself | whole call | until the server has agreed | until the head of the answer |
/// | a limit of the kind | – | its `timeoutSeconds` and 30 seconds | – |
/// | sent again after a lost connection | GET | yes, and after a time limit | no |
///
/// What the server asks to be repeated, and what it certainly did not process, is sent again whatever the kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallKind {
    /// One answer that is read to its end.
    #[default]
    Ordinary,
    /// A watch: events for as long as `timeoutSeconds` of its query says, or as the server likes.
    Watch,
    /// An answer that takes as long as it takes: logs, exec, attach, port-forward, proxy.
    Streaming,
}

/// How much longer than its `timeoutSeconds` a watch may take: what the server spends on a request before it begins to
/// count, and the way back.
const WATCH_MARGIN: Duration = Duration::from_secs(30);

impl CallKind {
    /// The time by which a call of this kind must have ended, if the server was told to end it.
    pub(super) fn longest(self, timeout_seconds: Option<&str>) -> Option<Duration> {
        let seconds = timeout_seconds.filter(|_| self == Self::Watch)?.parse().ok()?;
        // The server takes 0 for its own choice.
        (seconds > 0).then(|| Duration::from_secs(seconds).saturating_add(WATCH_MARGIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_watch_that_the_server_is_to_end_has_an_end() {
        assert_eq!(CallKind::Watch.longest(Some("60")), Some(Duration::from_secs(90)));
        for (kind, seconds) in [
            (CallKind::Watch, None),
            (CallKind::Watch, Some("0")),
            (CallKind::Watch, Some("soon")),
            (CallKind::Ordinary, Some("60")),
            (CallKind::Streaming, Some("60")),
        ] {
            assert_eq!(kind.longest(seconds), None, "{kind:?} {seconds:?}");
        }
    }
}
