//! What tests of apply share.

use k8s_client::{
    Codec,
    apply::{Applicable, Extract},
    resource::{Applies, Gets},
};
use k8s_openapi::serde::Serialize;
use serde_json::Value;

use crate::{TestResult, field};

/// How often something else may change an object under our hands, such as its controller.
const ATTEMPTS: usize = 20;

/// What a manager applied, as the server tells it in `fieldsV1`; null when it applied nothing. `subresource` is empty
/// for the object itself.
pub fn owned(object: &impl Serialize, manager: &str, subresource: &str) -> Value {
    let entries = field(object, "/metadata/managedFields");
    let found = entries.as_array().into_iter().flatten().find(|entry| {
        entry["manager"] == manager
            && entry["operation"] == "Apply"
            && entry["subresource"].as_str().unwrap_or_default() == subresource
    });
    found.map(|entry| entry["fieldsV1"].clone()).unwrap_or_default()
}

/// Applies what is extracted for the manager; an error when that changes the object or who owns what.
pub async fn reapply<A, C>(client: &C, name: &str, manager: &str) -> TestResult
where
    A: Extract<Kind = C::Kind> + Applicable<C::Kind> + Serialize,
    C: Applies + Gets,
{
    for _ in 0..ATTEMPTS {
        let before = client.get(name).await?;
        let extracted = A::extract(&before, manager)?;
        let after = client.apply(&extracted).field_manager(manager).await?;
        let (sent, extracted) =
            (serde_json::to_value(&extracted)?, serde_json::to_value(A::extract(&after, manager)?)?);
        let (before, after) = (json_of::<C::Kind>(&before)?, json_of::<C::Kind>(&after)?);
        // Whoever else writes, nobody else writes these.
        let (fields, fields_now) = (owned(&before, manager, ""), owned(&after, manager, ""));
        if fields != fields_now || sent != extracted {
            return Err(
                format!("{manager} owned {fields}, then {fields_now}; sent {sent}, got back {extracted}").into()
            );
        }
        if before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"] {
            return Ok(());
        }
    }
    Err(format!("something changed each of {ATTEMPTS} times").into())
}

/// An object as its codec writes it.
pub fn json_of<K: Codec>(object: &K::Object) -> TestResult<Value> {
    Ok(serde_json::from_slice(&K::encode_json(object)?)?)
}
