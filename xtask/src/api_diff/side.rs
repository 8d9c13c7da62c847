//! What is compared: stored versions, definitions, servers.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use k8s_client_codegen::{
    crd::Definition,
    diff::{self, Api, Report},
    spec::{self, Spec},
};
use k8s_client_generate::Generator;

use crate::{Result, versions};

/// One side of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Side {
    /// A stored version of Kubernetes: `1.37`.
    Version(String),
    /// Definitions of custom resources: a file or a folder, and one version of them if it is asked for.
    Definitions { path: PathBuf, version: Option<String> },
    /// A server, by the context of the kubeconfig.
    Cluster(Option<String>),
}

const CLUSTER: &str = "cluster";

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if let Some(rest) = text.strip_prefix(CLUSTER) {
            match rest.strip_prefix(':') {
                Some(context) => return Ok(Self::Cluster(Some(context.to_owned()))),
                None if rest.is_empty() => return Ok(Self::Cluster(None)),
                None => {}
            }
        }
        let definitions = |path: &str, version: Option<&str>| {
            let path = PathBuf::from(path);
            path.exists().then(|| Self::Definitions { path, version: version.map(str::to_owned) })
        };
        let of_version = || text.rsplit_once('@').and_then(|(path, version)| definitions(path, Some(version)));
        if let Some(side) = definitions(text, None).or_else(of_version) {
            return Ok(side);
        }
        let is_version = text.trim_start_matches('v').split('.').all(|part| part.parse::<u32>().is_ok());
        if is_version {
            return Ok(Self::Version(text.to_owned()));
        }
        Err("is neither a version such as 1.37, nor a file or folder with definitions, nor `cluster`".to_owned())
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "Kubernetes {version}"),
            Self::Definitions { path, version: None } => write!(f, "{}", path.display()),
            Self::Definitions { path, version: Some(version) } => write!(f, "{}@{version}", path.display()),
            Self::Cluster(None) => f.write_str("the server"),
            Self::Cluster(Some(context)) => write!(f, "the server of {context}"),
        }
    }
}

/// How a server is reached.
pub(super) struct Server<'a> {
    pub(super) kubeconfig: Option<&'a Path>,
    pub(super) context: Option<&'a str>,
}

/// A side that was read.
pub(super) enum Loaded {
    Spec { name: String, spec: Box<Spec> },
    Definitions { name: String, definitions: Vec<Definition>, version: Option<String>, is_server: bool },
}

impl Side {
    /// Reads a side; of a server, its definitions or what it has of Kubernetes.
    pub(super) fn load(&self, server: &Server<'_>, of_definitions: bool) -> Result<Loaded> {
        match self {
            Self::Version(version) => {
                let specs = crate::root().join("api-specs");
                let stored = versions::stored(&specs)?;
                let folder = specs.join(&stored[position(&stored, version)?]);
                let spec = Box::new(spec::load(&spec::read_dir(&folder)?)?);
                Ok(Loaded::Spec { name: super::name(&spec), spec })
            }
            Self::Definitions { path, version } => {
                let definitions = Generator::new().path(path).definitions()?;
                let has = |version: &String| {
                    definitions.iter().flat_map(|definition| &definition.versions).any(|known| known.name == *version)
                };
                if let Some(version) = version.as_ref().filter(|version| !has(version)) {
                    return Err(format!("{}: no definition has the version `{version}`", path.display()).into());
                }
                let (name, version) = (self.to_string(), version.clone());
                Ok(Loaded::Definitions { name, definitions, version, is_server: false })
            }
            Self::Cluster(context) => {
                self.load_server(server.kubeconfig, context.as_deref().or(server.context), of_definitions)
            }
        }
    }

    #[cfg(feature = "cluster")]
    fn load_server(&self, kubeconfig: Option<&Path>, context: Option<&str>, of_definitions: bool) -> Result<Loaded> {
        use crate::spec::cluster;

        if of_definitions {
            let definitions = cluster::definitions(kubeconfig, context)?;
            Ok(Loaded::Definitions { name: self.to_string(), definitions, version: None, is_server: true })
        } else {
            let spec = cluster::served(kubeconfig, context)?;
            Ok(Loaded::Spec { name: format!("{self}, {}", super::name(&spec)), spec: Box::new(spec) })
        }
    }

    /// Built so, the program has no client; it has handed over to one that has.
    #[cfg(not(feature = "cluster"))]
    fn load_server(&self, _: Option<&Path>, _: Option<&str>, _: bool) -> Result<Loaded> {
        Err(format!("{self}: xtask was built without the feature `cluster`").into())
    }
}

impl Loaded {
    pub(super) fn compare(&self, new: &Self) -> Result<Report> {
        match (self, new) {
            (Self::Spec { name: old_name, spec: old }, Self::Spec { name, spec: new }) => {
                Ok(diff::compare(&Api::of_spec(old_name, old), &Api::of_spec(name, new)))
            }
            (
                Self::Definitions { name: old_name, definitions: old, version: old_version, is_server: old_is_server },
                Self::Definitions { name, definitions: new, version, is_server },
            ) => {
                // A server has many others, and its version is the one that is asked for.
                let old_version = old_version.as_ref().or(version.as_ref().filter(|_| *old_is_server));
                let version = version.as_ref().or(old_version.filter(|_| *is_server));
                if old_version.is_some() != version.is_some() {
                    return Err("give a version (`file@v1`) on both sides, or on none".into());
                }
                let old = if *old_is_server { those_of(old, new) } else { old.clone() };
                let new = if *is_server { those_of(new, &old) } else { new.clone() };
                let api = |name: &str, definitions, version: Option<&String>| {
                    Api::of_definitions(name, definitions, version.map(String::as_str))
                };
                Ok(diff::compare(&api(old_name, &old, old_version), &api(name, &new, version)))
            }
            _ => Err("a version of Kubernetes and definitions of custom resources have nothing in common".into()),
        }
    }
}

/// The definitions of resources that others define, too.
fn those_of(definitions: &[Definition], others: &[Definition]) -> Vec<Definition> {
    let is_same = |a: &Definition, b: &Definition| a.group == b.group && a.names.plural == b.names.plural;
    definitions.iter().filter(|own| others.iter().any(|other| is_same(own, other))).cloned().collect()
}

/// The position of a version among those that are stored.
pub(super) fn position(stored: &[String], version: &str) -> Result<usize> {
    let version = version.trim_start_matches('v');
    let found = stored.iter().position(|folder| folder.trim_start_matches('v') == version);
    found.ok_or_else(|| {
        let known: Vec<&str> = stored.iter().map(|folder| folder.trim_start_matches('v')).collect();
        format!("api-specs has no version {version}; it has {}", known.join(", ")).into()
    })
}
