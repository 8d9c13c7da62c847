//! Credentials that another program gives: the `exec` entry of a kubeconfig's user.

use std::fmt;

use secrecy::SecretString;

use super::SharedCredentials;

/// How to run a credential plugin, such as `aws eks get-token`.
///
/// The defaults are client-go's. All clients of one configuration and its clones share what the plugin answered, and
/// run it once however many requests wait for it.
///
/// ```
/// # fn main() -> Result<(), k8s_client_runtime::Error> {
/// use k8s_client_runtime::config::{Config, Credentials, ExecConfig, InteractiveMode};
///
/// let mut plugin = ExecConfig::new("aws");
/// plugin.args = ["eks", "get-token", "--cluster-name", "prod"].map(str::to_owned).to_vec();
/// plugin.env = vec![("AWS_PROFILE".to_owned(), "operations".into())];
/// plugin.interactive_mode = InteractiveMode::Never;
///
/// let mut config = Config::new("https://prod.example:6443")?;
/// config.credentials = Credentials::Exec(plugin);
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ExecConfig {
    /// The program: a path, or a name to be looked for in this process's `$PATH`. As in Go, a name is never that of a
    /// program in the working directory.
    pub command: String,
    /// Its arguments. `Debug` does not show them, since plugins take secrets so.
    pub args: Vec<String>,
    /// Variables set in addition to those of this process. The values are never shown.
    pub env: Vec<(String, SecretString)>,
    /// The form of the answer that the plugin must give.
    pub api_version: ExecApiVersion,
    /// What to tell a user who does not have the program.
    pub install_hint: Option<String>,
    /// Whether the plugin is told which cluster it is for. Off by default.
    pub provide_cluster_info: bool,
    /// Whether the plugin may ask the user. [`InteractiveMode::IfAvailable`] by default.
    pub interactive_mode: InteractiveMode,
    /// Why standard input is not to be used, if it is not: `Some` text is shown to the user where a plugin needs it.
    pub stdin_unavailable: Option<String>,
    /// What the cluster's extension `client.authentication.k8s.io/exec` says; the plugin gets it as
    /// `spec.cluster.config`.
    pub cluster_extension: Option<serde_json::Value>,
    /// What the clients of this configuration share.
    pub(crate) shared: SharedCredentials,
}

/// The version of `client.authentication.k8s.io` that a plugin speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExecApiVersion {
    /// `client.authentication.k8s.io/v1`
    #[default]
    V1,
    /// `client.authentication.k8s.io/v1beta1`
    V1Beta1,
}

/// Whether a credential plugin gets standard input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InteractiveMode {
    /// It never does.
    Never,
    /// It does where standard input is a terminal.
    #[default]
    IfAvailable,
    /// It does, and where standard input is no terminal, that is an error.
    Always,
}

impl ExecConfig {
    /// Runs this program, without arguments, and expects an answer of v1.
    pub fn new(command: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            args: Vec::new(),
            env: Vec::new(),
            api_version: ExecApiVersion::default(),
            install_hint: None,
            provide_cluster_info: false,
            interactive_mode: InteractiveMode::default(),
            stdin_unavailable: None,
            cluster_extension: None,
            shared: SharedCredentials::default(),
        }
    }
}

/// Shows neither the arguments, where some plugins take their secrets, nor the cluster's extension; client-go neither.
impl fmt::Debug for ExecConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("ExecConfig")
            .field("command", &self.command)
            .field("args", &format_args!("[{} hidden]", self.args.len()))
            .field("env", &names)
            .field("api_version", &self.api_version)
            .field("install_hint", &self.install_hint)
            .field("provide_cluster_info", &self.provide_cluster_info)
            .field("interactive_mode", &self.interactive_mode)
            .field("stdin_unavailable", &self.stdin_unavailable)
            .finish_non_exhaustive()
    }
}
