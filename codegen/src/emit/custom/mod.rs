//! The crate or the module of a group of custom resources.
//!
//! What a user's repository gets is not formatted by rustfmt, whose output depends on its version and on settings: the
//! library tells it to pass over what stands in its modules.

mod structs;

use std::fmt::Write as _;

use quote::{format_ident, quote};

use super::{
    CRD_HEADER, Files, Source, apply, docs, group,
    names::{self, title},
    style::format::without_rustfmt,
};
use crate::{
    Error,
    model::{Area, Group, Model, Scope},
};

/// What is made of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A crate of this name.
    Crate {
        /// The name of the package.
        package: String,
        /// How its manifest names the crates that it depends on.
        dependencies: Dependencies,
    },
    /// A module of a crate that has the dependencies itself.
    Module,
}

/// How a manifest names the crates that a generated one depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependencies {
    /// By their versions on crates.io.
    Released,
    /// As the workspace has them.
    Workspace,
    /// In a checkout of the workspace, in this folder.
    Checkout(String),
}

/// The release of k8s-openapi that generated code is written for.
const K8S_OPENAPI: &str = "0.29";

/// All files of a group, by their paths from the folder of the group.
pub(crate) fn custom(model: &Model, group: &Group, layout: &Layout) -> Result<Files, Error> {
    let mut files = Files::new();
    let mut sources = group::of_versions(model, group, "")?;
    sources.push(library(model, group, layout));
    for source in sources {
        let (path, text) = without_rustfmt(source)?;
        files.insert(path, text);
    }
    files.extend(apply::files(model, group, "")?);
    files.extend(structs::files(model, group, ""));
    let mut files: Files =
        files.into_iter().map(|(path, text)| (path.trim_start_matches('/').to_owned(), text)).collect();
    match layout {
        Layout::Crate { package, dependencies } => {
            files.insert("Cargo.toml".to_owned(), manifest(model, group, package, dependencies));
            files.insert("README.md".to_owned(), readme(group, package));
            Ok(files)
        }
        Layout::Module => Ok(files
            .into_iter()
            .map(|(path, text)| {
                let path = path.strip_prefix("src/").unwrap_or(&path);
                (if path == "lib.rs" { "mod.rs" } else { path }.to_owned(), text)
            })
            .collect()),
    }
}

/// The crates that the code names, but for the runtime and k8s-openapi.
fn neighbours(model: &Model, group: &Group) -> Vec<String> {
    model.neighbours_of_group(group).into_keys().collect()
}

fn library(model: &Model, group: &Group, layout: &Layout) -> Source {
    let is_crate = matches!(layout, Layout::Crate { .. });
    let modules = group.versions.iter().map(|version| {
        let (name, feature) = (format_ident!("{}", version.module), &version.module);
        let feature = is_crate.then(|| quote!(#[cfg(feature = #feature)]));
        quote!(#feature #[rustfmt::skip] pub mod #name;)
    });
    let neighbours = neighbours(model, group).into_iter().map(|crate_name| {
        let (name, library) = (format_ident!("{crate_name}"), format_ident!("{}", names::library(&crate_name)));
        quote!(pub use #library as #name;)
    });
    let api = docs::comment(["The crates whose apply configurations those of custom resources contain."]);
    let mut lines = vec![format!("Clients of {}, and the types of its objects.", title(group)), String::new()];
    lines.extend(["| version | client | kinds |".to_owned(), "|---|---|---|".to_owned()]);
    for version in &group.versions {
        let kinds: Vec<String> = version.resources.iter().map(|resource| format!("`{}`", resource.kind)).collect();
        lines.push(format!("| `{}` | `{}` | {} |", version.name, version.client, kinds.join(", ")));
    }
    if let Layout::Crate { package, .. } = layout {
        if group.versions.len() > 1 {
            lines.extend([
                String::new(),
                "Each version is a feature, and all are enabled by default: without default features, a program compiles".to_owned(),
                "those alone that it names.".to_owned(),
            ]);
        }
        lines.extend([String::new(), "```no_run".to_owned()]);
        lines.extend(example(group, package));
        lines.push("```".to_owned());
    }
    Source {
        path: "/src/lib.rs".to_owned(),
        definition: format!("`{}`", group.name),
        docs: lines,
        tokens: quote!(#(#modules)* #api pub mod api { #(#neighbours)* }),
        is_custom: true,
    }
}

fn example(group: &Group, package: &str) -> Vec<String> {
    let all = group.versions.iter().flat_map(|version| version.resources.iter().map(move |it| (version, it)));
    let Some((version, resource)) = all.min_by_key(|(_, resource)| resource.deprecated.is_some()) else {
        return Vec::new();
    };
    let feature = format!("# #[cfg(feature = \"{}\")]", version.module);
    let accessor = resource.accessor(Area::Own);
    let argument = if resource.scope == Scope::Namespaced { "\"default\"" } else { "" };
    vec![
        feature.clone(),
        format!("use {}::{}::{};", package.replace('-', "_"), version.module, version.client),
        feature,
        "# async fn example(rest_client: &k8s_client_runtime::RestClient) -> k8s_client_runtime::Result<()> {"
            .to_owned(),
        format!("let client = {}::new(rest_client);", version.client),
        format!("for object in client.{accessor}({argument}).list().await?.items {{"),
        "    println!(\"{}\", object.metadata.name.unwrap_or_default());".to_owned(),
        "}".to_owned(),
        "# Ok(())".to_owned(),
        "# }".to_owned(),
    ]
}

fn manifest(model: &Model, group: &Group, package: &str, dependencies: &Dependencies) -> String {
    let release = env!("CARGO_PKG_VERSION");
    let versions: Vec<&str> = group.versions.iter().map(|version| version.module.as_str()).collect();
    let default = versions.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let features = versions.iter().map(|name| format!("{name} = []\n")).collect::<Vec<_>>().concat();
    let shared = match dependencies {
        Dependencies::Released | Dependencies::Checkout(_) => {
            format!("version = \"{release}\"\nedition = \"2024\"")
        }
        Dependencies::Workspace => "version.workspace = true\nedition.workspace = true".to_owned(),
    };
    let mut text = format!(
        "# {CRD_HEADER} the definitions of {0}.

[package]
name = \"{package}\"
description = \"Typed clients of the custom resources of {0}.\"
{shared}
publish = false

# A version each.
[features]
default = [{default}]
{features}
# The application chooses the Kubernetes version and the provider of cryptography, by features of k8s-client.
[dependencies]
",
        group.name
    );
    let ours = neighbours(model, group).into_iter().map(|name| (names::package(&name), format!("crates/api/{name}")));
    let runtime = ("k8s-client-runtime".to_owned(), "crates/runtime".to_owned());
    for (name, folder) in ours.chain([runtime]).collect::<std::collections::BTreeMap<_, _>>() {
        let _ = match dependencies {
            Dependencies::Released => {
                writeln!(text, "{name} = {{ version = \"{release}\", default-features = false }}")
            }
            Dependencies::Workspace => writeln!(text, "{name}.workspace = true"),
            Dependencies::Checkout(root) => {
                writeln!(text, "{name} = {{ path = {:?}, default-features = false }}", format!("{root}/{folder}"))
            }
        };
    }
    let _ = match dependencies {
        Dependencies::Released | Dependencies::Checkout(_) => writeln!(
            text,
            "k8s-openapi = {{ version = \"{K8S_OPENAPI}\", default-features = false, features = [\"std\"] }}"
        ),
        Dependencies::Workspace => writeln!(text, "k8s-openapi.workspace = true\n\n[lints]\nworkspace = true"),
    };
    text
}

fn readme(group: &Group, package: &str) -> String {
    let mut kinds = String::new();
    for version in &group.versions {
        for resource in &version.resources {
            let _ = writeln!(kinds, "- `{}` of `{}`", resource.kind, version.api_version(group));
        }
    }
    format!(
        "<!-- {CRD_HEADER} the definitions of {0}; generate again instead of editing. -->

# {package}

Typed clients, types and apply configurations of the custom resources of `{0}`:

{kinds}",
        group.name
    )
}
