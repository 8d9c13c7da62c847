//! `README.md` of the crates of `crates/api`: what somebody meets on crates.io.

use super::{HEADER, group, names};
use crate::model::{Group, META_CRATE};

/// The README of a group's crate.
pub(super) fn group(group: &Group) -> String {
    let title = names::title(group);
    let versions: Vec<String> = group.versions.iter().map(|version| format!("`{}`", version.name)).collect();
    let head = head(title.trim_start_matches("the "), &names::package(&group.crate_name));
    let example = group::best(group).map(|(version, resource)| {
        let (library, version, client) = (names::library(&group.crate_name), &version.name, &version.client);
        let calls = group::calls(resource).join("\n    ");
        format!(
            "
```rust,no_run
use {library}::{version}::{client};

async fn example(rest_client: &k8s_client_runtime::RestClient) -> k8s_client_runtime::Result<()> {{
    let client = {client}::new(rest_client);
    {calls}
    Ok(())
}}
```
"
        )
    });
    format!(
        "{head}Typed clients and apply configurations of {title} of Kubernetes.
They are generated from Kubernetes' own API description, for {}.

Part of [k8s-client](https://docs.rs/k8s-client), which has the clients of all groups.
{}{FOOT}",
        versions.join(", "),
        example.unwrap_or_default(),
    )
}

/// The README of the crate of what all objects share.
pub(super) fn meta() -> String {
    let head = head("api-specs", &names::package(META_CRATE));
    format!(
        "{head}Apply configurations and protobuf messages of what the objects of all API groups of Kubernetes share, such as their
metadata. Part of [k8s-client](https://docs.rs/k8s-client). The crates of the groups depend on it, and programs meet it
through them.
{FOOT}"
    )
}

const FOOT: &str = "
The application chooses the Kubernetes version with one feature, `latest` or one such as `v1_NN`; libraries choose none.

Licensed under Apache-2.0.
";

fn head(definition: &str, package: &str) -> String {
    format!("<!-- {HEADER} {definition}; edit codegen instead. -->\n\n# {package}\n\n")
}
