//! OpenID Connect: the `auth-provider` entry `oidc` of a kubeconfig's user.

use std::path::PathBuf;

use secrecy::SecretString;

use super::{PemSource, SharedCredentials};

/// A token of an OpenID Connect provider, and how to renew it.
///
/// All clients of one configuration and its clones share the renewed token.
///
/// ```
/// # fn main() -> Result<(), k8s_client_runtime::Error> {
/// use k8s_client_runtime::config::{Config, Credentials, OidcConfig};
///
/// let mut oidc = OidcConfig::new("https://login.example/realms/main", "kubernetes");
/// // What a login has brought; the token is got with it.
/// oidc.refresh_token = Some("eyJhbGciOi...".into());
///
/// let mut config = Config::new("https://10.0.0.1:6443")?;
/// config.credentials = Credentials::Oidc(oidc);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OidcConfig {
    /// The provider's URL (`idp-issuer-url`); its `/.well-known/openid-configuration` says where tokens are renewed.
    /// That may be behind up to ten redirects, to the same host or by https.
    pub issuer_url: String,
    /// The client id (`client-id`).
    pub client_id: String,
    /// The client secret (`client-secret`), if the provider wants one.
    pub client_secret: Option<SecretString>,
    /// The token sent to the API server (`id-token`), as long as it is good.
    pub id_token: Option<SecretString>,
    /// What a new token is got with (`refresh-token`). Without it a token that has expired is an error.
    pub refresh_token: Option<SecretString>,
    /// The only certificates that may have signed the provider's (`idp-certificate-authority`, `-data`). The roots of
    /// the operating system by default.
    pub ca: Option<PemSource>,
    /// The kubeconfig file and the user in it that renewed tokens are written back to. Nowhere by default.
    pub origin: Option<OidcOrigin>,
    /// What the clients of this configuration share.
    pub(crate) shared: SharedCredentials,
}

/// The entry of a kubeconfig that renewed tokens are written back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcOrigin {
    /// The file.
    pub file: PathBuf,
    /// The name of the user.
    pub user: String,
}

impl OidcConfig {
    /// A provider and a client id, without tokens.
    pub fn new(issuer_url: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            issuer_url: issuer_url.into(),
            client_id: client_id.into(),
            client_secret: None,
            id_token: None,
            refresh_token: None,
            ca: None,
            origin: None,
            shared: SharedCredentials::default(),
        }
    }
}
