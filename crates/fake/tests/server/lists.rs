//! Lists: order, selectors, pages.

use serde_json::{Value, json};

use super::{CONFIG_MAPS, names, object, refusal, server};

#[tokio::test]
async fn selectors_choose_and_unknown_fields_are_refused() {
    let server = server();
    for (name, tier) in [("a", "front"), ("b", "back"), ("c", "front")] {
        let sent = json!({"metadata": {"name": name, "labels": {"tier": tier}}});
        object(&server, "POST", CONFIG_MAPS, sent).await;
    }
    for (selector, expected) in [
        ("labelSelector=tier%3Dfront", &["a", "c"][..]),
        ("labelSelector=tier%20notin%20(front)", &["b"]),
        ("fieldSelector=metadata.name!%3Da", &["b", "c"]),
        ("labelSelector=tier%3Dfront&fieldSelector=metadata.name%3Dc", &["c"]),
        ("labelSelector=none", &[]),
    ] {
        let list = object(&server, "GET", &format!("{CONFIG_MAPS}?{selector}"), Value::Null).await;
        assert_eq!(names(&list), expected, "{selector}");
        assert_eq!(list["kind"], "ConfigMapList");
    }
    let refused = refusal(&server, "GET", &format!("{CONFIG_MAPS}?fieldSelector=spec.x%3Dy"), Value::Null).await;
    let message = "\"spec.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"";
    assert_eq!(refused, (400, "BadRequest".to_owned(), message.to_owned()));
}

#[tokio::test]
async fn pages_are_of_one_revision_until_it_is_forgotten() {
    let server = server();
    for number in 0..5 {
        object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": format!("m{number}")}})).await;
    }
    let first = object(&server, "GET", &format!("{CONFIG_MAPS}?limit=2"), Value::Null).await;
    assert_eq!(names(&first), ["m0", "m1"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    let token = first["metadata"]["continue"].as_str().unwrap();
    object(&server, "DELETE", &format!("{CONFIG_MAPS}/m2"), Value::Null).await;
    object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "m9"}})).await;

    let next = format!("{CONFIG_MAPS}?limit=9&continue={token}");
    let second = object(&server, "GET", &next, Value::Null).await;
    assert_eq!(names(&second), ["m2", "m3", "m4"]);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);

    server.compact_all();
    let (code, expired) = super::ask(&server, "GET", &next, Value::Null).await;
    assert_eq!((code, expired["reason"].as_str()), (410, Some("Expired")));
    let token = expired["metadata"]["continue"].as_str().unwrap();
    let rest = object(&server, "GET", &format!("{CONFIG_MAPS}?continue={token}"), Value::Null).await;
    assert_eq!(names(&rest), ["m3", "m4", "m9"]);
}

#[tokio::test]
async fn the_future_cannot_be_listed() {
    let server = server();
    let (code, reason, message) =
        refusal(&server, "GET", &format!("{CONFIG_MAPS}?resourceVersion=9999"), Value::Null).await;
    assert_eq!((code, reason.as_str()), (504, "Timeout"));
    assert_eq!(message, format!("Timeout: Too large resource version: 9999, current: {}", server.revision()));
}
