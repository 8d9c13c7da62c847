//! What the server answered, to be held against what it answers to the same in another form.

use std::collections::BTreeMap;

use fastrand::Rng;
use k8s_client::Codec;
use k8s_client_integration_tests::{Filling, TestResult, filled};
use k8s_openapi::serde::Serialize;
use serde_json::{Value, json};

use super::{Comparable, Resource};

/// How many variants of each smallest object are tried.
pub(crate) const VARIANTS: usize = 8;

/// The answers of one sweep, by what was asked.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Of calls, which all sweeps make.
    calls: BTreeMap<String, Value>,
    /// Of objects as they were at one version, which not all sweeps see.
    objects: BTreeMap<String, Value>,
    /// How many random objects the server took.
    pub(crate) random: usize,
}

impl Answers {
    /// Notes the answer of a call: the object, or why there is none.
    pub(crate) fn call<T: Serialize>(&mut self, what: String, answer: &k8s_client::Result<T>) -> TestResult {
        let mut answer = match answer {
            Ok(object) => serde_json::to_value(object)?,
            Err(error) => {
                // Its words may have a time or a uid in them, and Go's maps give what is wrong in any order.
                let mut fields: Vec<_> = error.causes().iter().map(|cause| (&cause.field, &cause.reason)).collect();
                fields.sort();
                json!({ "code": error.code(), "reason": error.reason(), "fields": fields })
            }
        };
        // The server tells these rules in any order.
        if what.contains("selfsubjectrulesreviews") {
            sort(&mut answer);
        }
        leave_out_what_is_drawn(&mut answer);
        self.calls.insert(what, answer);
        Ok(())
    }

    /// Notes objects that were read.
    pub(crate) fn objects<T: Serialize>(&mut self, resource: &Resource, objects: &[T]) -> TestResult {
        for object in objects {
            let object = serde_json::to_value(object)?;
            let metadata = &object["metadata"];
            // Components are looked at when they are asked for.
            if metadata["resourceVersion"].is_null() {
                continue;
            }
            let what = format!(
                "{} {} {} {}",
                resource.api_version, resource.plural, metadata["uid"], metadata["resourceVersion"]
            );
            self.objects.insert(what, object);
        }
        Ok(())
    }

    /// Where these answers are not those of two other sweeps. Where those differ from each other, the server makes
    /// things up or looked at its clock.
    pub(crate) fn differences(&self, one: &Self, two: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        for (what, answer) in &self.calls {
            match (one.calls.get(what), two.calls.get(what)) {
                (Some(one), Some(two)) => compare(what, [answer, one, two], &mut differences),
                _ => differences.push(format!("{what}: was not asked by all")),
            }
        }
        for (what, answer) in &self.objects {
            if let Some(other) = one.objects.get(what) {
                compare(what, [answer, other, other], &mut differences);
            }
        }
        differences
    }

    /// How many objects this and another sweep have both read.
    pub(crate) fn read_by_both(&self, other: &Self) -> usize {
        self.objects.keys().filter(|what| other.objects.contains_key(*what)).count()
    }
}

/// Takes out what the server draws from so few that it may be the same twice: addresses and ports of services.
fn leave_out_what_is_drawn(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                !["clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort"].contains(&name.as_str())
            });
            fields.values_mut().for_each(leave_out_what_is_drawn);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_what_is_drawn),
        _ => {}
    }
}

/// Puts all lists in one order.
fn sort(json: &mut Value) {
    match json {
        Value::Array(items) => {
            items.iter_mut().for_each(sort);
            items.sort_by_cached_key(Value::to_string);
        }
        Value::Object(fields) => fields.values_mut().for_each(sort),
        _ => {}
    }
}

fn compare(at: &str, [answer, one, two]: [&Value; 3], differences: &mut Vec<String>) {
    if one == two {
        if answer != one {
            differences.push(format!("{at}: {answer} in place of {one}"));
        }
        return;
    }
    match (answer, one, two) {
        (Value::Object(answer), Value::Object(one), Value::Object(two)) => {
            for (name, one) in one {
                let (answer, two) = (answer.get(name), two.get(name));
                let none = Value::Null;
                compare(&format!("{at}.{name}"), [answer.unwrap_or(&none), one, two.unwrap_or(&none)], differences);
            }
        }
        (Value::Array(answer), Value::Array(one), Value::Array(two)) if one.len() == two.len() => {
            if answer.len() != one.len() {
                differences.push(format!("{at}: {} items in place of {}", answer.len(), one.len()));
            }
            for (index, ((answer, one), two)) in answer.iter().zip(one).zip(two).enumerate() {
                compare(&format!("{at}[{index}]"), [answer, one, two], differences);
            }
        }
        _ => {}
    }
}

/// Variants of a smallest object: each with labels of its own and a field more, made up. Those of a resource are the
/// same in each sweep. The server does not take all of them.
pub(crate) fn variants<K: Codec<Object: Comparable>>(resource: &Resource, fixture: &Value) -> Vec<Value> {
    let seed = resource.api_version.bytes().chain(resource.plural.bytes());
    let mut rng = Rng::with_seed(seed.fold(7, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into())));
    let variant = |index: usize| {
        let mut variant = fixture.clone();
        let label = format!("v{}", rng.u32(..));
        variant["metadata"]["labels"] = json!({ "swept": label, "index": index.to_string() });
        variant["metadata"]["annotations"] = json!({ "k8s.io/made-up": "\u{20ac} \"\\\n".repeat(rng.usize(1..9)) });
        let object: K::Object = filled(Filling::Anything, &mut rng);
        if let Ok(object) = serde_json::to_value(&object) {
            graft(&mut variant, &object, &mut rng);
        }
        variant
    };
    (0..VARIANTS).map(variant).collect()
}

/// Adds one field that the other object has to an object, at a random place that both have.
fn graft(object: &mut Value, from: &Value, rng: &mut Rng) {
    let (Value::Object(fields), Value::Object(others)) = (object, from) else { return };
    let taken = ["metadata", "apiVersion", "kind", "status"];
    let names: Vec<&String> = others.keys().filter(|name| !taken.contains(&name.as_str())).collect();
    let Some(name) = names.get(rng.usize(..names.len().max(1))) else { return };
    match fields.get_mut(*name) {
        Some(field) => graft(field, &others[*name], rng),
        None => drop(fields.insert((*name).clone(), others[*name].clone())),
    }
}
