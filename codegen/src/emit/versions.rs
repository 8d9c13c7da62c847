//! What crates that are not generated have to know of the Kubernetes versions.

use std::fmt::Write as _;

use super::{HEADER, names::kubernetes_feature};
use crate::model::Model;

/// The files of the runtime and of the check that a version is chosen.
pub(super) fn files(model: &Model) -> [(String, String); 2] {
    [compiled_in(model), enabled(model)]
}

/// The file `crates/runtime/src/apply/generated.rs`.
fn compiled_in(model: &Model) -> (String, String) {
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

/// The file `crates/version-check/src/generated.rs`.
fn enabled(model: &Model) -> (String, String) {
    let features: Vec<String> = model.versions.iter().map(|version| kubernetes_feature(version)).collect();
    let enabled: Vec<String> = features.iter().map(|name| format!("cfg!(feature = \"{name}\") as usize")).collect();
    let range = match (features.first(), features.last()) {
        (Some(oldest), Some(newest)) if oldest != newest => format!("{oldest} … {newest}"),
        (oldest, _) => oldest.cloned().unwrap_or_default(),
    };
    let text = format!(
        "// {HEADER} api-specs; edit codegen instead.

//! The features of the Kubernetes versions.

/// How many are enabled.
pub(crate) const ENABLED: usize = {};

/// What they are called.
macro_rules! features {{
    () => {{
        \"{range}, latest\"
    }};
}}
pub(crate) use features;
",
        enabled.join("\n    + ")
    );
    ("crates/version-check/src/generated.rs".to_owned(), text)
}
