//! The manifests of the groups' crates and of the umbrella, whose features follow the groups.

use std::fmt::Write as _;

use super::{
    HEADER,
    names::{package, title, version_feature},
};
use crate::{
    model::{Group, META_CRATE, Model},
    regions::features,
};

fn list(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("{item:?}")).collect();
    let line = format!("[{}]", items.join(", "));
    if line.len() <= 100 || items.len() < 2 { line } else { format!("[\n    {},\n]", items.join(",\n    ")) }
}

/// The manifest of a group's crate.
pub(super) fn group(model: &Model, group: &Group) -> String {
    let title = title(group);
    let unstable: Vec<String> = group.versions.iter().filter(|v| !v.is_stable()).map(|v| v.name.clone()).collect();
    let mut text = head(
        title.trim_start_matches("the "),
        &package(&group.crate_name),
        &format!("Typed clients of {title} of Kubernetes, part of k8s-client."),
    );
    text.push_str(
        "
[package.metadata.docs.rs]
features = [\"all-versions\", \"latest\"]

[lib]
# The tests stand in tests/; without this the library would be compiled a second time for none.
test = false

[[test]]
name = \"routes\"
required-features = [\"clients\"]

[features]
default = [\"clients\", \"ring\"]
## The clients. Without them, the crate has the apply configurations alone, which other groups' configurations contain.
clients = []
",
    );
    text.push_str(PROVIDERS);
    text.push_str("## The alpha and beta versions of the group, each of which adds a module.\n");
    for version in &unstable {
        let _ = writeln!(text, "{version} = []");
    }
    let _ = writeln!(text, "all-versions = {}", list(unstable));
    text.push_str(VERSIONS);
    text.push_str(&kubernetes_versions(model));
    text.push_str("\n[dependencies]\n");
    text.push_str(&neighbouring_crates(model, group));
    text.push_str(FOOT);
    text
}

/// What stands above the features: the package.
fn head(definition: &str, package: &str, description: &str) -> String {
    format!(
        "# {HEADER} {definition}; edit codegen instead.

[package]
name = \"{package}\"
description = \"{description}\"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
repository.workspace = true
homepage.workspace = true
documentation = \"https://docs.rs/{package}\"
readme = \"README.md\"
authors.workspace = true
categories.workspace = true
keywords.workspace = true
"
    )
}

const PROVIDERS: &str = "## TLS by rustls with this provider of cryptography.
ring = [\"k8s-client-runtime/ring\"]
aws-lc-rs = [\"k8s-client-runtime/aws-lc-rs\"]
";

const VERSIONS: &str = "## The Kubernetes version whose types are compiled in: the application chooses exactly one.\n";

/// The end of the dependencies, and what stands below.
const FOOT: &str = "k8s-client-runtime.workspace = true\nk8s-openapi.workspace = true\n\n[lints]\nworkspace = true\n";

/// The features of the Kubernetes versions.
fn kubernetes_versions(model: &Model) -> String {
    features(&model.versions, &["k8s-client-runtime"])
}

/// The dependencies on the crates whose configurations and messages this one's contain, for those alone.
fn neighbouring_crates(model: &Model, group: &Group) -> String {
    let mut text = String::new();
    let mut neighbours = model.neighbours_of_group(group);
    // What all objects share, for their messages.
    neighbours.entry(META_CRATE.to_owned()).or_default();
    for (crate_name, features) in neighbours {
        let package = package(&crate_name);
        let _ = if features.is_empty() {
            writeln!(text, "{package}.workspace = true")
        } else {
            writeln!(text, "{package} = {{ workspace = true, features = {} }}", list(features))
        };
    }
    text
}

/// The manifest of the crate of what all objects share.
pub(super) fn meta(model: &Model) -> String {
    let package = package(META_CRATE);
    let description = "Apply configurations of what all objects of Kubernetes share, part of k8s-client.";
    [
        &head("api-specs", &package, description),
        "
[package.metadata.docs.rs]
features = [\"latest\"]

[lib]
test = false

[features]
default = [\"ring\"]
",
        PROVIDERS,
        VERSIONS,
        &kubernetes_versions(model),
        "\n[dependencies]\n",
        FOOT,
    ]
    .concat()
}

/// The umbrella's manifest: what is fixed stands in `clientset.toml` beside this file.
pub(super) fn clientset(model: &Model) -> String {
    let (mut groups, mut versions, mut dependencies) = (String::new(), String::new(), String::new());
    let names = model.groups.iter().map(|group| group.crate_name.clone());
    let _ = writeln!(groups, "all-groups = {}", list(names));
    let mut all_versions = Vec::new();
    for group in &model.groups {
        let package = package(&group.crate_name);
        let _ = writeln!(groups, "{} = [\"dep:{package}\"]", group.crate_name);
        for version in group.versions.iter().filter(|version| !version.is_stable()) {
            let feature = version_feature(group, &version.name);
            let _ = writeln!(versions, "{feature} = [\"{}\", \"{package}/{}\"]", group.crate_name, version.name);
            all_versions.push(feature);
        }
        let _ = writeln!(dependencies, "{package} = {{ workspace = true, features = [\"clients\"], optional = true }}");
    }
    versions.insert_str(0, &format!("all-versions = {}\n", list(all_versions)));
    let mut text = format!("# {HEADER} codegen/src/emit/clientset.toml; edit that instead.\n");
    for line in include_str!("clientset.toml").lines() {
        match line.trim() {
            "# @groups" => text.push_str(&groups),
            "# @versions" => text.push_str(&versions),
            "# @kubernetes" => text.push_str(&kubernetes_versions(model)),
            "# @dependencies" => text.push_str(&dependencies),
            _ => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}
