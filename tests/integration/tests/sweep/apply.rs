//! Apply with the configuration of each resource, and the way back.

use k8s_client::{
    FieldValidation,
    apply::{Applicable, Extract},
    resource::{Applies, Deletes, Gets},
};
use k8s_client_integration_tests::{TestResult, json_of, owned, reapply};
use k8s_openapi::serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Resource, contains};

const MANAGER: &str = "sweep";

/// Plural names of resources whose server lets nobody own the spec, so that nothing of it can be extracted.
const SPEC_OF_NOBODY: [&str; 1] = ["certificatesigningrequests"];

/// The server accepts the smallest valid object as the kind's configuration, and all of it comes back: to its manager
/// by extraction, to everybody with the whole object.
pub(crate) async fn dry_run<A, C>(client: &C, resource: &Resource, fixture: &Value) -> TestResult
where
    A: Extract<Kind = C::Kind> + Applicable<C::Kind> + Serialize + DeserializeOwned,
    C: Applies,
{
    let configuration: A = serde_json::from_value(fixture.clone())?;
    same("the configuration", &serde_json::to_value(&configuration)?, fixture)?;

    let applying = client.apply(&configuration).field_manager(MANAGER).dry_run();
    let object = applying.field_validation(FieldValidation::Strict).await?;
    // A status is not what is applied here, even where the object needs one.
    let mut stateless = fixture.clone();
    stateless["status"].take();
    if !SPEC_OF_NOBODY.contains(&resource.plural) {
        let extracted = A::extract(&object, MANAGER)?;
        let json = serde_json::to_value(&extracted)?;
        // The server adds defaults to the items of atomic lists, and they are the manager's then.
        holds("what was extracted", &json, &stateless)?;
        let again = client.apply(&extracted).field_manager(MANAGER).dry_run().await?;
        same("what was extracted again", &serde_json::to_value(A::extract(&again, MANAGER)?)?, &json)?;
        let (object, again) = (json_of::<C::Kind>(&object)?, json_of::<C::Kind>(&again)?);
        same("what was owned", &owned(&again, MANAGER, ""), &owned(&object, MANAGER, ""))?;
    }

    let mut identity = json!({ "apiVersion": fixture["apiVersion"], "kind": fixture["kind"], "metadata": {} });
    for name in ["name", "namespace"] {
        if let Some(value) = fixture["metadata"].get(name) {
            identity["metadata"][name] = value.clone();
        }
    }
    same("what was extracted for nobody", &serde_json::to_value(A::extract(&object, "nobody")?)?, &identity)?;

    let whole = serde_json::to_value(A::from_object(&object)?)?;
    holds("the whole object", &whole, &stateless)?;
    for server_sets in ["creationTimestamp", "managedFields", "resourceVersion", "uid"] {
        if whole["metadata"].get(server_sets).is_some() {
            return Err(format!("the whole object became {whole}, which has {server_sets}").into());
        }
    }
    Ok(())
}

/// Applying what was extracted changes neither the object nor who owns what.
pub(crate) async fn for_real<A, C>(client: &C, fixture: &Value) -> TestResult
where
    A: Extract<Kind = C::Kind> + Applicable<C::Kind> + Serialize + DeserializeOwned,
    C: Applies + Gets + Deletes,
{
    let configuration: A = serde_json::from_value(fixture.clone())?;
    let name = fixture["metadata"]["name"].as_str().ok_or("the fixture has no name")?;
    client.apply(&configuration).field_manager(MANAGER).await?;
    let result = reapply::<A, C>(client, name, MANAGER).await;
    // Some would be in the way of what comes later in the namespace.
    client.delete(name).await?;
    result
}

fn holds(what: &str, one: &Value, other: &Value) -> TestResult {
    if contains(one, other) { Ok(()) } else { Err(format!("{what}: {one} lacks some of {other}").into()) }
}

fn same(what: &str, one: &Value, other: &Value) -> TestResult {
    if one == other { Ok(()) } else { Err(format!("{what}: {one} instead of {other}").into()) }
}
