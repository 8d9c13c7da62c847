//! CustomResourceDefinitions: what they must say, and what is served when they say it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    failure::{Cause, Failure, Result},
    model::{Custom, Resource, Subresource},
    schema::Schema,
    state::State,
    store::Object,
};

/// What can be done with custom resources.
const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// Fills in the names that a definition leaves out, and what follows from them.
pub(crate) fn default_fields(object: &mut Value) {
    let kind = text(&object["spec"]["names"], "kind").to_owned();
    let names = &mut object["spec"]["names"];
    if text(names, "singular").is_empty() {
        names["singular"] = kind.to_lowercase().into();
    }
    if text(names, "listKind").is_empty() {
        names["listKind"] = format!("{kind}List").into();
    }
    if !object["spec"]["conversion"].is_object() {
        object["spec"]["conversion"] = json!({"strategy": "None"});
    }
}

/// The versions that objects of a definition were ever stored in.
fn stored_versions(definition: &Value) -> Vec<Value> {
    let mut stored: Vec<Value> = definition["status"]["storedVersions"].as_array().cloned().unwrap_or_default();
    let versions = definition["spec"]["versions"].as_array().into_iter().flatten();
    for version in versions.filter(|version| version["storage"] == true) {
        if !stored.contains(&version["name"]) {
            stored.push(version["name"].clone());
        }
    }
    stored
}

/// Writes down what versions objects are stored in.
pub(crate) fn decide(object: &mut Value) {
    object["status"]["storedVersions"] = stored_versions(object).into();
}

/// What is wrong with a definition.
pub(crate) fn check(object: &Value) -> Result<Vec<Cause>> {
    let spec = &object["spec"];
    let mut causes = Vec::new();
    let name = text(&object["metadata"], "name");
    let (group, plural) = (text(spec, "group"), text(&spec["names"], "plural"));
    for (field, value) in [("group", group), ("names.plural", plural), ("names.kind", text(&spec["names"], "kind"))] {
        if value.is_empty() {
            causes.push(Cause::required(format!("spec.{field}"), ""));
        }
    }
    if !matches!(text(spec, "scope"), "Namespaced" | "Cluster") {
        let scope = spec["scope"].to_string();
        causes.push(Cause::unsupported("spec.scope", &scope, &["Cluster", "Namespaced"]));
    }
    if name != format!("{plural}.{group}") {
        let problem = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", &name.into(), problem));
    }
    let versions: Vec<&Value> = spec["versions"].as_array().into_iter().flatten().collect();
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        let problem = "must have exactly one version marked as storage version";
        causes.push(Cause::invalid("spec.versions", &spec["versions"], problem));
    }
    for (index, version) in versions.iter().enumerate() {
        if !version["schema"]["openAPIV3Schema"].is_object() {
            let field = format!("spec.versions[{index}].schema.openAPIV3Schema");
            causes.push(Cause::required(field, "schemas are required"));
        }
    }
    if text(&spec["conversion"], "strategy") == "Webhook" {
        return Err(Failure::not_implemented("conversion of custom resources by a webhook"));
    }
    Ok(causes)
}

/// Says which rules of a definition's schemas are not looked at, so that nobody believes that they are.
pub(crate) fn warnings(object: &Value) -> Vec<String> {
    let versions = object["spec"]["versions"].as_array().into_iter().flatten();
    let mut found = Vec::new();
    for version in versions {
        unchecked(&version["schema"]["openAPIV3Schema"], text(version, "name"), &mut found);
    }
    let said = |(keyword, path)| format!("the fake API server does not check `{keyword}` of {path}");
    found.into_iter().map(said).collect()
}

/// The keywords that are not looked at, with the places in a schema where they stand.
fn unchecked(schema: &Value, path: &str, found: &mut Vec<(&'static str, String)>) {
    for keyword in ["pattern", "x-kubernetes-validations"] {
        if schema.get(keyword).is_some() {
            found.push((keyword, path.to_owned()));
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        unchecked(property, &format!("{path}.{name}"), found);
    }
    for (keyword, shown) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(inner) = schema.get(keyword).filter(|inner| inner.is_object()) {
            unchecked(inner, &format!("{path}{shown}"), found);
        }
    }
}

/// Serves what a definition declares, and stops serving what it does not any more.
pub(crate) fn follow(
    state: &mut State,
    definitions: &Arc<Resource>,
    before: Option<&Arc<Object>>,
    after: Option<&Arc<Object>>,
) {
    if let Some(before) = before {
        let (group, plural) = (text(&before.value["spec"], "group"), text(&before.value["spec"]["names"], "plural"));
        state.custom.retain(|(of_group, _, of_plural), _| of_group != group || of_plural != plural);
        if after.is_none() {
            remove_objects(state, group, plural);
        }
    }
    let Some(after) = after else { return };
    for resource in resources(&after.value, state) {
        let key = (resource.group.clone(), resource.version.clone(), resource.plural.clone());
        state.custom.insert(key, Arc::new(resource));
    }
    establish(state, definitions, after);
}

/// The objects of a definition that is gone are gone too.
fn remove_objects(state: &mut State, group: &str, plural: &str) {
    let resource = Resource::new(group.to_owned(), String::new(), plural.to_owned(), String::new());
    let objects: Vec<Arc<Object>> =
        state.store.list(&resource.storage, "", None).map(|(_, object)| Arc::clone(object)).collect();
    for object in objects {
        state.remove(&resource, &object.value);
    }
}

/// The resources that a definition declares: one for each version that is served.
fn resources(definition: &Value, state: &State) -> Vec<Resource> {
    let spec = &definition["spec"];
    let names = &spec["names"];
    let served = spec["versions"].as_array().into_iter().flatten().filter(|version| version["served"] == true);
    served.map(|version| resource(spec, names, version, state)).collect()
}

fn resource(spec: &Value, names: &Value, version: &Value, state: &State) -> Resource {
    let list = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect()
    };
    let owned = |value: &Value, name: &str| text(value, name).to_owned();
    let mut resource =
        Resource::new(owned(spec, "group"), owned(version, "name"), owned(names, "plural"), owned(names, "kind"));
    resource.namespaced = text(spec, "scope") == "Namespaced";
    resource.schema = Schema::of_custom_resource(version["schema"].get("openAPIV3Schema"), state.model.types);
    resource.verbs = VERBS.map(str::to_owned).to_vec();
    resource.singular = owned(names, "singular");
    resource.short_names = list(&names["shortNames"]);
    resource.categories = list(&names["categories"]);
    let verbs = || ["get", "patch", "update"].map(str::to_owned).to_vec();
    if version["subresources"]["status"].is_object() {
        let status = Subresource {
            group: resource.group.clone(),
            version: resource.version.clone(),
            kind: resource.kind.clone(),
            schema: resource.schema.clone(),
            verbs: verbs(),
        };
        resource.subresources.insert("status".to_owned(), status);
    }
    let scale = &version["subresources"]["scale"];
    if scale.is_object() {
        let of_scale = state.built_in("apps/v1", "deployments");
        let of_scale = of_scale.and_then(|deployments| deployments.subresources.get("scale").cloned());
        resource.subresources.extend(of_scale.map(|of_scale| ("scale".to_owned(), of_scale)));
    }
    resource.custom = Some(Custom {
        list_kind: owned(names, "listKind"),
        selectable: version["selectableFields"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|field| text(field, "jsonPath").trim_start_matches('.').to_owned())
            .collect(),
        scale: scale.is_object().then(|| {
            let selector = scale["labelSelectorPath"].as_str().map(str::to_owned);
            (owned(scale, "specReplicasPath"), owned(scale, "statusReplicasPath"), selector)
        }),
        columns: version["additionalPrinterColumns"].as_array().cloned().unwrap_or_default(),
    });
    resource
}

/// What the server's own controllers write into a definition when they have accepted it.
fn establish(state: &mut State, definitions: &Arc<Resource>, object: &Arc<Object>) {
    let mut value = object.value.clone();
    let now = state.clock.timestamp();
    let names = value["spec"]["names"].clone();
    let is_established = |condition: &Value| condition["type"] == "Established" && condition["status"] == "True";
    let conditions = value["status"]["conditions"].as_array();
    let stored = stored_versions(&value);
    let status = &value["status"];
    if conditions.is_some_and(|conditions| conditions.iter().any(is_established))
        && status["acceptedNames"] == names
        && status["storedVersions"] == json!(stored)
    {
        return;
    }
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message,
        })
    };
    value["status"] = json!({
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "acceptedNames": names,
        "storedVersions": stored,
    });
    state.put(definitions, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_are_not_looked_at_are_named_where_they_stand() {
        let spec = json!({
            "type": "object", "x-kubernetes-validations": [{"rule": "self.a == self.b"}],
            "properties": {"names": {"type": "array", "items": {"type": "string", "pattern": "^a"}}},
        });
        let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}});
        let definition = json!({"spec": {"versions": [{"name": "v1", "schema": schema}]}});
        assert_eq!(
            warnings(&definition),
            [
                "the fake API server does not check `x-kubernetes-validations` of v1.spec",
                "the fake API server does not check `pattern` of v1.spec.names[]",
            ]
        );
    }
}
