//! The server's OpenAPI documents.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use k8s_client_runtime::{http::header, rest::Response};
use serde::{Deserialize, Deserializer};

use crate::error::Result;

/// Which OpenAPI v3 documents there are: one for each group-version, and a few for other paths.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenApiV3Index {
    /// From what a document describes, such as `api/v1`, `apis/apps/v1` or `version`, to where it is.
    #[serde(default, deserialize_with = "readable")]
    pub paths: BTreeMap<String, OpenApiV3Path>,
}

impl OpenApiV3Index {
    /// Where the document of a group-version is.
    pub fn of(&self, group_version: &k8s_client_runtime::schema::GroupVersion) -> Option<&OpenApiV3Path> {
        let root = if group_version.group.is_empty() { "api" } else { "apis" };
        self.paths.get(&format!("{root}/{group_version}"))
    }
}

/// The paths that say where their documents are. An odd one is left out, so that it does not hide the others.
fn readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, OpenApiV3Path>, D::Error> {
    let paths: Option<BTreeMap<String, serde_json::Value>> = Option::deserialize(deserializer)?;
    let read = |(name, path)| Some((name, serde_json::from_value(path).ok()?));
    Ok(paths.unwrap_or_default().into_iter().filter_map(read).collect())
}

/// Where an OpenAPI v3 document is, and the hash of what it says.
///
/// The hash changes with the document, so that whoever keeps a document knows from the index whether it is still good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenApiV3Path {
    url: String,
}

impl OpenApiV3Path {
    /// The path and the query behind the server's URL, as the index has them: `/openapi/v3/apis/apps/v1?hash=…`.
    pub fn server_relative_url(&self) -> &str {
        &self.url
    }

    /// The path alone.
    pub fn path(&self) -> &str {
        self.url.split('?').next().unwrap_or(&self.url)
    }

    /// The hash of the document, if the server gives one.
    pub fn hash(&self) -> Option<&str> {
        let (_, query) = self.url.split_once('?')?;
        query.split('&').find_map(|parameter| parameter.strip_prefix("hash="))
    }
}

impl<'de> Deserialize<'de> for OpenApiV3Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Entry {
            #[serde(rename = "serverRelativeURL")]
            url: String,
        }
        Ok(Self { url: Entry::deserialize(deserializer)?.url })
    }
}

/// An OpenAPI document as the server wrote it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenApiDocument {
    /// The hash of what it says, from the answer's `ETag`; it is that of the index.
    pub hash: Option<String>,
    /// The JSON.
    pub json: Bytes,
}

impl OpenApiDocument {
    pub(crate) async fn read(response: Response) -> Result<Self> {
        let hash = response.headers().get(header::ETAG).and_then(|value| value.to_str().ok());
        let hash = hash.map(|hash| hash.trim_start_matches("W/").trim_matches('"').to_owned());
        Ok(Self { hash, json: response.bytes().await? })
    }
}

/// Leaves out the document, which has megabytes.
impl fmt::Debug for OpenApiDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenApiDocument({} bytes, hash {:?})", self.json.len(), self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_names_path_and_hash() {
        let text = r#"{"paths":{"apis/apps/v1":{"serverRelativeURL":"/openapi/v3/apis/apps/v1?x=1&hash=AB12"},
            "api/v1":{"serverRelativeURL":"/openapi/v3/api/v1"},"null":null,"odd":{"serverRelativeURL":[]}}}"#;
        let index: OpenApiV3Index = serde_json::from_str(text).expect("it is an index");
        let apps = index.of(&"apps/v1".parse().expect("a group-version")).expect("it is there");
        assert_eq!((apps.path(), apps.hash()), ("/openapi/v3/apis/apps/v1", Some("AB12")));
        let core = index.of(&"v1".parse().expect("a group-version")).expect("it is there");
        assert_eq!((core.path(), core.hash()), ("/openapi/v3/api/v1", None));
        assert_eq!(index.paths.len(), 2, "the others lead nowhere");
        assert_eq!(serde_json::from_str::<OpenApiV3Index>(r#"{"paths":null}"#).expect("nothing").paths.len(), 0);
    }
}
