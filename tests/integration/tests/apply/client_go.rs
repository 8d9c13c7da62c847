//! What is extracted, compared with what client-go extracts from the same objects.

use std::process::Command;

use k8s_client::{
    Codec,
    apply::{Applicable, Extract},
    k8s_openapi::serde::Serialize,
    resource::{Applies, Gets},
};
use k8s_client_integration_tests::{Test, TestResult, ask, json_of};
use serde_json::{Value, json};

use crate::objects::{self, MANAGERS, Visitor};

/// What client-go is asked, and what we say.
#[derive(Default)]
struct Questions(Vec<(Value, Value)>);

impl Visitor for Questions {
    async fn see<A, C>(&mut self, _: &C, object: &<C::Kind as Codec>::Object) -> TestResult
    where
        A: Extract<Kind = C::Kind> + Applicable<C::Kind> + Serialize,
        C: Applies + Gets,
    {
        let json = json_of::<C::Kind>(object)?;
        for manager in MANAGERS.into_iter().chain(["nobody"]) {
            for subresource in ["", "status"] {
                let ours = serde_json::to_value(A::extract_subresource(object, manager, subresource)?)?;
                let question = json!({ "object": json, "fieldManager": manager, "subresource": subresource });
                self.0.push((question, ours));
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn extracts_what_client_go_extracts() -> TestResult {
    let Some(program) = k8s_client_test_harness::build_extract()? else {
        println!("skipped: Go, which builds the program that asks client-go, is not installed");
        return Ok(());
    };
    let test = Test::namespace().await;
    let mut questions = Questions::default();
    Box::pin(objects::visit(&test, &mut questions)).await?;
    let answers: Vec<Value> = ask(Command::new(program), questions.0.iter().map(|(question, _)| question))?;
    assert_eq!(answers.len(), questions.0.len());

    let mut differences = Vec::new();
    for ((question, ours), client_go) in questions.0.iter().zip(&answers) {
        if client_go != ours {
            let [kind, manager, subresource] =
                [&question["object"]["kind"], &question["fieldManager"], &question["subresource"]];
            differences.push(format!("{kind} {manager} {subresource}\nclient-go: {client_go}\nwe:        {ours}"));
        }
    }
    println!("{} extractions are client-go's", questions.0.len() - differences.len());
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    Ok(())
}
