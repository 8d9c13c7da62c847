//! Random sequences of writes, of which Kubernetes' libraries and we must make the same.
//!
//! `K8S_CLIENT_FAKE_SEQUENCES` sets how many, `K8S_CLIENT_FAKE_SEED` with which seed they begin.

use std::{env, path::Path};

use serde_json::{Value, json};

use super::{
    objects,
    sequences::{Sequence, Step},
};
use crate::ask::ask;

/// How often Kubernetes is asked again where it answers something else.
const AGAIN: usize = 60;

type TestResult = Result<(), Box<dyn std::error::Error>>;

#[test]
fn does_to_random_sequences_what_kubernetes_does() -> TestResult {
    let Some(program) = k8s_client_test_harness::build_merge()? else {
        println!("skipped: Go, which builds the program that asks Kubernetes' libraries, is not installed");
        return Ok(());
    };
    let number = |name: &str, default| env::var(name).map_or(Ok(default), |text| text.parse::<u64>());
    let (count, seed) = (number("K8S_CLIENT_FAKE_SEQUENCES", 400)?, number("K8S_CLIENT_FAKE_SEED", 0)?);
    let sequences: Vec<Sequence> = (seed..seed + count).map(objects::sequence).collect();
    let differences = differences(&program, &sequences)?;
    let steps: usize = sequences.iter().map(|sequence| sequence.steps.len()).sum();
    println!("{} of {count} sequences ({steps} writes) are Kubernetes' own", sequences.len() - differences.len());
    if differences.is_empty() {
        return Ok(());
    }
    let numbers: Vec<u64> = differences.iter().take(20).map(|difference| seed + difference.sequence as u64).collect();
    println!("the others begin with those of the seeds {numbers:?}");
    for difference in differences.iter().take(3) {
        println!("{}\n", smallest(&program, difference, sequences[difference.sequence].clone())?);
    }
    panic!("{} sequences differ", differences.len());
}

/// Where the answers part.
#[derive(Clone)]
struct Difference {
    sequence: usize,
    step: usize,
    kubernetes: Value,
    ours: Value,
}

/// The sequences of which Kubernetes and we make different things.
///
/// What Kubernetes makes of a few follows the order of Go's maps, which is another one each time. So whatever differs
/// is asked several times.
fn differences(program: &Path, sequences: &[Sequence]) -> Result<Vec<Difference>, Box<dyn std::error::Error>> {
    let first = differences_once(program, sequences)?;
    let again: Vec<Sequence> =
        first.iter().flat_map(|difference| vec![sequences[difference.sequence].clone(); AGAIN]).collect();
    let again = differences_once(program, &again)?;
    let always =
        |index: &usize| again.iter().filter(|difference| difference.sequence / AGAIN == *index).count() == AGAIN;
    Ok(first.into_iter().enumerate().filter(|(index, _)| always(index)).map(|(_, difference)| difference).collect())
}

fn differences_once(program: &Path, sequences: &[Sequence]) -> Result<Vec<Difference>, Box<dyn std::error::Error>> {
    if sequences.is_empty() {
        return Ok(Vec::new());
    }
    let answers = ask(program, sequences.iter().map(Sequence::question).collect())?;
    assert_eq!(answers.len(), sequences.len(), "answers");
    let mut clock = 0;
    let mut differences = Vec::new();
    for (index, (sequence, answer)) in sequences.iter().zip(answers).enumerate() {
        let ours: Vec<Value> = sequence.results(&mut clock).into_iter().map(in_order).collect();
        let kubernetes: Vec<Value> = serde_json::from_value(answer)?;
        let kubernetes = kubernetes.into_iter().map(in_order);
        let difference =
            ours.into_iter().zip(kubernetes).enumerate().find(|(_, (ours, kubernetes))| ours != kubernetes);
        if let Some((step, (ours, kubernetes))) = difference {
            differences.push(Difference { sequence: index, step, kubernetes, ours });
        }
    }
    Ok(differences)
}

/// A result without what Kubernetes leaves to the order of Go's maps.
fn in_order(mut result: Value) -> Value {
    if let Some(Value::Array(causes)) = result.pointer_mut("/error/causes") {
        causes.sort_by_key(|cause| cause["message"].to_string());
    }
    if let Some(Value::String(message)) = result.pointer_mut("/error/message") {
        // Which faults are found beside a field that is not declared depends on when it comes.
        if let Some((before, faults)) = message.split_once("): ").or_else(|| message.split_once("smd typed: "))
            && faults.contains("field not declared in schema")
        {
            *message = format!("{before} field not declared in schema");
        } else if message.contains("errors:\n") {
            let mut lines: Vec<&str> = message.split('\n').collect();
            lines.sort_unstable();
            *message = lines.join("\n");
        }
    }
    result
}

/// The sequence with as little as still differs, as text.
fn smallest(
    program: &Path,
    difference: &Difference,
    mut sequence: Sequence,
) -> Result<String, Box<dyn std::error::Error>> {
    let mut smallest = difference.clone();
    loop {
        let smaller = smaller(&sequence);
        let Some(difference) = differences_once(program, &smaller)?.into_iter().next() else { break };
        sequence = smaller[difference.sequence].clone();
        smallest = difference;
    }
    let Difference { step, kubernetes, ours, .. } = smallest;
    let mut question = sequence.question();
    let steps = question["steps"].take();
    Ok(format!("{question}\n{steps}\nstep {step}\nKubernetes: {kubernetes}\nwe:         {ours}"))
}

/// All sequences with one thing less.
fn smaller(sequence: &Sequence) -> Vec<Sequence> {
    let mut smaller = Vec::new();
    for index in 0..sequence.steps.len() {
        let mut less = sequence.clone();
        less.steps.remove(index);
        smaller.push(less);
        for body in smaller_values(&sequence.steps[index].body) {
            let mut less = sequence.clone();
            less.steps[index] = Step { body, ..less.steps[index].clone() };
            smaller.push(less);
        }
    }
    for key in sequence.reset.keys() {
        let mut less = sequence.clone();
        less.reset.remove(key);
        smaller.push(less);
    }
    smaller
}

fn smaller_values(value: &Value) -> Vec<Value> {
    let mut smaller = Vec::new();
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if !matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
                    let mut less = members.clone();
                    less.remove(key);
                    smaller.push(Value::Object(less));
                }
                for part in smaller_values(member) {
                    let mut less = members.clone();
                    less.insert(key.clone(), part);
                    smaller.push(Value::Object(less));
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let mut less = items.clone();
                less.remove(index);
                smaller.push(Value::Array(less));
                for part in smaller_values(item) {
                    let mut less = items.clone();
                    less[index] = part;
                    smaller.push(json!(less));
                }
            }
        }
        _ => {}
    }
    smaller
}
