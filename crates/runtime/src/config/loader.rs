//! Which configuration is meant: [`ConfigLoader`].

use std::path::{Path, PathBuf};

use super::{
    Config,
    environment::Environment,
    in_cluster,
    kubeconfig::{Kubeconfig, describe_files},
    resolve::resolve,
};
use crate::error::{Error, Result};

/// Finds a configuration by kubectl's rules; [`Config::loader`] makes it.
///
/// | given | what is read |
/// |---|---|
/// | [`kubeconfig`](Self::kubeconfig) | that file alone, which must exist |
/// | `$KUBECONFIG` | every file of the list that exists; of entries of one name, the first one counts, whole |
/// | neither | `~/.kube/config` |
/// | nothing in any of these | the service account of the pod, unless a file or a context was asked for |
#[derive(Clone, Debug, Default)]
#[must_use = "the configuration is read by `load`"]
pub struct ConfigLoader {
    path: Option<PathBuf>,
    context: Option<String>,
}

impl ConfigLoader {
    /// Reads this file and no other, as `kubectl --kubeconfig` does.
    pub fn kubeconfig(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Uses this context instead of the current one, as `kubectl --context` does.
    pub fn context(mut self, name: impl Into<String>) -> Self {
        self.context = Some(name.into());
        self
    }

    /// Reads the configuration.
    pub fn load(self) -> Result<Config> {
        self.load_from(&Environment::process())
    }

    pub(super) fn load_from(self, environment: &Environment) -> Result<Config> {
        let context = self.context.as_deref();
        if let Some(path) = &self.path {
            let kubeconfig = Kubeconfig::read(path)?
                .ok_or_else(|| Error::config(format!("{}: the kubeconfig does not exist", path.display())))?;
            return resolve(&kubeconfig, context);
        }
        let paths = default_paths(environment);
        let mut kubeconfig = Kubeconfig::default();
        for path in &paths {
            if let Some(file) = Kubeconfig::read(path)? {
                kubeconfig.merge(file);
            }
        }
        if !kubeconfig.is_empty() || context.is_some() {
            return resolve(&kubeconfig, context);
        }
        if in_cluster::is_pod(environment) {
            return in_cluster::load(environment);
        }
        Err(nothing_found(&paths))
    }
}

fn default_paths(environment: &Environment) -> Vec<PathBuf> {
    let Some(list) = environment.variable("KUBECONFIG") else {
        return environment.home().map(|home| home.join(".kube").join("config")).into_iter().collect();
    };
    let mut paths = Vec::new();
    for path in std::env::split_paths(&list) {
        if path != Path::new("") && !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

fn nothing_found(paths: &[PathBuf]) -> Error {
    let files = if paths.is_empty() { "no file ($HOME is not set)".to_owned() } else { describe_files(paths) };
    Error::config(format!(
        "no configuration has been provided: looked into {files}, and this is no pod (KUBERNETES_SERVICE_HOST and \
         KUBERNETES_SERVICE_PORT are not set); set KUBECONFIG to a kubeconfig file"
    ))
}
