//! A checkout of the Kubernetes repository as source.

use std::path::Path;

use k8s_client_codegen::spec::{Source, Version};

use super::{DEFINITION_MODULES, Upstream};
use crate::Result;

pub(super) fn read(version: Version, folder: &Path) -> Result<Upstream> {
    let folders = DEFINITION_MODULES.map(|module| folder.join("staging/src").join(module));
    Ok(Upstream {
        source: Source {
            version,
            openapi: "checkout of k8s.io/kubernetes".to_owned(),
            protobuf: vec!["checkout of k8s.io/kubernetes".to_owned()],
        },
        documents: super::read_documents(folder)?,
        discovery: Some(super::read_discovery(folder)?),
        definitions: Some(super::read_definitions(folder, &folders)?),
    })
}
