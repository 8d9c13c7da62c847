//! The crate of what all objects share: their metadata, and what that contains.

use super::{CRATES, HEADER, apply, manifest, protobuf, readme};
use crate::{
    Error,
    model::{Home, META_CRATE, Model},
};

/// What the crate's version stands for in sentences.
const API_VERSION: &str = "meta/v1";

/// All files of the crate.
pub(super) fn files(model: &Model) -> Result<Vec<(String, String)>, Error> {
    let folder = format!("{CRATES}/{META_CRATE}");
    let home = Home::meta();
    let library = format!(
        "// {HEADER} api-specs; edit codegen instead.

//! Apply configurations and protobuf messages of the types that the objects of all API groups share, such as their
//! metadata.

pub mod v1 {{
    //! The types of `{API_VERSION}`.

    pub mod apply;
    #[doc(hidden)]
    pub mod protobuf;
}}
"
    );
    Ok(vec![
        (format!("{folder}/Cargo.toml"), manifest::meta(model)),
        (format!("{folder}/README.md"), readme::meta()),
        (format!("{folder}/src/lib.rs"), library),
        (format!("{folder}/src/v1/apply.rs"), apply::source(model, &home, API_VERSION)?),
        (format!("{folder}/src/v1/protobuf.rs"), protobuf::source(model, &home, API_VERSION, model.all_versions())?),
    ])
}
