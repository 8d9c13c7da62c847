//! Who is asking: from [`Credentials`] to the headers of each request, and the certificate of its connection.
//!
//! [`Auth`] is asked before every request, may wait for what it needs, and is told when the server refused what it
//! gave. What is [`fetched`] lives in the configuration's [`SharedCredentials`](crate::config::SharedCredentials), so
//! that all clients of a configuration and its clones share it.

mod exec;
mod fetched;
mod header;
mod impersonate;
mod oidc;
mod sent_with;
mod token_file;

#[cfg(any(test, fuzzing))]
pub(crate) use exec::read_answer as read_exec_answer;

use std::{future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};

pub(crate) use self::sent_with::SentWith;
use self::{
    fetched::Generation,
    header::{basic, bearer},
    token_file::TokenFile,
};
use crate::{
    config::{ClientIdentity, Config, Credentials, PemSource},
    error::Result,
};

/// Sends one request to another server than the API server, over connections of the given configuration, and reads the
/// answer. The transport, which stands behind this module, brings it.
pub(crate) type Fetch = fn(Config, Request<Bytes>) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>>> + Send>>;

/// How the requests of a client say whose they are.
#[derive(Clone)]
pub(crate) struct Auth {
    source: Source,
    impersonation: Option<Arc<HeaderMap>>,
    sent_with: SentWith,
}

/// A source of credentials.
#[derive(Clone)]
enum Source {
    Anonymous,
    Fixed(HeaderValue),
    TokenFile(Arc<TokenFile>),
    Exec(Arc<exec::Plugin>),
    Oidc(Arc<oidc::Provider>),
}

/// What a request was given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Granted {
    identity: Option<Arc<ClientIdentity>>,
    /// Nothing if the credentials have no successor.
    generation: Option<Generation>,
    /// The request brought its own, and was given none.
    own_header: bool,
}

impl Granted {
    /// The client certificate that the connection must have, where the credentials bring one.
    pub(crate) fn identity(&self) -> Option<&Arc<ClientIdentity>> {
        self.identity.as_ref()
    }
}

impl Auth {
    pub(crate) fn new(config: &Config, fetch: Fetch) -> Result<Self> {
        let source = match &config.credentials {
            Credentials::None => Source::Anonymous,
            Credentials::Bearer(token) => Source::Fixed(bearer(token.expose_secret())?),
            Credentials::TokenFile { path, fallback } => {
                let fallback = fallback.as_ref().map(|token| bearer(token.expose_secret())).transpose()?;
                Source::TokenFile(Arc::new(TokenFile::new(path.clone(), fallback)))
            }
            Credentials::Basic { username, password } => Source::Fixed(basic(username, password.expose_secret())?),
            Credentials::Exec(exec) => Source::Exec(exec::Plugin::shared(exec, config)?),
            Credentials::Oidc(oidc) => Source::Oidc(oidc::Provider::shared(oidc, fetch)?),
        };
        let impersonation = config.impersonate.as_ref().map(impersonate::headers).transpose()?;
        Ok(Self { source, impersonation: impersonation.map(Arc::new), sent_with: SentWith::of(config) })
    }

    /// Adds the headers. A request that brings its own `Authorization` gets no other credentials.
    pub(crate) async fn authorize(&self, headers: &mut HeaderMap) -> Result<Granted> {
        if let Some(impersonation) = &self.impersonation {
            impersonate::add(headers, impersonation);
        }
        if headers.contains_key(AUTHORIZATION) {
            return Ok(Granted { own_header: true, ..Granted::default() });
        }
        let (header, granted) = match &self.source {
            Source::Anonymous => (None, Granted::default()),
            Source::Fixed(header) => (Some(header.clone()), Granted::default()),
            Source::TokenFile(file) => {
                let (header, generation) = file.header().await?;
                (Some(header), Granted { generation: Some(generation), ..Granted::default() })
            }
            Source::Exec(plugin) => {
                let (credential, generation) = plugin.credential().await?;
                (
                    credential.authorization,
                    Granted { identity: credential.identity, generation: Some(generation), own_header: false },
                )
            }
            Source::Oidc(provider) => (Some(provider.header().await?), Granted::default()),
        };
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, header);
        }
        Ok(granted)
    }

    /// Says that the server answered 401 to what [`authorize`](Self::authorize) granted: the next request gets
    /// something newer, if there is anything newer. Returns what the server did not accept.
    pub(crate) async fn refused(&self, granted: &Granted) -> SentWith {
        match (&self.source, granted.generation) {
            (Source::TokenFile(file), Some(generation)) => file.distrust(generation).await,
            (Source::Exec(plugin), Some(generation)) => plugin.refused(generation),
            _ => {}
        }
        if granted.own_header { SentWith::own_header() } else { self.sent_with.clone() }
    }
}

fn same_secret(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(ExposeSecret::expose_secret) == other.map(ExposeSecret::expose_secret)
}

fn same_pem(one: &PemSource, other: &PemSource) -> bool {
    match (one, other) {
        (PemSource::File(one), PemSource::File(other)) => one == other,
        (PemSource::Text(one), PemSource::Text(other)) => one.expose_secret() == other.expose_secret(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::{config::Impersonation, error::ErrorKind};

    use super::*;

    fn auth(credentials: Credentials) -> Result<Auth> {
        let mut config = Config::new("http://localhost").unwrap();
        config.credentials = credentials;
        Auth::new(&config, |_, _| unreachable!("nothing is fetched"))
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

    #[tokio::test]
    async fn impersonation_is_added_to_requests_with_and_without_credentials() {
        let mut config = Config::new("http://localhost").unwrap();
        config.impersonate = Some(Impersonation::user("jane"));
        for own in [None, Some(HeaderValue::from_static("Bearer mine"))] {
            let auth = Auth::new(&config, |_, _| unreachable!("nothing is fetched")).unwrap();
            let mut headers = HeaderMap::new();
            headers.extend(own.map(|own| (AUTHORIZATION, own)));
            auth.authorize(&mut headers).await.unwrap();
            assert_eq!(headers["impersonate-user"], "jane");
        }
        config.impersonate = Some(Impersonation { groups: vec!["admins".to_owned()], ..Impersonation::default() });
        let error = Auth::new(&config, |_, _| unreachable!("nothing is fetched")).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[test]
    fn an_unusable_token_is_an_error_that_does_not_show_it() {
        let error = auth(Credentials::Bearer(SecretString::from("se\ncret"))).err().unwrap().to_string();
        assert!(error.contains("the token") && !error.contains("cret\""), "{error}");
        assert!(!error.contains("se\ncret"), "{error}");
        for token in ["", " \n"] {
            let error = auth(Credentials::Bearer(SecretString::from(token))).err().unwrap().to_string();
            assert!(error.contains("the token is empty"), "{error}");
        }
    }
}
