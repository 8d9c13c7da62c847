//! Credential plugins: programs that answer with a token, a client certificate, or both.

mod answer;
mod info;
#[cfg(unix)]
mod lookup;
mod run;
#[cfg(test)]
mod tests;

use std::{
    io::{self, IsTerminal},
    sync::Arc,
    time::Duration,
};

use http::HeaderValue;
use serde_json::Value;

use super::{
    fetched::{Fetched, Fresh, Generation},
    same_pem, same_secret,
};
use crate::{
    config::{ClientIdentity, Config, ExecApiVersion, ExecConfig, InteractiveMode, SharedCredentials},
    error::{Error, ErrorKind, Result},
    metrics::{ExecPluginOutcome, Metrics},
    text::{Keep, printable},
};

/// How long a plugin may take that cannot ask the user on the terminal. client-go has no limit, and then a plugin that
/// hangs stops all requests for good. It is long since such a plugin may still wait for a login in a browser.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// A plugin and what it answered last.
pub(super) struct Plugin {
    settings: Arc<Settings>,
    answers: Fetched<Credential>,
}

struct Settings {
    /// Without what is shared, which holds this.
    exec: ExecConfig,
    /// What the plugin is told about the cluster, if it is told anything.
    cluster: Option<Value>,
    stdin_is_terminal: fn() -> bool,
    metrics: Option<Arc<dyn Metrics>>,
}

/// What a plugin gives to each request.
#[derive(Clone)]
pub(super) struct Credential {
    pub(super) authorization: Option<HeaderValue>,
    pub(super) identity: Option<Arc<ClientIdentity>>,
}

/// Whether an answer is good, or what is wrong with it, for `fuzzing`.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_answer(output: &[u8], version: ExecApiVersion) -> Result<(), String> {
    answer::parse(output, version).map(drop)
}

impl Plugin {
    /// The plugin that the clients of this configuration share.
    pub(super) fn shared(exec: &ExecConfig, config: &Config) -> Result<Arc<Self>> {
        Self::with_terminal(exec, config, || io::stdin().is_terminal())
    }

    fn with_terminal(exec: &ExecConfig, config: &Config, stdin_is_terminal: fn() -> bool) -> Result<Arc<Self>> {
        let cluster = exec.provide_cluster_info.then(|| info::cluster(exec, config)).transpose()?;
        let suits = |kept: &Self| same(&kept.settings.exec, exec) && kept.settings.cluster == cluster;
        let make = || {
            let exec = ExecConfig { shared: SharedCredentials::default(), ..exec.clone() };
            let (cluster, metrics) = (cluster.clone(), config.metrics.clone());
            let settings = Settings { exec, cluster, stdin_is_terminal, metrics };
            Self { settings: Arc::new(settings), answers: Fetched::new(None) }
        };
        Ok(exec.shared.get_or_insert(suits, make))
    }

    /// What the plugin answered, as long as that is good; otherwise what it answers now.
    pub(super) async fn credential(&self) -> Result<(Credential, Generation)> {
        self.answers.get(|last| self.settings.clone().ask(last)).await
    }

    pub(super) fn refused(&self, generation: Generation) {
        self.answers.refuse(generation);
    }
}

impl Settings {
    async fn ask(self: Arc<Self>, last: Option<Credential>) -> Result<Fresh<Credential>> {
        let exec = &self.exec;
        let interactive = interactive(exec, self.stdin_is_terminal)?;
        let info = info::exec_info(exec.api_version, self.cluster.as_ref(), interactive);
        tracing::debug!(command = ?exec.command, interactive, "running the credential plugin");
        let output = run::run(exec, &info, interactive, (!interactive).then_some(TIME_LIMIT)).await;
        if let Some(metrics) = &self.metrics {
            let outcome = output.as_ref().map_or_else(|failure| failure.outcome, |_| ExecPluginOutcome::NoError);
            metrics.exec_plugin_call(&exec.command, outcome);
        }
        let output = output.map_err(|failure| failure.error)?;
        let mut fresh = answer::parse(&output, exec.api_version)
            .map_err(|what| error(&exec.command, format_args!("printed no valid ExecCredential: {what}")))?;
        // Connections are renewed when the certificate is another one, which its Arc tells.
        if let (Some(identity), Some(last)) = (&mut fresh.value.identity, last.and_then(|last| last.identity))
            && same_pem(&identity.certificate, &last.certificate)
            && same_pem(&identity.key, &last.key)
        {
            *identity = last;
        }
        Ok(fresh)
    }
}

/// Whether the plugin gets standard input.
fn interactive(exec: &ExecConfig, stdin_is_terminal: impl FnOnce() -> bool) -> Result<bool> {
    match (exec.interactive_mode, &exec.stdin_unavailable) {
        (InteractiveMode::Never, _) | (InteractiveMode::IfAvailable, Some(_)) => Ok(false),
        (InteractiveMode::IfAvailable, None) => Ok(stdin_is_terminal()),
        (InteractiveMode::Always, Some(reason)) => {
            Err(error(&exec.command, format_args!("must ask the user, but standard input is unavailable: {reason}")))
        }
        (InteractiveMode::Always, None) if stdin_is_terminal() => Ok(true),
        (InteractiveMode::Always, None) => Err(error(
            &exec.command,
            format_args!("must ask the user (interactiveMode Always), but standard input is not a terminal"),
        )),
    }
}

fn api_version(version: ExecApiVersion) -> &'static str {
    match version {
        ExecApiVersion::V1 => "client.authentication.k8s.io/v1",
        ExecApiVersion::V1Beta1 => "client.authentication.k8s.io/v1beta1",
    }
}

fn error(command: &str, what: std::fmt::Arguments<'_>) -> Error {
    Error::new(ErrorKind::Auth, format!("exec: executable {} {what}", printable(command, Keep::Nothing)))
}

fn same(one: &ExecConfig, other: &ExecConfig) -> bool {
    let ExecConfig {
        command,
        args,
        env,
        api_version,
        install_hint,
        provide_cluster_info,
        interactive_mode,
        stdin_unavailable,
        cluster_extension,
        shared: _,
    } = one;
    let same_env = env.len() == other.env.len()
        && env.iter().zip(&other.env).all(|((name, value), (other_name, other_value))| {
            name == other_name && same_secret(Some(value), Some(other_value))
        });
    same_env
        && *command == other.command
        && *args == other.args
        && *api_version == other.api_version
        && *install_hint == other.install_hint
        && *provide_cluster_info == other.provide_cluster_info
        && *interactive_mode == other.interactive_mode
        && *stdin_unavailable == other.stdin_unavailable
        && *cluster_extension == other.cluster_extension
}
