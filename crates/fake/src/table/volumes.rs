//! The rows of what has to do with volumes.

use serde_json::Value;

use super::row::Row;

/// The short names of modes, each once, in Kubernetes' order.
fn modes(modes: &[Value]) -> Value {
    let all =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let given = all.into_iter().filter(|(mode, _)| modes.iter().any(|given| given == mode));
    given.map(|(_, short)| short).collect::<Vec<_>>().join(",").into()
}

fn phase(row: &Row<'_>) -> Value {
    if row.is_being_deleted() { "Terminating".into() } else { row.text("/status/phase").into() }
}

pub(super) fn claim(row: &Row<'_>) -> Vec<Value> {
    let is_bound = !row.text("/spec/volumeName").is_empty();
    let (capacity, access) = if is_bound {
        (row.text_or("/status/capacity/storage", "0"), modes(row.items("/status/accessModes")))
    } else {
        ("".into(), "".into())
    };
    vec![
        row.name(),
        phase(row),
        row.text("/spec/volumeName").into(),
        capacity,
        access,
        row.text("/spec/storageClassName").into(),
        row.text_or("/spec/volumeAttributesClassName", "<unset>"),
        row.age(),
        row.text_or("/spec/volumeMode", "<unset>"),
    ]
}

pub(super) fn volume(row: &Row<'_>) -> Vec<Value> {
    let claim = row.at("/spec/claimRef");
    let text = |name: &str| claim[name].as_str().unwrap_or_default();
    let claim = if claim.is_object() { format!("{}/{}", text("namespace"), text("name")) } else { String::new() };
    vec![
        row.name(),
        row.text_or("/spec/capacity/storage", "0"),
        modes(row.items("/spec/accessModes")),
        row.text("/spec/persistentVolumeReclaimPolicy").into(),
        phase(row),
        claim.into(),
        row.text("/spec/storageClassName").into(),
        row.text_or("/spec/volumeAttributesClassName", "<unset>"),
        row.text("/status/reason").into(),
        row.age(),
        row.text_or("/spec/volumeMode", "<unset>"),
    ]
}

pub(super) fn class(row: &Row<'_>) -> Vec<Value> {
    let is_default = row.at("/metadata/annotations")["storageclass.kubernetes.io/is-default-class"] == "true";
    let name = if is_default { " (default)" } else { "" };
    vec![
        format!("{}{name}", row.text("/metadata/name")).into(),
        row.text("/provisioner").into(),
        row.text_or("/reclaimPolicy", "Delete"),
        row.text_or("/volumeBindingMode", "Immediate"),
        row.at("/allowVolumeExpansion").as_bool().unwrap_or_default().into(),
        row.age(),
    ]
}
