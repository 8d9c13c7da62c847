//! A user name and a password as HTTP sends them.

use base64::{Engine, prelude::BASE64_STANDARD};

/// The value of an `Authorization` or `Proxy-Authorization`. It is secret.
pub(crate) fn basic_credentials(username: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}")))
}
