//! Server-side apply.

use serde_json::{Value, json};

use super::server::Server;
use crate::merge::FieldSet;

type TestResult = Result<(), String>;

fn deployment() -> Server {
    Server::of("apps/v1", "Deployment")
}

fn replicas(count: u8) -> Value {
    json!({ "metadata": { "name": "web" }, "spec": { "replicas": count } })
}

fn with_image(image: &str) -> Value {
    json!({ "spec": { "template": { "spec": { "containers": [{ "name": "c", "image": image }] } } } })
}

#[test]
fn an_apply_to_nothing_creates_and_owns_what_it_says() -> TestResult {
    let mut server = deployment();
    server
        .apply("a", json!({ "metadata": { "name": "web", "labels": { "app": "web" } }, "spec": { "replicas": 2 } }))?;
    assert_eq!(server.live["spec"], json!({ "replicas": 2 }));
    assert_eq!(server.owned("a"), r#"{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:replicas":{}}}"#);
    assert_eq!(server.managers(), ["a Apply"]);
    assert_eq!(server.entry("a")["time"], "2026-01-01T00:00:01Z");
    Ok(())
}

#[test]
fn items_are_owned_by_their_keys_with_the_defaults_of_keys() -> TestResult {
    let mut server = Server::of("v1", "Service");
    server.apply("a", json!({ "spec": { "ports": [{ "port": 443 }, { "port": 80, "name": "http" }] } }))?;
    let port = |port: u16, more: &str| {
        format!(r#""k:{{\"port\":{port},\"protocol\":\"TCP\"}}":{{".":{{}},{more}"f:port":{{}}}}"#)
    };
    // By number, not by text.
    let ports = format!("{},{}", port(80, r#""f:name":{},"#), port(443, ""));
    assert_eq!(server.owned("a"), format!(r#"{{"f:spec":{{"f:ports":{{{ports}}}}}}}"#));
    Ok(())
}

#[test]
fn sets_maps_and_atomic_values_are_owned_as_they_are_declared() -> TestResult {
    let mut server = Server::of("v1", "Pod");
    server.apply(
        "a",
        json!({
            "metadata": { "finalizers": ["example.com/a"], "annotations": {} },
            "spec": { "nodeSelector": { "disk": "ssd" }, "dnsConfig": { "nameservers": ["1.1.1.1"] }, "containers": [] },
        }),
    )?;
    assert_eq!(
        server.owned("a"),
        r#"{"f:metadata":{"f:annotations":{},"f:finalizers":{"v:\"example.com/a\"":{}}},"#.to_owned()
            + r#""f:spec":{"f:dnsConfig":{"f:nameservers":{}},"f:nodeSelector":{}}}"#
    );
    Ok(())
}

#[test]
fn what_a_manager_leaves_out_is_removed_if_nobody_else_owns_it() -> TestResult {
    let mut server = deployment();
    server.apply("a", json!({ "spec": { "replicas": 1, "paused": true, "minReadySeconds": 3 } }))?;
    server.apply("b", json!({ "spec": { "paused": true } }))?;
    server.update("c", json!({ "spec": { "revisionHistoryLimit": 4 } }));
    server.apply("a", json!({ "spec": { "replicas": 1 } }))?;
    assert_eq!(server.live["spec"], json!({ "replicas": 1, "paused": true, "revisionHistoryLimit": 4 }));
    assert_eq!(server.owned("a"), r#"{"f:spec":{"f:replicas":{}}}"#);
    Ok(())
}

#[test]
fn an_item_that_is_left_out_stays_with_what_another_manager_put_into_it() -> TestResult {
    let mut server = deployment();
    server.apply("a", with_image("one"))?;
    let tty = json!({ "spec": { "template": { "spec": { "containers": [{ "name": "c", "tty": true }] } } } });
    server.apply("b", tty)?;
    server.apply("a", json!({}))?;
    assert_eq!(server.live["spec"]["template"]["spec"]["containers"], json!([{ "name": "c", "tty": true }]));
    assert_eq!(server.managers(), ["b Apply"]);
    server.apply("b", json!({}))?;
    assert_eq!(server.live.get("spec"), None);
    assert_eq!(server.live["metadata"], json!({ "uid": "1" }));
    Ok(())
}

#[test]
fn what_nobody_owns_stays_beside_what_others_own() -> TestResult {
    let mut server = deployment();
    server.apply("a", replicas(1))?;
    server.apply("b", json!({ "spec": { "paused": true } }))?;
    server.live["spec"]["minReadySeconds"] = json!(3); // Such as a default.
    server.apply("a", json!({}))?;
    assert_eq!(server.live["spec"], json!({ "paused": true, "minReadySeconds": 3 }));
    Ok(())
}

#[test]
fn another_value_than_the_owners_is_a_conflict() -> TestResult {
    let mut server = deployment();
    server.apply("a", replicas(1))?;
    assert_eq!(
        server.apply("b", replicas(2)),
        Err(r#"409 Apply failed with 1 conflict: conflict with "a": .spec.replicas"#.to_owned())
    );
    assert_eq!(server.live["spec"]["replicas"], 1);
    server.apply("a", with_image("one"))?;
    server.update("up", json!({ "spec": { "replicas": 3 } }));
    server.subresource = "scale".to_owned();
    server.update("hpa", json!({ "spec": { "paused": true } }));
    server.subresource = String::new();
    let mut config = with_image("two");
    config["spec"]["replicas"] = json!(2);
    config["spec"]["paused"] = json!(false);
    assert_eq!(
        server.apply("b", config),
        Err("409 Apply failed with 3 conflicts: conflicts with \"a\":\n\
             - .spec.template.spec.containers[name=\"c\"].image\n\
             conflicts with \"hpa\" with subresource \"scale\" using apps/v1:\n\
             - .spec.paused\n\
             conflicts with \"up\" using apps/v1:\n\
             - .spec.replicas"
            .to_owned())
    );
    Ok(())
}

#[test]
fn force_takes_the_fields_from_their_owners() -> TestResult {
    let mut server = deployment();
    server.apply("a", json!({ "spec": { "replicas": 1, "paused": true } }))?;
    server.force("b", replicas(2))?;
    assert_eq!(server.owned("a"), r#"{"f:spec":{"f:paused":{}}}"#);
    assert_eq!(server.owned("b"), r#"{"f:spec":{"f:replicas":{}}}"#);
    Ok(())
}

#[test]
fn the_same_value_is_shared_and_changes_no_time() -> TestResult {
    let mut server = deployment();
    server.apply("a", replicas(1))?;
    let before = server.live.clone();
    server.apply("a", replicas(1))?;
    assert_eq!(server.live, before, "nothing has changed");
    server.apply("b", replicas(1))?;
    assert_eq!(server.owned("a"), server.owned("b"));
    assert_eq!(server.entry("a")["time"], "2026-01-01T00:00:01Z");
    // A manager that comes and changes nothing has no time, in Kubernetes as well.
    assert_eq!(server.entry("b").get("time"), None);
    Ok(())
}

#[test]
fn what_was_there_before_the_first_apply_has_a_manager_of_its_own() -> TestResult {
    let mut server = deployment();
    server.live = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "uid": "1" }, "spec": { "replicas": 1 },
    });
    server.update("somebody", json!({ "spec": { "replicas": 2 } }));
    assert!(server.managers().is_empty(), "it is not tracked before somebody applies");
    assert_eq!(
        server.apply("a", replicas(3)),
        Err(r#"409 Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas"#
            .to_owned())
    );
    server.apply("a", replicas(2))?;
    assert_eq!(server.managers(), ["a Apply", "before-first-apply Update"]);
    Ok(())
}

#[test]
fn fields_of_the_other_endpoint_are_not_owned() -> TestResult {
    let mut server = deployment();
    let config = json!({ "spec": { "replicas": 1 }, "status": { "replicas": 1 } });
    server.reset = Some(FieldSet::of_fields([&["status"]]));
    server.apply("a", config.clone())?;
    assert_eq!(server.owned("a"), r#"{"f:spec":{"f:replicas":{}}}"#);
    server.subresource = "status".to_owned();
    server.reset = Some(FieldSet::of_fields([&["spec"], &["metadata"]]));
    server.apply("b", config)?;
    assert_eq!(server.owned("b"), r#"{"f:status":{"f:replicas":{}}}"#);
    assert_eq!(server.managers(), ["b Apply status", "a Apply"]);
    Ok(())
}

#[test]
fn kubectl_takes_over_what_it_applied_at_the_client() -> TestResult {
    const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let last = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": { "replicas": 1 } }).to_string();
    let mut server = deployment();
    let client_side = json!({ "metadata": { "annotations": { ANNOTATION: last } }, "spec": { "replicas": 1 } });
    server.update("kubectl-client-side-apply", client_side.clone());
    assert!(server.apply("other", replicas(2)).is_err(), "others conflict");
    server.apply("kubectl", replicas(2))?;
    assert_eq!(server.live["spec"]["replicas"], 2);
    assert_eq!(
        server.live["metadata"]["annotations"][ANNOTATION],
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":2}}\n"
    );
    // A field that somebody has changed since is not taken over.
    let mut server = deployment();
    server.update("kubectl-client-side-apply", client_side);
    server.update("hpa", json!({ "spec": { "replicas": 5 } }));
    assert_eq!(
        server.apply("kubectl", replicas(2)),
        Err(r#"409 Apply failed with 1 conflict: conflict with "hpa" using apps/v1: .spec.replicas"#.to_owned())
    );
    Ok(())
}

#[test]
fn configurations_that_do_not_fit_are_refused() {
    let in_patch =
        |fault: &str| Err(format!("500 failed to create typed patch object (/web; apps/v1, Kind=Deployment): {fault}"));
    let container = |containers: Value| json!({ "template": { "spec": { "containers": containers } } });
    for (more, refusal) in [
        (json!({ "kind": "Pod" }), Err("400 invalid object type: apps/v1, Kind=Pod".to_owned())),
        (json!({ "apiVersion": "v1" }), Err("400 invalid object type: /v1, Kind=Deployment".to_owned())),
        (
            json!({ "metadata": { "name": "web", "managedFields": [] } }),
            Err("400 metadata.managedFields must be nil".to_owned()),
        ),
        (json!({ "spec": { "nonsense": 1 } }), in_patch(".spec.nonsense: field not declared in schema")),
        (
            json!({ "spec": { "replicas": "1" } }),
            in_patch(".spec.replicas: expected numeric (int or float), got string"),
        ),
        (json!({ "spec": { "paused": 1 } }), in_patch(".spec.paused: expected boolean, got &{1}")),
        (
            json!({ "spec": { "strategy": { "type": 1.5 } } }),
            in_patch(".spec.strategy.type: expected string, got &value.valueUnstructured{Value:1.5}"),
        ),
        (json!({ "spec": { "strategy": [1, "a"] } }), in_patch(".spec.strategy: expected map, got &{[1 a]}")),
        (
            json!({ "spec": container(json!({ "name": "c" })) }),
            in_patch(".spec.template.spec.containers: expected list, got &{map[name:c]}"),
        ),
        (
            json!({ "spec": container(json!([{ "name": "c" }, { "name": "c" }])) }),
            in_patch(r#".spec.template.spec.containers: duplicate entries for key [name="c"]"#),
        ),
        (
            json!({ "spec": container(json!([null])) }),
            in_patch(
                ".spec.template.spec.containers: element 0: associative list with keys may not have a null element",
            ),
        ),
        (
            json!({ "metadata": { "name": "web", "finalizers": [{}] } }),
            in_patch(".metadata.finalizers: element 0: associative list without keys has an element that's a map type"),
        ),
    ] {
        let mut config = json!({ "metadata": { "name": "web" } });
        config.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        assert_eq!(deployment().apply("a", config), refusal, "{more}");
    }
}
