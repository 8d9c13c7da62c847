//! `CRATES.md`: in which crate a kind is and which feature it needs.

use std::fmt::Write as _;

use super::{HEADER, names};
use crate::model::{Area, Group, Model};

/// The table of all kinds, by kind, group and version.
pub(super) fn markdown(model: &Model) -> String {
    let mut rows = Vec::new();
    for group in &model.groups {
        for version in &group.versions {
            let feature =
                if version.is_stable() { String::new() } else { code(&names::version_feature(group, &version.name)) };
            for resource in &version.resources {
                let client = format!("{}::{}", version.client, resource.accessor(Area::Own));
                let row = format!(
                    "| `{}` | `{}` | `{}` | `{client}` | {feature} | {} |",
                    resource.kind,
                    version.api_version(group),
                    names::package(&group.crate_name),
                    model.since_until(resource.presence),
                );
                rows.push(((resource.kind.clone(), group.name.clone()), row));
            }
        }
    }
    // A stable sort: the versions of a kind stay in the model's order.
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut text = format!(
        "<!-- {HEADER} all API groups; edit codegen instead. -->

# Kinds and their crates

{}

The feature is that of `k8s-client`; the group's own crate calls it by the version alone. Without one, a kind is always there.
Kinds that not all supported versions of Kubernetes have are marked with those that do.

| kind | API version | crate | client | feature | Kubernetes |
|---|---|---|---|---|---|
",
        summary(&model.groups)
    );
    for (_, row) in rows {
        let _ = writeln!(text, "{row}");
    }
    text
}

fn summary(groups: &[Group]) -> String {
    let versions: usize = groups.iter().map(|group| group.versions.len()).sum();
    format!("{} crates, one for each API group, with {versions} versions.", groups.len())
}

fn code(text: &str) -> String {
    format!("`{text}`")
}
