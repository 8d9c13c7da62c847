//! Definitions as one side of a comparison.

use std::{fmt, path::PathBuf, str::FromStr};

use k8s_client_codegen::{
    Error,
    crd::Definition,
    diff::{self, Api, Report},
};

use super::Connection;
use crate::Generator;

/// Where definitions are.
#[derive(Clone, Debug)]
pub enum Side {
    /// A file or a folder, and one version of them if it is asked for.
    Path {
        /// The file or the folder.
        path: PathBuf,
        /// `v1beta1`
        version: Option<String>,
    },
    /// A server, by the context of the kubeconfig.
    Cluster(Option<String>),
}

const CLUSTER: &str = "cluster";

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix(CLUSTER) {
            match rest.strip_prefix(':') {
                Some(context) => return Ok(Self::Cluster(Some(context.to_owned()))),
                None if rest.is_empty() => return Ok(Self::Cluster(None)),
                None => {}
            }
        }
        let path = |path: &str, version: Option<&str>| {
            let path = PathBuf::from(path);
            path.exists().then(|| Self::Path { path, version: version.map(str::to_owned) })
        };
        let of_version = || text.rsplit_once('@').and_then(|(file, version)| path(file, Some(version)));
        path(text, None)
            .or_else(of_version)
            .ok_or_else(|| "is neither a file or folder with definitions, nor `cluster`".to_owned())
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { path, version: None } => write!(f, "{}", path.display()),
            Self::Path { path, version: Some(version) } => write!(f, "{}@{version}", path.display()),
            Self::Cluster(None) => f.write_str("the server"),
            Self::Cluster(Some(context)) => write!(f, "the server of {context}"),
        }
    }
}

/// A side that was read.
struct Loaded {
    name: String,
    definitions: Vec<Definition>,
    version: Option<String>,
    is_server: bool,
}

impl Side {
    /// Reads the definitions; of a server, those of these groups alone, if any are named.
    fn load(&self, connection: &Connection, groups: &[String]) -> Result<Loaded, Error> {
        let name = self.to_string();
        match self {
            Self::Path { path, version } => {
                let definitions = Generator::new().path(path).definitions()?;
                let has = |version: &String| {
                    definitions.iter().flat_map(|definition| &definition.versions).any(|known| known.name == *version)
                };
                if let Some(version) = version.as_ref().filter(|version| !has(version)) {
                    let message = format!("no definition has the version `{version}`");
                    return Err(Error::file(path.display().to_string(), message));
                }
                Ok(Loaded { name, definitions, version: version.clone(), is_server: false })
            }
            Self::Cluster(context) => {
                let context = context.as_deref().or(connection.context.as_deref());
                let definitions = of_server(connection, context, groups)?;
                Ok(Loaded { name, definitions, version: None, is_server: true })
            }
        }
    }
}

#[cfg(feature = "cluster")]
fn of_server(connection: &Connection, context: Option<&str>, groups: &[String]) -> Result<Vec<Definition>, Error> {
    let server = crate::cluster::Server::connect(connection.kubeconfig.as_deref(), context)?;
    let mut reader = k8s_client_codegen::crd::Reader::new(groups);
    reader.value(server.name(), &server.definitions()?);
    reader.finish()
}

#[cfg(not(feature = "cluster"))]
fn of_server(_: &Connection, _: Option<&str>, _: &[String]) -> Result<Vec<Definition>, Error> {
    Err(Error::file("the server", "cannot be read: this program was built without the feature `cluster`"))
}

impl Loaded {
    fn groups(&self) -> Vec<String> {
        self.definitions.iter().map(|definition| definition.group.clone()).collect()
    }

    /// Leaves the definitions of resources that the other side defines, too.
    fn only_those_of(&mut self, other: &Self) {
        let is_same = |a: &Definition, b: &Definition| a.group == b.group && a.names.plural == b.names.plural;
        self.definitions.retain(|own| other.definitions.iter().any(|other| is_same(own, other)));
    }
}

/// Reads two sides, and what differs between them.
///
/// # Errors
///
/// When one cannot be read, or they cannot be compared.
pub fn compare(old: &Side, new: &Side, connection: &Connection) -> Result<Report, Error> {
    // Of a server, what the other side defines is read and compared, whatever else it has.
    let (old, new) = match (old, new) {
        (Side::Cluster(_), Side::Path { .. }) => {
            let new = new.load(connection, &[])?;
            let mut old = old.load(connection, &new.groups())?;
            old.only_those_of(&new);
            (old, new)
        }
        (Side::Path { .. }, Side::Cluster(_)) => {
            let old = old.load(connection, &[])?;
            let mut new = new.load(connection, &old.groups())?;
            new.only_those_of(&old);
            (old, new)
        }
        _ => (old.load(connection, &[])?, new.load(connection, &[])?),
    };
    // The version of a server is the one that is asked for.
    let old_version = old.version.as_deref().or(new.version.as_deref().filter(|_| old.is_server));
    let new_version = new.version.as_deref().or(old.version.as_deref().filter(|_| new.is_server));
    if old_version.is_some() != new_version.is_some() {
        let message = "give a version (`file@v1`) on both sides, or on none";
        return Err(Error::file(format!("{} and {}", old.name, new.name), message));
    }
    let old = Api::of_definitions(&old.name, &old.definitions, old_version);
    Ok(diff::compare(&old, &Api::of_definitions(&new.name, &new.definitions, new_version)))
}
