//! Secrets as values of the `Authorization` header.

use http::HeaderValue;

use crate::{
    config::basic_credentials,
    error::{Error, Result},
};

pub(super) fn bearer(token: &str) -> Result<HeaderValue> {
    let token = token.trim();
    if token.is_empty() {
        return Err(Error::config("the token is empty"));
    }
    secret(&format!("Bearer {token}"), "the token")
}

pub(super) fn basic(username: &str, password: &str) -> Result<HeaderValue> {
    if username.contains(':') {
        return Err(Error::config(format!("username {username:?}: must not contain a colon")));
    }
    secret(&basic_credentials(username, password), "the password")
}

fn secret(value: &str, what: &str) -> Result<HeaderValue> {
    let mut header = HeaderValue::try_from(value)
        .map_err(|_| Error::config(format!("{what} holds characters that no HTTP header can carry")))?;
    header.set_sensitive(true);
    Ok(header)
}
