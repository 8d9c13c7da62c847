//! What went wrong on the way, said in terms of what to check.

use std::{error::Error as StdError, fmt, io};

use rustls::{CertificateError, Error as TlsError};

use super::BoxError;
use crate::error::{Error, ErrorKind};

/// A connection that did not come about. Its text is complete: it names the address and the cause.
#[derive(Debug)]
pub(super) struct ConnectError {
    message: String,
    timed_out: bool,
}

impl ConnectError {
    pub(super) fn new(message: String) -> Self {
        Self { message, timed_out: false }
    }

    pub(super) fn timeout(message: String) -> Self {
        Self { message, timed_out: true }
    }

    pub(super) fn tcp(address: &str, error: &(dyn StdError + 'static)) -> Self {
        let timed_out = find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
        // The layers between say "tcp connect error" only.
        Self { message: format!("cannot connect to {address}: {}", root_cause(error)), timed_out }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ConnectError {}

/// Why no answer came.
pub(super) fn of_request(error: hyper_util::client::legacy::Error) -> Error {
    if let Some(failed) = find::<ConnectError>(&error) {
        let kind = if failed.timed_out { ErrorKind::Timeout } else { ErrorKind::Connect };
        return Error::new(kind, &failed.message);
    }
    broken(error)
}

/// Why a service gave no answer: our own error, however many layers it passed, or that of a layer.
pub(super) fn of_service(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => Error::new(ErrorKind::Transport, "the request could not be sent").with_source(error),
    }
}

/// Why a compressed answer cannot be read.
pub(super) fn of_gzip(problem: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the server's gzip: {problem}; disable-compression asks for plain answers"))
}

/// Why the rest of an answer did not come.
pub(super) fn of_body(error: hyper::Error) -> Error {
    broken(error)
}

fn broken(error: impl StdError + Send + Sync + 'static) -> Error {
    // TLS 1.3 tells a client only after the handshake that its certificate was refused.
    let cause = root_cause(&error);
    if let Some(hint) = client_certificate_hint(&cause) {
        return Error::new(ErrorKind::Connect, format!("TLS: {cause}; {hint}"));
    }
    Error::new(ErrorKind::Transport, "the connection broke").with_source(error)
}

/// What went wrong in a handshake and what to check.
pub(super) fn describe_tls(error: &io::Error) -> String {
    match find::<TlsError>(error) {
        Some(error) => describe(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server closed the connection during the handshake".to_owned()
        }
        None => error.to_string(),
    }
}

fn describe(error: &TlsError) -> String {
    let hint = match error {
        // Two authorities of one name, which is usual for clusters made by one tool, differ in the signature only.
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "check certificate-authority: it must hold the CA that signed the server's certificate"
        }
        TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "connect by a name that the certificate is made for, or set tls-server-name to one",
        TlsError::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => "the server's certificate must be renewed, or the clock of this machine is wrong",
        TlsError::InvalidMessage(_) => {
            "does the server speak TLS on this port? If not, its address begins with http://"
        }
        _ => match client_certificate_hint(&error.to_string()) {
            Some(hint) => hint,
            None => return error.to_string(),
        },
    };
    format!("{error}; {hint}")
}

/// What to do if an error is the server's alert about the client's certificate. It is told by its text because HTTP/2
/// keeps no more than that of an error.
fn client_certificate_hint(error: &str) -> Option<&'static str> {
    let (_, alert) = error.split_once("received fatal alert: ")?;
    match alert {
        "CertificateRequired" | "NoCertificate" => {
            Some("the server requires a client certificate: set client-certificate and client-key")
        }
        "BadCertificate"
        | "UnknownCA"
        | "CertificateExpired"
        | "CertificateRevoked"
        | "CertificateUnknown"
        | "UnsupportedCertificate"
        | "AccessDenied"
        | "DecryptError" => Some("the server refuses the client certificate: check client-certificate"),
        _ => None,
    }
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // An io::Error that wraps another error has that error's source as its own, and hides the error itself.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source());
    }
    None
}

pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
