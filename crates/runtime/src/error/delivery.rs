//! Whether a request that found no answer reached the server.

/// What is known of a request that found no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Nothing that would make it safe to send it again.
    #[default]
    Unknown,
    /// There was nobody to send it to.
    Unreachable,
    /// There is a machine, but nobody listens at its port.
    Refused,
    /// The server certainly did not process it.
    Unprocessed,
    /// Its connection was lost: the server may have processed it or not.
    Lost,
    /// What came back is no HTTP.
    Garbled,
}
