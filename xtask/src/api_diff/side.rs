//! What is compared: stored versions, definitions, servers.

use std::{fmt, str::FromStr};

use k8s_client_codegen::{
    diff::{self, Api, Report},
    spec::{self, Spec},
};
use k8s_client_generate::report::{self, Connection};

use crate::{Result, versions};

/// One side of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Side {
    /// A stored version of Kubernetes: `1.37`.
    Version(String),
    /// Definitions of custom resources, or a server.
    Other(report::Side),
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let is_version = text.trim_start_matches('v').split('.').all(|part| part.parse::<u32>().is_ok());
        match text.parse() {
            Ok(side) => Ok(Self::Other(side)),
            Err(_) if is_version => Ok(Self::Version(text.to_owned())),
            Err(error) => Err(error.replacen("is neither", "is neither a version such as 1.37, nor", 1)),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "Kubernetes {version}"),
            Self::Other(side) => side.fmt(f),
        }
    }
}

/// What a version or a server has of Kubernetes.
struct Loaded {
    name: String,
    spec: Spec,
}

impl Side {
    /// Whether a server is to be asked.
    #[cfg(not(feature = "cluster"))]
    pub(super) fn is_server(&self) -> bool {
        matches!(self, Self::Other(report::Side::Cluster(_)))
    }

    fn is_path(&self) -> bool {
        matches!(self, Self::Other(report::Side::Path { .. }))
    }

    fn load(&self, connection: &Connection) -> Result<Loaded> {
        match self {
            Self::Version(version) => {
                let specs = crate::root().join("api-specs");
                let stored = versions::stored(&specs)?;
                let spec = spec::load(&spec::read_dir(&specs.join(&stored[position(&stored, version)?]))?)?;
                Ok(Loaded { name: super::name(&spec), spec })
            }
            Self::Other(report::Side::Cluster(context)) => {
                let spec = served(connection, context.as_deref().or(connection.context.as_deref()))?;
                Ok(Loaded { name: format!("{self}, {}", super::name(&spec)), spec })
            }
            Self::Other(report::Side::Path { .. }) => {
                Err("a version of Kubernetes and definitions of custom resources have nothing in common".into())
            }
        }
    }
}

/// Reads all sides, and compares each with the next.
pub(super) fn compare(sides: &[Side], connection: &Connection) -> Result<Vec<Report>> {
    if let [Side::Other(old), Side::Other(new)] = sides
        && sides.iter().any(Side::is_path)
    {
        return Ok(vec![report::compare(old, new, connection)?]);
    }
    let loaded: Vec<Loaded> = sides.iter().map(|side| side.load(connection)).collect::<Result<_>>()?;
    let apis: Vec<Api<'_>> = loaded.iter().map(|side| Api::of_spec(&side.name, &side.spec)).collect();
    Ok(apis.windows(2).map(|pair| diff::compare(&pair[0], &pair[1])).collect())
}

#[cfg(feature = "cluster")]
fn served(connection: &Connection, context: Option<&str>) -> Result<Spec> {
    crate::spec::cluster::served(connection.kubeconfig.as_deref(), context)
}

/// Built so, the program has no client; it has handed over to one that has.
#[cfg(not(feature = "cluster"))]
fn served(_: &Connection, _: Option<&str>) -> Result<Spec> {
    Err("the server cannot be read: xtask was built without the feature `cluster`".into())
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
