//! From a context of a kubeconfig to a [`Config`].

use super::{
    Entries, Entry, Kubeconfig,
    connection::build,
    describe_file, describe_files,
    entries::{Cluster, Context, User},
    located::{Located, Problems},
    overrides::Overrides,
};
use crate::{
    config::{Config, ConfigSource, KubeconfigOrigin, KubeconfigSource, environment::Environment, in_cluster},
    error::{Error, Result},
    text::non_empty,
};

/// Makes a [`Config`] of the context that overrides name, or of the current one.
pub(in crate::config) fn resolve(
    kubeconfig: &Kubeconfig,
    overrides: &Overrides,
    environment: &Environment,
    origin: KubeconfigOrigin,
) -> Result<Config> {
    let files = describe_files(&kubeconfig.files);
    let context_name = overrides.context.as_deref().or(kubeconfig.current_context.as_deref());
    let context = match context_name {
        Some(name) => Some((name, find(&kubeconfig.contexts, "context", name, &files)?)),
        None if overrides.name_a_server() => None,
        None => return Err(no_current_context(kubeconfig)),
    };
    let of_context =
        |field: fn(&Context) -> Option<&String>| context.and_then(|(_, entry)| non_empty(field(&entry.value)));
    let in_context = |what: &str| match context {
        Some((name, entry)) => format!("{}: context {name:?}: {what}", describe_file(entry.file.as_deref())),
        None => what.to_owned(),
    };

    let mut problems = Problems::default();
    let cluster_name = overrides.cluster.as_deref().or_else(|| of_context(|context| context.cluster.as_ref()));
    let (no_cluster, no_user) = (Cluster::default(), User::default());
    let cluster = match cluster_name {
        Some(name) => {
            let found = find(&kubeconfig.clusters, "cluster", name, &files);
            entry("cluster", name, found, &in_context, &mut problems)
        }
        None if overrides.server.is_some() => Some(Located::made("the cluster", &no_cluster)),
        None => {
            problems.add(in_context("names no cluster"));
            None
        }
    };
    // A context without a user is a context for anonymous requests.
    let user_name = overrides.user.as_deref().or_else(|| of_context(|context| context.user.as_ref()));
    let user = match user_name {
        Some(name) => {
            let found = find(&kubeconfig.users, "user", name, &files);
            entry("user", name, found, &in_context, &mut problems)
        }
        None => Some(Located::made("the user", &no_user)),
    };
    let config = match (cluster, user) {
        (Some(cluster), Some(user)) => build(&cluster, &user, overrides, environment, &mut problems),
        _ => None,
    };

    let mut config = problems.or(config)?;
    let namespace = overrides.namespace.as_deref().or_else(|| of_context(|context| context.namespace.as_ref()));
    // Text that is in no file says nothing of where the program runs.
    let of_pod = || (origin != KubeconfigOrigin::Text).then(|| in_cluster::namespace(environment)).flatten();
    if let Some(namespace) = namespace.map(str::to_owned).or_else(of_pod) {
        config.default_namespace = namespace;
    }
    config.source = ConfigSource::Kubeconfig(KubeconfigSource {
        origin,
        files: kubeconfig.files.clone(),
        context: context_name.map(str::to_owned),
        cluster: cluster_name.map(str::to_owned),
        user: user_name.map(str::to_owned),
    });
    Ok(config)
}

fn find<'a, T>(entries: &'a Entries<T>, kind: &str, name: &str, files: &str) -> Result<&'a Entry<T>> {
    entries.get(name).ok_or_else(|| {
        Error::config(format!("{kind} {name:?} does not exist in {files}; {}", what_there_is(entries.keys())))
    })
}

fn entry<'a, T>(
    kind: &str,
    name: &str,
    found: Result<&'a Entry<T>>,
    in_context: &impl Fn(&str) -> String,
    problems: &mut Problems,
) -> Option<Located<'a, T>> {
    match found {
        Ok(entry) => Some(Located::of_entry(kind, name, entry)),
        Err(error) => {
            problems.add(in_context(&error.to_string()));
            None
        }
    }
}

fn no_current_context(kubeconfig: &Kubeconfig) -> Error {
    let files = describe_files(&kubeconfig.files);
    if kubeconfig.is_empty() {
        return Error::config(format!("{files}: no configuration has been provided: the kubeconfig is empty"));
    }
    let there_is = what_there_is(kubeconfig.contexts.keys());
    Error::config(format!("{files}: no current-context is set, and none was asked for; {there_is}"))
}

pub(in crate::config) fn what_there_is<'a>(names: impl Iterator<Item = &'a String>) -> String {
    // Names are quoted, since a kubeconfig may be somebody else's, with anything in its names.
    let names: Vec<_> = names.map(|name| format!("{name:?}")).collect();
    if names.is_empty() { "it has none".to_owned() } else { format!("it has: {}", names.join(", ")) }
}
