//! Watches: what is told, in which order, and how they end.

use serde_json::{Value, json};

use super::{CONFIG_MAPS, object, server};

/// The types and names of events.
fn events(answer: &Value) -> Vec<(&str, &str)> {
    let events = answer.as_array().map_or(std::slice::from_ref(answer), Vec::as_slice);
    let mut told = Vec::new();
    for event in events {
        let name = event["object"]["metadata"]["name"].as_str();
        told.push((event["type"].as_str().unwrap_or_default(), name.unwrap_or_default()));
    }
    told
}

#[tokio::test(start_paused = true)]
async fn every_write_after_the_revision_is_told_in_order() {
    let server = server();
    let first = object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "a"}})).await;
    let from = first["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "b"}})).await;
    object(&server, "PUT", &format!("{CONFIG_MAPS}/a"), json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).await;
    object(&server, "DELETE", &format!("{CONFIG_MAPS}/b"), Value::Null).await;
    let path = format!("{CONFIG_MAPS}?watch=true&resourceVersion={from}&timeoutSeconds=1");
    let told = object(&server, "GET", &path, Value::Null).await;
    assert_eq!(events(&told), [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]);
    assert_eq!(told[2]["object"]["metadata"]["resourceVersion"], server.revision().to_string());
}

#[tokio::test(start_paused = true)]
async fn what_leaves_the_selection_is_told_as_deleted_and_what_enters_it_as_added() {
    let server = server();
    let version = server.revision();
    let labelled = |tier: &str| json!({"metadata": {"name": "a", "labels": {"tier": tier}}});
    object(&server, "POST", CONFIG_MAPS, labelled("front")).await;
    for tier in ["back", "other", "front"] {
        object(&server, "PUT", &format!("{CONFIG_MAPS}/a"), labelled(tier)).await;
    }
    let selector = "labelSelector=tier%3Dfront";
    let path = format!("{CONFIG_MAPS}?watch=true&{selector}&resourceVersion={version}&timeoutSeconds=1");
    let told = object(&server, "GET", &path, Value::Null).await;
    assert_eq!(events(&told), [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a")]);
    assert_eq!(told[1]["object"]["metadata"]["labels"]["tier"], "front");
}

#[tokio::test(start_paused = true)]
async fn initial_events_end_with_a_bookmark() {
    let server = server();
    object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "a"}})).await;
    let options = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1";
    let told = object(&server, "GET", &format!("{CONFIG_MAPS}?watch=true&{options}"), Value::Null).await;
    assert_eq!(events(&told)[..2], [("ADDED", "a"), ("BOOKMARK", "")]);
    let metadata = &told[1]["object"]["metadata"];
    assert_eq!(metadata["annotations"]["k8s.io/initial-events-end"], "true");
    assert_eq!(metadata["resourceVersion"], server.revision().to_string());
}

#[tokio::test(start_paused = true)]
async fn a_watch_of_what_is_forgotten_ends_in_an_event_that_says_so() {
    let server = server();
    object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "a"}})).await;
    let old = server.revision();
    object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "b"}})).await;
    server.compact_all();
    let told = object(&server, "GET", &format!("{CONFIG_MAPS}?watch=true&resourceVersion={old}"), Value::Null).await;
    assert_eq!((&told["type"], &told["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!(told["object"]["reason"], "Expired");
}

#[tokio::test(start_paused = true)]
async fn a_watch_hears_of_what_happens_while_it_is_open_and_ends_when_it_is_cut() {
    let server = server();
    let path = format!("{CONFIG_MAPS}?watch=true&resourceVersion={}", server.revision());
    let watch = object(&server, "GET", &path, Value::Null);
    let write = async {
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        object(&server, "POST", CONFIG_MAPS, json!({"metadata": {"name": "late"}})).await;
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        server.cut_watches();
    };
    let (told, ()) = tokio::join!(watch, write);
    assert_eq!(events(&told), [("ADDED", "late")]);
}
