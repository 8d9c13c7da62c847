//! What the process around us says, behind one door so that tests can say something else.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

type Variables = dyn Fn(&str) -> Option<OsString>;

/// Environment variables and the well-known folder of service accounts.
pub(super) struct Environment {
    variables: Box<Variables>,
    /// Where the kubelet mounts the service account.
    pub(super) service_account: PathBuf,
}

impl Environment {
    pub(super) fn process() -> Self {
        Self {
            variables: Box::new(|name| std::env::var_os(name)),
            service_account: PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount"),
        }
    }

    /// An environment of the given variables and no others.
    #[cfg(test)]
    pub(super) fn of<const N: usize>(variables: [(&'static str, OsString); N], service_account: PathBuf) -> Self {
        let variables = std::collections::HashMap::from(variables);
        Self { variables: Box::new(move |name| variables.get(name).cloned()), service_account }
    }

    /// The value of a variable, if it is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<OsString> {
        (self.variables)(name).filter(|value| !value.is_empty())
    }

    /// The text of a variable, if it is set, not empty and text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.variable(name).as_deref().and_then(OsStr::to_str).map(str::to_owned)
    }

    pub(super) fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").or_else(|| self.variable("USERPROFILE")).map(PathBuf::from)
    }
}
