//! Which configuration is meant: [`ConfigLoader`].

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::{
    Config, Impersonation, KubeconfigEditor, KubeconfigOrigin, PemSource, Proxy,
    environment::Environment,
    in_cluster,
    kubeconfig::{
        Kubeconfig, describe_files,
        overrides::{self, Overrides},
        resolve::resolve,
    },
};
use crate::{
    error::{Error, Result},
    file,
};

/// Finds a configuration by kubectl's rules; [`Config::loader`] makes it.
///
/// | given | what is read |
/// |---|---|
/// | [`kubeconfig`](Self::kubeconfig) | that file alone, which must exist |
/// | `$KUBECONFIG` | every file of the list that exists; of entries of one name, the first one counts, whole |
/// | neither | `~/.kube/config` |
/// | nothing in any of these | the service account of the pod, unless a file, an entry or a server was asked for |
///
/// The other methods set values in place of what is found, by the rules of client-go's `ConfigOverrides`: a value
/// counts for that field, and for those that would contradict it, as each method says. Empty texts change nothing, so
/// that the flags of a program can be handed on as they are.
///
/// # A kubeconfig of somebody else
///
/// Loading it reads files and runs nothing. A client that is made of it may, at its first request, run a program that
/// it names, send the content of a file that it names to its server, and talk to any host. Look at it first:
///
/// ```no_run
/// # fn main() -> Result<(), k8s_client_runtime::Error> {
/// use k8s_client_runtime::config::{Config, Credentials};
///
/// let config = Config::loader().kubeconfig("downloaded.yaml").load()?;
/// match &config.credentials {
///     Credentials::Exec(plugin) => println!("it runs {}", plugin.command),
///     Credentials::TokenFile { path, .. } => println!("it sends {} to {}", path.display(), config.server),
///     _ => {}
/// }
/// # Ok(()) }
/// ```
///
/// # Examples
///
/// ```no_run
/// # fn main() -> Result<(), k8s_client_runtime::Error> {
/// use k8s_client_runtime::config::{Config, Impersonation};
///
/// let config = Config::loader()
///     .context("staging")
///     .namespace("shop")
///     .timeout("30s")
///     .impersonate(Impersonation::user("auditor"))
///     .load()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "the configuration is read by `load`"]
pub struct ConfigLoader {
    path: Option<PathBuf>,
    overrides: Overrides,
}

impl ConfigLoader {
    /// Reads this file and no other, as `kubectl --kubeconfig` does. An empty path is an error, not a file that is
    /// found elsewhere.
    ///
    /// It may be a pipe. What a kubeconfig names must be regular files; none may have more than 16 MiB.
    pub fn kubeconfig(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Uses this context instead of the current one, as `kubectl --context` does.
    pub fn context(mut self, name: impl Into<String>) -> Self {
        self.overrides.context = overrides::text(name);
        self
    }

    /// Uses the cluster of this name instead of the context's, as `kubectl --cluster` does.
    pub fn cluster(mut self, name: impl Into<String>) -> Self {
        self.overrides.cluster = overrides::text(name);
        self
    }

    /// Uses the user of this name instead of the context's, as `kubectl --user` does.
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.overrides.user = overrides::text(name);
        self
    }

    /// Uses this namespace instead of the context's, as `kubectl --namespace` does, which also takes `ns/shop`,
    /// `namespace/shop` and `namespaces/shop`.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        let namespace = namespace.into();
        let prefixes = ["namespaces/", "namespace/", "ns/"];
        let name = prefixes.iter().find_map(|prefix| namespace.strip_prefix(prefix)).unwrap_or(&namespace);
        self.overrides.namespace = overrides::text(name);
        self
    }

    /// Asks this server, as `kubectl --server` does. The cluster's `tls-server-name` is another server's and does not
    /// count.
    pub fn server(mut self, server: impl Into<String>) -> Self {
        self.overrides.server = overrides::text(server);
        self
    }

    /// Expects the server's certificate to be valid for this name, as `kubectl --tls-server-name` does.
    pub fn tls_server_name(mut self, name: impl Into<String>) -> Self {
        self.overrides.tls_server_name = overrides::text(name);
        self
    }

    /// Accepts any certificate of the server, as `kubectl --insecure-skip-tls-verify` does. The cluster's CA does not
    /// count then. `false` changes nothing.
    pub fn insecure_skip_tls_verify(mut self, insecure: bool) -> Self {
        self.overrides.insecure_skip_tls_verify = insecure;
        self
    }

    /// Trusts this CA, as `kubectl --certificate-authority` does. The cluster's own and its `insecure-skip-tls-verify`
    /// do not count then.
    pub fn certificate_authority(mut self, ca: PemSource) -> Self {
        self.overrides.certificate_authority = Some(overrides::pem(ca));
        self
    }

    /// Uses this client certificate, as `kubectl --client-certificate` does. The user's does not count, be it a file or
    /// data.
    pub fn client_certificate(mut self, certificate: PemSource) -> Self {
        self.overrides.client_certificate = Some(overrides::pem(certificate));
        self
    }

    /// Uses this private key, as `kubectl --client-key` does. The user's does not count, be it a file or data.
    pub fn client_key(mut self, key: PemSource) -> Self {
        self.overrides.client_key = Some(overrides::pem(key));
        self
    }

    /// Sends this bearer token, as `kubectl --token` does. The user's `token` and `tokenFile` do not count then; in
    /// client-go the file goes on to win.
    pub fn token(mut self, token: SecretString) -> Self {
        self.overrides.token = overrides::secret(token);
        self
    }

    /// Sends this user name, as `kubectl --username` does.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.overrides.username = overrides::text(username);
        self
    }

    /// Sends this password, as `kubectl --password` does.
    pub fn password(mut self, password: SecretString) -> Self {
        self.overrides.password = overrides::secret(password);
        self
    }

    /// Limits the time of each call, as `kubectl --request-timeout` does: whole seconds (`30`), or a duration of Go
    /// (`1m30s`). 0 is no limit. What is neither is an error of [`load`](Self::load).
    pub fn timeout(mut self, timeout: impl Into<String>) -> Self {
        self.overrides.timeout = overrides::text(timeout);
        self
    }

    /// Goes through this proxy instead of the cluster's `proxy-url` or the environment's.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.overrides.proxy = Some(proxy);
        self
    }

    /// Asks the server not to compress its answers, as `kubectl --disable-compression` does. `false` changes nothing.
    pub fn disable_compression(mut self, disable: bool) -> Self {
        self.overrides.disable_compression = disable;
        self
    }

    /// Acts as somebody else, as `kubectl --as`, `--as-uid`, `--as-group` and `--as-user-extra` do. What is empty is as
    /// the kubeconfig's user has it; extra facts are added to those of the user.
    pub fn impersonate(mut self, impersonation: Impersonation) -> Self {
        self.overrides.impersonate = impersonation;
        self
    }

    /// Reads the configuration.
    pub fn load(self) -> Result<Config> {
        self.load_from(&Environment::process())
    }

    /// Changes the files that [`load`](Self::load) reads.
    ///
    /// Each entry is changed in the file that it is from. What is new goes to client-go's default file: the first of
    /// `$KUBECONFIG` that exists, or else the last one of that list; without that variable it is `~/.kube/config`. The
    /// values set on this loader play no part in it.
    pub fn editor(&self) -> Result<KubeconfigEditor> {
        self.editor_from(&Environment::process())
    }

    pub(super) fn load_from(self, environment: &Environment) -> Result<Config> {
        let overrides = &self.overrides;
        let (origin, paths) = self.paths(environment);
        let mut kubeconfig = Kubeconfig::default();
        for path in &paths {
            match Kubeconfig::read(path)? {
                Some(file) => kubeconfig.merge(file),
                None if path.as_os_str().is_empty() => {
                    return Err(Error::config("the path of the kubeconfig is empty"));
                }
                None if origin == KubeconfigOrigin::Explicit => {
                    return Err(Error::config(format!("{}: the kubeconfig does not exist", file::shown(path))));
                }
                None => {}
            }
        }
        if kubeconfig.files.is_empty() && origin == KubeconfigOrigin::Variable {
            tracing::warn!(files = describe_files(&paths), "none of the files that KUBECONFIG lists exists");
        }
        if !kubeconfig.is_empty() || overrides.want_a_kubeconfig() || origin == KubeconfigOrigin::Explicit {
            return resolve(&kubeconfig, overrides, environment, origin);
        }
        if in_cluster::is_pod(environment) {
            return in_cluster::load(environment, overrides);
        }
        Err(nothing_found(origin, &paths, &kubeconfig.files))
    }

    pub(super) fn editor_from(&self, environment: &Environment) -> Result<KubeconfigEditor> {
        let (_, paths) = self.paths(environment);
        if paths.is_empty() {
            return Err(Error::config("there is no kubeconfig to change: neither KUBECONFIG nor HOME is set"));
        }
        Ok(KubeconfigEditor::of_files(paths))
    }

    /// The files to read, in order of precedence, and why these.
    fn paths(&self, environment: &Environment) -> (KubeconfigOrigin, Vec<PathBuf>) {
        if let Some(path) = &self.path {
            return (KubeconfigOrigin::Explicit, vec![path.clone()]);
        }
        let Some(list) = environment.variable("KUBECONFIG") else {
            let path = environment.home().map(|home| home.join(".kube").join("config"));
            return (KubeconfigOrigin::Home, path.into_iter().collect());
        };
        let mut paths = Vec::new();
        for path in std::env::split_paths(&list) {
            if path != Path::new("") && !paths.contains(&path) {
                paths.push(path);
            }
        }
        (KubeconfigOrigin::Variable, paths)
    }
}

/// `read` are those of the files that exist.
fn nothing_found(origin: KubeconfigOrigin, paths: &[PathBuf], read: &[PathBuf]) -> Error {
    let is_there = |path: &PathBuf| std::path::absolute(path).is_ok_and(|path| read.contains(&path));
    let state = |path: &PathBuf| {
        format!("{} {}", file::shown(path), if is_there(path) { "is empty" } else { "does not exist" })
    };
    let files: Vec<_> = paths.iter().map(state).collect();
    let files = match (origin, &files[..]) {
        (KubeconfigOrigin::Home, []) => "HOME is not set".to_owned(),
        (_, []) => "KUBECONFIG lists no file".to_owned(),
        (KubeconfigOrigin::Variable, files) => format!("of KUBECONFIG, {}", files.join(", ")),
        (_, files) => files.join(", "),
    };
    Error::config(format!(
        "no configuration has been provided: {files}, and this is not a pod (KUBERNETES_SERVICE_HOST and \
         KUBERNETES_SERVICE_PORT are not set); set KUBECONFIG to a kubeconfig file"
    ))
}
