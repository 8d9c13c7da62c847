//! What a list says of itself, beside its items.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta;
use serde::Deserialize;

use super::{MediaType, Result, from_json};
use crate::protobuf;

/// What a list has said of itself by the time that an item of it is read.
///
/// Lists of custom resources say it behind their items; these have an `apiVersion` and a `kind` each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListHead {
    /// `apiVersion`: the group and the version, such as `apps/v1`.
    pub api_version: Option<String>,
    /// `kind`, such as `DeploymentList`.
    pub kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    api_version: Option<String>,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    metadata: Option<ListMeta>,
}

/// What the list says of itself.
pub(crate) fn list_head(media_type: MediaType, list: &[u8]) -> Result<ListHead> {
    Ok(match media_type {
        MediaType::Json => {
            let Names { api_version, kind } = from_json(list)?;
            ListHead { api_version, kind }
        }
        MediaType::Protobuf => {
            let envelope = protobuf::Envelope::open(list)?;
            let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            ListHead { api_version: said(envelope.api_version()), kind: said(envelope.kind()) }
        }
    })
}

/// The metadata of a list of any kind.
pub(crate) fn list_metadata(media_type: MediaType, list: &[u8]) -> Result<ListMeta> {
    match media_type {
        MediaType::Json => from_json(list).map(|Metadata { metadata }| metadata.unwrap_or_default()),
        MediaType::Protobuf => Ok(protobuf::list_metadata(list)?),
    }
}
