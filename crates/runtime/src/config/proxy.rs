//! The proxy on the way to the server.

use std::fmt;

use http::Uri;
use secrecy::SecretString;

use crate::error::{Error, Result};

/// Which proxy a client goes through.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Proxy {
    /// The one that `HTTPS_PROXY` or `HTTP_PROXY` names for the server's scheme, unless `NO_PROXY` excepts the server.
    #[default]
    Environment,
    /// None, whatever the environment says.
    Direct,
    /// This one, for every server.
    Url(ProxyUrl),
}

/// The address of a proxy: `http`, `https`, `socks5` or `socks5h`.
#[derive(Clone)]
pub struct ProxyUrl {
    /// Without user name and password.
    pub(crate) uri: Uri,
    pub(crate) login: Option<(String, SecretString)>,
}

impl ProxyUrl {
    /// Reads the address of a proxy, with or without a user name and a password.
    pub fn parse(url: &str) -> Result<Self> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| Error::config("a proxy's URL has a scheme"))?;
        if !["http", "https", "socks5", "socks5h"].contains(&scheme) {
            return Err(Error::config(format!("{scheme:?} is no scheme of a proxy")));
        }
        let (login, host) = rest.rsplit_once('@').map_or((None, rest), |(login, host)| (Some(login), host));
        let uri = format!("{scheme}://{host}").parse().map_err(|_| Error::config("is no URL"))?;
        let login = login.map(|login| login.split_once(':').unwrap_or((login, "")));
        Ok(Self { uri, login: login.map(|(name, password)| (name.to_owned(), SecretString::from(password))) })
    }
}

/// Shows the address, never the password.
impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uri)
    }
}
