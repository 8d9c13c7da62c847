//! A running API server as source, read with our own client.
//!
//! The client is behind the feature `cluster`: without it a broken runtime cannot keep anyone from
//! `cargo xtask regenerate`, and no Kubernetes version is chosen for a build of the whole workspace. Built without it,
//! the program builds itself with it when it is needed.

#[cfg(any(feature = "cluster", test))]
use std::collections::BTreeMap;
#[cfg(feature = "cluster")]
use std::path::Path;

#[cfg(feature = "cluster")]
use k8s_client_codegen::spec::{self, Spec};
#[cfg(any(feature = "cluster", test))]
use k8s_client_codegen::spec::{Source, Version};
#[cfg(feature = "cluster")]
use k8s_client_generate::cluster::Server;
#[cfg(any(feature = "cluster", test))]
use serde_json::Value;

#[cfg(any(feature = "cluster", test))]
use super::Upstream;
#[cfg(any(feature = "cluster", test))]
use crate::Result;

/// Answers the body of `GET <path>`.
#[cfg(any(feature = "cluster", test))]
type Fetch<'a> = dyn FnMut(&str) -> Result<String> + 'a;

#[cfg(feature = "cluster")]
pub(super) fn read(version: Option<Version>, kubeconfig: Option<&Path>) -> Result<Upstream> {
    let server = Server::connect(kubeconfig, None)?;
    read_with(version, &mut |path| Ok(server.get(path)?))
}

/// What a server serves of Kubernetes; numbers of protobuf are not published.
#[cfg(feature = "cluster")]
pub(crate) fn served(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Spec> {
    let server = Server::connect(kubeconfig, context)?;
    let upstream = read_with(None, &mut |path| Ok(server.get(path)?))?;
    let mut files = spec::intake(&upstream.documents)?;
    files.insert("protobuf.txt".to_owned(), String::new());
    files.insert("SOURCE".to_owned(), upstream.source.to_string());
    Ok(spec::load(&files)?)
}

#[cfg(any(feature = "cluster", test))]
fn read_with(version: Option<Version>, fetch: &mut Fetch<'_>) -> Result<Upstream> {
    let mut json = |path: &str| -> Result<(String, Value)> {
        let text = fetch(path)?;
        let value = serde_json::from_str(&text);
        let value = value.map_err(|error| format!("GET {path}: the answer is not JSON: {error}"))?;
        Ok((text, value))
    };
    let (_, running) = json("/version")?;
    let running: Version = running["gitVersion"].as_str().unwrap_or_default().parse()?;
    if let Some(version) = version.filter(|version| *version != running) {
        return Err(format!("the server is of version {running}, not {version}").into());
    }

    let (_, index) = json("/openapi/v3")?;
    let entries = index["paths"].as_object().ok_or("GET /openapi/v3: the answer has no `paths`")?;
    let mut documents = BTreeMap::new();
    for (name, entry) in entries {
        if !is_kubernetes(name) {
            eprintln!("left out {name}: not an API of Kubernetes itself");
            continue;
        }
        let path = entry["serverRelativeURL"].as_str();
        let path = path.ok_or_else(|| format!("GET /openapi/v3: `{name}` has no `serverRelativeURL`"))?;
        // The query is a hash for caches; without it the server answers the document as it is now.
        let path = path.split('?').next().unwrap_or(path);
        documents.insert(name.clone(), json(path)?.0);
    }
    Ok(Upstream {
        source: Source { version: running, openapi: "running API server".to_owned(), protobuf: Vec::new() },
        documents,
        // As it was stored: a cluster's own has what its CustomResourceDefinitions add.
        discovery: None,
        definitions: None,
    })
}

/// Whether a document is of Kubernetes: what a cluster's own CustomResourceDefinitions and API servers add has a domain
/// of theirs in the group's name.
#[cfg(any(feature = "cluster", test))]
fn is_kubernetes(document: &str) -> bool {
    let group = document.strip_prefix("apis/").and_then(|name| name.split('/').next()).unwrap_or_default();
    !group.contains('.') || group.ends_with(".k8s.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(path: &str) -> Result<String> {
        Ok(match path {
            "/version" => r#"{"gitVersion": "v1.37.2+dist"}"#,
            "/openapi/v3" => {
                r#"{"paths": {"apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=A"},
                "apis/example.com/v1": {"serverRelativeURL": "/openapi/v3/apis/example.com/v1"}}}"#
            }
            "/openapi/v3/apis/apps/v1" => r#"{"paths": {}}"#,
            other => return Err(format!("unexpected {other}").into()),
        }
        .to_owned())
    }

    #[test]
    fn a_servers_documents_are_read_by_the_index_but_for_those_of_others() {
        let upstream = read_with(None, &mut server).unwrap();
        assert_eq!(upstream.source.version.to_string(), "1.37.2");
        assert_eq!(upstream.documents, BTreeMap::from([("apis/apps/v1".to_owned(), r#"{"paths": {}}"#.to_owned())]));
        assert!(upstream.definitions.is_none());
    }

    #[test]
    fn a_server_of_another_version_is_refused() {
        let error = read_with(Some("1.36.0".parse().unwrap()), &mut server).err().unwrap();
        assert_eq!(error.to_string(), "the server is of version 1.37.2, not 1.36.0");
    }
}
