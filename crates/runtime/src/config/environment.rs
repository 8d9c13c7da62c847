//! What the process around us says, behind one door so that tests can say something else.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    time::Duration,
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
    #[cfg(any(test, fuzzing))]
    pub(super) fn of<const N: usize>(variables: [(&'static str, OsString); N], service_account: PathBuf) -> Self {
        let variables = std::collections::HashMap::from(variables);
        Self { variables: Box::new(move |name| variables.get(name).cloned()), service_account }
    }

    /// Sets a variable.
    #[cfg(test)]
    pub(super) fn set(&mut self, name: &'static str, value: OsString) {
        let others = std::mem::replace(&mut self.variables, Box::new(|_| None));
        self.variables = Box::new(move |asked| if asked == name { Some(value.clone()) } else { others(asked) });
    }

    /// The value of a variable, if it is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<OsString> {
        (self.variables)(name).filter(|value| !value.is_empty())
    }

    /// The text of a variable, if it is set, not empty and text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.variable(name).as_deref().and_then(OsStr::to_str).map(str::to_owned)
    }

    /// The whole seconds that a variable says, if it is set. Anything else is logged as a warning and passed over.
    pub(super) fn seconds(&self, name: &str) -> Option<Duration> {
        let text = self.variable(name)?;
        let seconds = text.to_str().and_then(|text| text.parse::<u32>().ok());
        if seconds.is_none() {
            tracing::warn!(variable = name, value = ?text, "is not a number of seconds; the default is used");
        }
        seconds.map(|seconds| Duration::from_secs(seconds.into()))
    }

    pub(super) fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").or_else(|| self.variable("USERPROFILE")).map(PathBuf::from)
    }
}
