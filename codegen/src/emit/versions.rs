//! What the runtime has to know of the Kubernetes versions.

use std::fmt::Write as _;

use super::HEADER;
use crate::model::Model;

/// The file `crates/runtime/src/apply/generated.rs`.
pub(super) fn file(model: &Model) -> (String, String) {
    let mut text = format!(
        "// {HEADER} api-specs; edit codegen instead.

//! The minor number of the Kubernetes version whose types are compiled in.

"
    );
    for version in &model.versions {
        let minor = super::minor(version);
        let gate = version.replace('.', "_");
        let _ = writeln!(text, "k8s_openapi::k8s_if_{gate}! {{ pub(super) const COMPILED_IN: u32 = {minor}; }}");
    }
    ("crates/runtime/src/apply/generated.rs".to_owned(), text)
}
