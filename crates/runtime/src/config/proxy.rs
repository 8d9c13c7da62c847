//! The proxy on the way to the server.

use std::fmt;

use http::Uri;
use secrecy::SecretString;

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

/// Shows the address, never the password.
impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uri)
    }
}
