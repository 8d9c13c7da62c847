//! Where the API server is and who is asking: [`Config`].
//!
//! A [`Config`] is plain data. It comes from a kubeconfig, from the service account of a pod, or from code; what was
//! found can be changed before a client is made of it.
//!
//! ```no_run
//! # fn main() -> Result<(), k8s_client_runtime::Error> {
//! use k8s_client_runtime::config::Config;
//!
//! let found = Config::infer()?; // $KUBECONFIG, ~/.kube/config, in-cluster
//! let staging = Config::loader().context("staging").load()?;
//! # Ok(()) }
//! ```

mod basic;
mod environment;
mod exec;
mod host;
mod impersonation;
mod in_cluster;
mod kubeconfig;
mod limits;
mod loader;
mod oidc;
mod pem;
mod proxy;
mod server;
mod shared_credentials;
mod source;
#[cfg(test)]
mod tests;
mod yaml;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use http::Uri;
use secrecy::SecretString;

use self::{environment::Environment, kubeconfig::overrides::Overrides};
use crate::{error::Result, metrics::Metrics};

#[cfg(any(test, fuzzing))]
pub(crate) use self::yaml::changed as changed_kubeconfigs;
pub(crate) use self::{
    basic::basic_credentials, host::Authority, pem::CaBundle, proxy::ProxyScheme, server::in_ascii,
    shared_credentials::SharedCredentials, yaml::parse_bytes as parse_yaml,
};
pub use self::{
    exec::{ExecApiVersion, ExecConfig, InteractiveMode},
    impersonation::Impersonation,
    kubeconfig::editor::{KubeconfigEditor, KubeconfigSection},
    limits::{RateLimit, RetryPolicy},
    loader::ConfigLoader,
    oidc::{OidcConfig, OidcOrigin},
    pem::PemSource,
    proxy::{Proxy, ProxyUrl},
    source::{ConfigSource, KubeconfigOrigin, KubeconfigSource},
};

/// What a client needs to know to reach an API server.
///
/// The defaults are client-go's where a field does not say otherwise.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The address of the API server, with the path prefix if it has one: `https://host:6443` or
    /// `https://host/k8s/prod`.
    ///
    /// Without a scheme (`host:6443`) it is reached over TLS if anything else of this configuration is for TLS:
    /// [`server_url`](Self::server_url) has the rule.
    pub server: Uri,
    /// The namespace to use where none is named; `default` if the configuration names none.
    pub default_namespace: String,
    /// How the server is authenticated, and the client's certificate.
    pub tls: TlsConfig,
    /// What is sent as `Authorization`. Nothing by default.
    pub credentials: Credentials,
    /// Whom the server is asked to take the client for. Nobody else by default.
    pub impersonate: Option<Impersonation>,
    /// The proxy on the way to the server. That of the environment by default.
    pub proxy: Proxy,
    /// Asks the server not to compress its answers (`disable-compression`), which saves both sides' CPU where the
    /// network is fast. Off by default, as in client-go: large answers come gzipped.
    pub disable_compression: bool,
    /// Asks for JSON and sends JSON only. Off by default, as with client-go's typed clients: types that have a protobuf
    /// form are read and written in it where the server serves it, which costs both sides a fraction. JSON can be read
    /// by people on the way, such as in the traces of this library.
    pub disable_protobuf: bool,
    /// The `User-Agent` of every request. By default it names the program, the platform and this library:
    /// `program/unknown (linux/amd64) k8s-client/0.1.0`.
    pub user_agent: Option<String>,
    /// How long one call may take from its start to the last byte of the answer, tries and pauses between them
    /// included. It does not hold for watches, logs and connections through the server. No limit by default, as in
    /// client-go: an answer whose bytes go on arriving, however slowly, may then take as long as it likes.
    pub timeout: Option<Duration>,
    /// How long the head of an answer may be waited for. 75 seconds by default: kube-apiserver gives up after 60
    /// itself, so only a server that is not there meets this limit. client-go has none. It does not hold for logs and
    /// connections through the server, nor where a call has a longer time limit of its own.
    pub response_header_timeout: Option<Duration>,
    /// How long a TCP connection may take to come about. 30 seconds by default.
    pub connect_timeout: Duration,
    /// How long a TLS handshake may take. 10 seconds by default.
    pub tls_handshake_timeout: Duration,
    /// Speaks HTTP/1.1 only. Off by default; client-go's variable `DISABLE_HTTP2` turns it on.
    pub disable_http2: bool,
    /// After how long a silence an HTTP/2 connection is asked for a sign of life; never if none. 30 seconds by default,
    /// or what client-go's variable `HTTP2_READ_IDLE_TIMEOUT_SECONDS` says, where 0 is never.
    ///
    /// HTTP/1.1 has no such question. There, this and [`http2_ping_timeout`](Self::http2_ping_timeout) together are how
    /// long nothing of a body may arrive that is read to its end, such as that of an object or a list. Watches and logs
    /// may be silent for longer: of them, only a host that is gone is noticed, by TCP's keepalive.
    pub http2_ping_interval: Option<Duration>,
    /// How long that sign of life may take until the connection counts as dead. 15 seconds by default, or what
    /// client-go's variable `HTTP2_PING_TIMEOUT_SECONDS` says.
    pub http2_ping_timeout: Duration,
    /// How many bytes of an answer are taken where all of it is kept: objects, awaited lists and pages of lists, bodies
    /// that are collected. Bytes are counted after decompression. A longer answer is an error. 512 MiB by default,
    /// which is a list of all pods in Kubernetes' largest clusters (150,000 of 3.5 KB each); client-go has no limit, so
    /// that a few kilobytes of gzip from a hostile server can end the program. No limit if none.
    ///
    /// What is decoded takes a multiple of it: about three times the bytes of usual objects, and up to two thousand
    /// times those of answers that somebody made for that purpose. Lower the limit where the server is not trusted.
    /// Watches, logs and items that are read as a stream are not kept and have no limit together; an event or an item
    /// of a list has 16 MiB.
    pub max_response_bytes: Option<u64>,
    /// How often a request is sent again where that is safe.
    pub retry: RetryPolicy,
    /// How many requests are sent in a second. No limit by default.
    pub rate_limit: Option<RateLimit>,
    /// Who is told of requests, connections, certificates and credential plugins. Nobody by default.
    pub metrics: Option<Arc<dyn Metrics>>,
    /// Where this configuration was found.
    pub source: ConfigSource,
}

/// How a server is authenticated, and with which certificate the client answers.
///
/// Without a CA, the roots of the operating system are trusted; with one, that CA alone is.
///
/// ```
/// # fn main() -> Result<(), k8s_client_runtime::Error> {
/// use k8s_client_runtime::config::{ClientIdentity, Config, PemSource};
///
/// let mut config = Config::new("https://10.0.0.1:6443")?;
/// config.tls.ca = Some(PemSource::File("/etc/kubernetes/pki/ca.crt".into()));
/// // The server's certificate is made for a name, and it is reached by its address.
/// config.tls.server_name = Some("kubernetes".to_owned());
/// config.tls.identity = Some(ClientIdentity {
///     certificate: PemSource::File("/etc/kubernetes/pki/admin.crt".into()),
///     key: PemSource::File("/etc/kubernetes/pki/admin.key".into()),
/// });
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TlsConfig {
    /// The only certificates that may have signed the server's. The roots of the operating system by default.
    ///
    /// Each counts as what it is, within its dates, as in Go: a CA signs certificates of servers; any other certificate
    /// is accepted from the server itself and signs nothing. A block that cannot be used is passed over with a warning
    /// if there are others. While the file is empty, no server is trusted.
    pub ca: Option<PemSource>,
    /// Accepts any certificate of the server. Whoever is between client and server can read and change everything.
    pub insecure_skip_verify: bool,
    /// The name that the server's certificate must be valid for, and that is sent as SNI, instead of the host of
    /// [`Config::server`].
    pub server_name: Option<String>,
    /// The certificate by which the client authenticates itself.
    pub identity: Option<ClientIdentity>,
}

/// A client certificate and its private key.
#[derive(Clone, Debug)]
pub struct ClientIdentity {
    /// The certificate, of any version of X.509, followed by the intermediate ones if there are any.
    pub certificate: PemSource,
    /// The private key: PKCS#8, PKCS#1 or SEC1.
    pub key: PemSource,
}

/// What a client sends as `Authorization`. A request that brings its own header keeps it.
///
/// A configuration that was found has its credentials already; a program may replace them before it makes a client.
/// `Debug` never shows a secret.
///
/// ```
/// # fn main() -> Result<(), k8s_client_runtime::Error> {
/// use k8s_client_runtime::config::{Config, Credentials};
///
/// let mut config = Config::new("https://10.0.0.1:6443")?;
/// // A token that does not change.
/// config.credentials = Credentials::Bearer("eyJhbGciOi...".into());
/// assert!(!format!("{config:?}").contains("eyJhbGciOi"));
/// // One that somebody renews in a file.
/// config.credentials = Credentials::TokenFile { path: "/run/secrets/token".into(), fallback: None };
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Credentials {
    /// Nothing: the client is anonymous, or its certificate says who it is.
    #[default]
    None,
    /// A bearer token.
    Bearer(SecretString),
    /// A bearer token in a file that somebody else renews, such as the kubelet. It is read again every minute, and
    /// after the server refused it.
    TokenFile {
        /// The file. Space around the token is ignored.
        path: PathBuf,
        /// What to send as long as the file has never been readable.
        fallback: Option<SecretString>,
    },
    /// A user name and a password.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// What a credential plugin answers: a token, a client certificate, or both.
    Exec(ExecConfig),
    /// A token of an OpenID Connect provider, renewed when its time is over. A 401 does not renew it, as in client-go.
    Oidc(OidcConfig),
}

impl Config {
    /// A configuration without credentials for a server: a URL, or a host with or without a port.
    ///
    /// Without a scheme, [`server_url`](Self::server_url) chooses one. International host names become ASCII
    /// (`xn--…`), and a path is escaped where that is needed.
    pub fn new(server: &str) -> Result<Self> {
        Ok(Self::at(server::parse(server)?, &Environment::process()))
    }

    /// The URL that a client of this configuration asks.
    ///
    /// It is [`server`](Self::server). Where that has no scheme, `https` is meant if there is a CA, a client
    /// certificate or [`insecure_skip_verify`](TlsConfig::insecure_skip_verify), as in client-go, and also if there are
    /// [`credentials`](Self::credentials): they are sent in clear only where somebody wrote `http://`. Otherwise `http`
    /// is meant.
    ///
    /// ```
    /// # fn main() -> Result<(), k8s_client_runtime::Error> {
    /// use k8s_client_runtime::config::{Config, Credentials};
    ///
    /// let mut config = Config::new("10.0.0.1:6443")?;
    /// assert_eq!(config.server_url()?, "http://10.0.0.1:6443/");
    /// config.credentials = Credentials::Bearer("a token".into());
    /// assert_eq!(config.server_url()?, "https://10.0.0.1:6443/");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// When a program has set `server` to something else than a URL of `http` or `https`, or a host.
    pub fn server_url(&self) -> Result<Uri> {
        server::with_scheme(self)
    }

    /// A configuration for another server than the API server, such as a provider of tokens.
    pub(crate) fn of_url(url: Uri) -> Self {
        Self::at(url, &Environment::process())
    }

    fn at(server: Uri, environment: &Environment) -> Self {
        let ping_interval = environment.seconds("HTTP2_READ_IDLE_TIMEOUT_SECONDS").unwrap_or(HTTP2_PING_INTERVAL);
        let ping_timeout = environment.seconds("HTTP2_PING_TIMEOUT_SECONDS");
        Self {
            server,
            default_namespace: DEFAULT_NAMESPACE.to_owned(),
            tls: TlsConfig::default(),
            credentials: Credentials::None,
            impersonate: None,
            proxy: Proxy::default(),
            disable_compression: false,
            disable_protobuf: false,
            user_agent: None,
            timeout: None,
            response_header_timeout: Some(RESPONSE_HEADER_TIMEOUT),
            connect_timeout: CONNECT_TIMEOUT,
            tls_handshake_timeout: TLS_HANDSHAKE_TIMEOUT,
            disable_http2: environment.variable("DISABLE_HTTP2").is_some(),
            http2_ping_interval: Some(ping_interval).filter(|interval| !interval.is_zero()),
            // Go's HTTP/2 takes 0 for its own default, which is the same.
            http2_ping_timeout: ping_timeout.filter(|limit| !limit.is_zero()).unwrap_or(HTTP2_PING_TIMEOUT),
            max_response_bytes: Some(MAX_RESPONSE_BYTES),
            retry: RetryPolicy::default(),
            rate_limit: None,
            metrics: None,
            source: ConfigSource::Program,
        }
    }

    /// Finds the configuration as kubectl does: the files of `$KUBECONFIG`, or else `~/.kube/config`; where they hold
    /// nothing at all, the service account of the pod.
    ///
    /// A configuration that was given and is broken is an error, never a reason to look elsewhere.
    pub fn infer() -> Result<Self> {
        Self::loader().load()
    }

    /// Finds the configuration like [`infer`](Self::infer), with choices: another file, another context, other values.
    pub fn loader() -> ConfigLoader {
        ConfigLoader::default()
    }

    /// Reads the current context of one kubeconfig file.
    pub fn from_kubeconfig(path: impl AsRef<Path>) -> Result<Self> {
        Self::loader().kubeconfig(path.as_ref()).load()
    }

    /// Reads the current context of the text of a kubeconfig. Relative paths in it mean the working directory.
    pub fn from_kubeconfig_text(text: &str) -> Result<Self> {
        let kubeconfig = kubeconfig::Kubeconfig::parse(text, None)?;
        kubeconfig::resolve::resolve(
            &kubeconfig,
            &Overrides::default(),
            &Environment::process(),
            KubeconfigOrigin::Text,
        )
    }

    /// Uses the service account of the pod that the program runs in.
    ///
    /// `$KUBERNETES_SERVICE_HOST` and `$KUBERNETES_SERVICE_PORT` must both be set and the token must be there. The
    /// token is read again as the kubelet renews it. The namespace is `$POD_NAMESPACE`, or else the pod's own. The
    /// server is trusted by the service account's `ca.crt`; where that is missing or unusable, which is logged and no
    /// error, by the roots of the operating system, as with client-go. While it is empty, no server is trusted.
    pub fn in_cluster() -> Result<Self> {
        in_cluster::load(&Environment::process(), &Overrides::default())
    }
}

/// client-go's dialer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const RESPONSE_HEADER_TIMEOUT: Duration = Duration::from_secs(75);
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_RESPONSE_BYTES: u64 = 512 << 20;
const DEFAULT_NAMESPACE: &str = "default";
