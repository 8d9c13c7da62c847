//! Who is asking: from [`Credentials`] to the `Authorization` header of each request.
//!
//! [`Auth`] is asked before every request, may wait for what it needs, and is told when the server refused what it gave.
//! Whatever can renew itself keeps its own state behind an `Arc`, so that all clones of a client share it.

mod token_file;

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use secrecy::ExposeSecret;

use self::token_file::TokenFile;
use crate::{
    config::{ClientIdentity, Config, Credentials},
    error::{Error, ErrorKind, Result},
};

/// A source of credentials.
#[derive(Clone)]
pub(crate) enum Auth {
    Anonymous,
    Fixed(HeaderValue),
    TokenFile(Arc<TokenFile>),
}

/// What a request was given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Granted {
    identity: Option<Arc<ClientIdentity>>,
}

impl Granted {
    /// The client certificate that the connection must have, where the credentials bring one.
    pub(crate) fn identity(&self) -> Option<&Arc<ClientIdentity>> {
        self.identity.as_ref()
    }
}

impl Auth {
    pub(crate) fn new(config: &Config) -> Result<Self> {
        Ok(match &config.credentials {
            Credentials::None => Self::Anonymous,
            Credentials::Bearer(token) => Self::Fixed(bearer(token.expose_secret())?),
            Credentials::TokenFile { path, fallback } => {
                let fallback = fallback.as_ref().map(|token| bearer(token.expose_secret())).transpose()?;
                Self::TokenFile(Arc::new(TokenFile::new(path.clone(), fallback)))
            }
            Credentials::Basic { username, password } => Self::Fixed(basic(username, password.expose_secret())?),
            Credentials::Exec(_) | Credentials::Oidc(_) => {
                return Err(Error::new(ErrorKind::Auth, "not yet"));
            }
        })
    }

    /// Adds the header, unless the request brings its own.
    pub(crate) async fn authorize(&self, headers: &mut HeaderMap) -> Result<Granted> {
        if headers.contains_key(AUTHORIZATION) {
            return Ok(Granted::default());
        }
        let header = match self {
            Self::Anonymous => return Ok(Granted::default()),
            Self::Fixed(header) => header.clone(),
            Self::TokenFile(file) => file.header().await?,
        };
        headers.insert(AUTHORIZATION, header);
        Ok(Granted::default())
    }

    /// Says that the server answered 401 to what [`authorize`](Self::authorize) granted.
    pub(crate) async fn refused(&self, _granted: &Granted) {
        if let Self::TokenFile(file) = self {
            file.distrust().await;
        }
    }
}

fn bearer(token: &str) -> Result<HeaderValue> {
    secret_header(&format!("Bearer {}", token.trim()), "the token")
}

fn basic(username: &str, password: &str) -> Result<HeaderValue> {
    if username.contains(':') {
        return Err(Error::config(format!("username {username:?}: must not contain a colon")));
    }
    secret_header(&format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}"))), "the password")
}

fn secret_header(value: &str, what: &str) -> Result<HeaderValue> {
    let mut header = HeaderValue::try_from(value)
        .map_err(|_| Error::config(format!("{what} holds characters that no HTTP header can carry")))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn auth(credentials: Credentials) -> Result<Auth> {
        let mut config = Config::new("http://localhost").unwrap();
        config.credentials = credentials;
        Auth::new(&config)
    }

    async fn header(credentials: Credentials) -> HeaderMap {
        let mut headers = HeaderMap::new();
        auth(credentials).unwrap().authorize(&mut headers).await.unwrap();
        headers
    }

    #[tokio::test]
    async fn credentials_become_headers_marked_sensitive() {
        let headers = header(Credentials::Bearer(SecretString::from("abc\n"))).await;
        assert_eq!(headers[AUTHORIZATION], "Bearer abc");
        assert!(headers[AUTHORIZATION].is_sensitive());
        let password = SecretString::from("open sesame");
        let headers = header(Credentials::Basic { username: "Aladdin".to_owned(), password }).await;
        assert_eq!(headers[AUTHORIZATION], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(header(Credentials::None).await.is_empty());
    }

    #[tokio::test]
    async fn a_request_keeps_its_own_header() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer mine"));
        auth(Credentials::Bearer(SecretString::from("ours"))).unwrap().authorize(&mut headers).await.unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer mine");
    }

    #[test]
    fn an_unusable_token_is_an_error_that_does_not_show_it() {
        let error = auth(Credentials::Bearer(SecretString::from("se\ncret"))).err().unwrap().to_string();
        assert!(error.contains("the token") && !error.contains("cret\""), "{error}");
        assert!(!error.contains("se\ncret"), "{error}");
    }
}
