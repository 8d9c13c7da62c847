//! Servers of all ages, and servers that are not well.

mod support;

use std::time::{Duration, Instant};

use k8s_client_discovery::{Discovery as _, GroupVersion, ServerResources};
use k8s_client_runtime::ErrorKind;
use serde_json::json;
use support::{Asked, Reply, Server, aggregated, group, group_list, plain};

fn group_versions(all: &ServerResources) -> Vec<String> {
    all.resources.iter().map(|list| list.group_version.to_string()).collect()
}

fn group_version(text: &str) -> GroupVersion {
    text.parse().expect("it is a group-version")
}

#[tokio::test]
async fn aggregated_discovery_takes_two_requests() {
    let server = Server::start(aggregated).await;
    let all = server.discovery().groups_and_resources().await.expect("it is served");
    assert_eq!(group_versions(&all), ["v1", "apps/v1", "apps/v1beta1"]);
    assert!(all.failures.is_empty());
    assert_eq!(server.paths(), ["/api", "/apis"]);
}

#[tokio::test]
async fn server_of_version_one_is_asked_for_each_group_version() {
    let server = Server::start(plain).await;
    let all = server.discovery().groups_and_resources().await.expect("it is served");
    assert_eq!(group_versions(&all), ["v1", "apps/v1beta1", "apps/v1"]);
    assert_eq!(all.groups[1].preferred_version, "v1");
    assert_eq!(server.paths(), ["/api", "/api/v1", "/apis", "/apis/apps/v1", "/apis/apps/v1beta1"]);

    let eviction = all.get(&group_version("v1").with_resource("pods/eviction")).expect("it is served");
    assert_eq!(eviction.kind.to_string(), "policy/v1, Kind=Eviction");
    let preferred = all.preferred();
    assert_eq!(group_versions(&preferred), ["v1", "apps/v1"]);
    assert_eq!(preferred.resources[0].resources.len(), 1, "subresources are left out");
}

#[tokio::test]
async fn server_that_refuses_to_aggregate_is_asked_plainly() {
    let server =
        Server::start(|asked| if asked.aggregated() { Reply::error("406 Not Acceptable") } else { plain(asked) }).await;
    let all = server.discovery().groups_and_resources().await.expect("it is served");
    assert_eq!(group_versions(&all), ["v1", "apps/v1beta1", "apps/v1"]);
}

#[tokio::test]
async fn one_root_that_is_not_aggregated_makes_all_be_asked_for() {
    let server = Server::start(|asked| if asked.route() == "/api" { aggregated(asked) } else { plain(asked) }).await;
    let all = server.discovery().groups_and_resources().await.expect("it is served");
    assert_eq!(group_versions(&all), ["v1", "apps/v1beta1", "apps/v1"]);
    assert!(all.get(&group_version("v1").with_resource("pods/eviction")).is_some(), "it comes from version 1");
}

#[tokio::test]
async fn server_without_a_core_group_is_no_error() {
    let answer =
        |asked: &Asked| if asked.route() == "/api" { Reply::error("404 Not Found") } else { aggregated(asked) };
    let server = Server::start(answer).await;
    let all = server.discovery().groups_and_resources().await.expect("it is served");
    assert_eq!(group_versions(&all), ["apps/v1", "apps/v1beta1"]);
    assert_eq!(server.paths(), ["/api", "/apis"]);
}

#[tokio::test]
async fn groups_that_cannot_be_read_are_an_error() {
    for (root, status) in [("/apis", "404 Not Found"), ("/apis", "500 Oh"), ("/api", "403 Forbidden")] {
        let server =
            Server::start(move |asked| if asked.route() == root { Reply::error(status) } else { aggregated(asked) })
                .await;
        let error = server.discovery().groups_and_resources().await.expect_err(status);
        let request = error.request_error().expect("a request failed");
        assert!(request.url().is_some_and(|url| url.contains(root)), "{error}");
    }
}

#[tokio::test]
async fn aggregated_documents_are_known_by_parameters_in_quotes_and_of_any_case() {
    for parameters in [
        r#"g="apidiscovery.k8s.io";v="v2";as="APIGroupDiscoveryList""#,
        "G=apidiscovery.k8s.io;V=v2;AS=APIGroupDiscoveryList; Charset=UTF-8",
    ] {
        let server = Server::start(move |asked| match aggregated(asked) {
            Reply::Aggregated(body) => {
                Reply::Raw("200 OK", format!("Content-Type: Application/JSON;{parameters}\r\n"), body.to_string())
            }
            reply => reply,
        })
        .await;
        let all = server.discovery().groups_and_resources().await.expect("it is served");
        assert_eq!(group_versions(&all), ["v1", "apps/v1", "apps/v1beta1"]);
        assert_eq!(server.paths(), ["/api", "/apis"]);
    }
}

#[tokio::test]
async fn odd_group_is_reported_and_the_rest_is_there() {
    let odd_resource = json!({ "metadata": { "name": "odd.example.com" }, "versions": [
        { "version": "v2", "resources": [{ "resource": ["odds"] }] },
        { "version": "v1", "freshness": null,
          "resources": [{ "resource": "odds", "responseKind": { "kind": "Odd" } }] },
    ] });
    let nameless = json!({ "metadata": null, "versions": [{ "version": "v1", "resources": [] }] });
    let server = Server::start(move |asked| match asked.route() {
        "/apis" => {
            let sound = group("apps", &[("v1", &["Deployment"])]);
            Reply::Aggregated(group_list(&[nameless.clone(), odd_resource.clone(), json!(null), sound]))
        }
        _ => aggregated(asked),
    })
    .await;
    let discovery = server.discovery();
    let all = discovery.groups_and_resources().await.expect("the rest is served");
    assert_eq!(group_versions(&all), ["v1", "odd.example.com/v1", "apps/v1"]);
    assert!(all.get(&group_version("v1").with_resource("pods")).is_some(), "a group without a name hides no pods");
    let failed: Vec<_> = all.failures.keys().map(ToString::to_string).collect();
    assert_eq!(failed, ["", "odd.example.com/v2"]);
    let incomplete = ServerResources::clone(&all).complete().expect_err("some cannot be read").to_string();
    assert!(incomplete.contains("the entry of odd.example.com/v2 in the server's discovery document"), "{incomplete}");
    let names: Vec<_> = discovery.groups().await.expect("they are there").into_iter().map(|group| group.name).collect();
    assert_eq!(names, ["", "odd.example.com", "apps"]);
}

#[tokio::test]
async fn odd_group_of_a_plain_document_is_reported_and_the_rest_is_there() {
    let server = Server::start(|asked| match asked.route() {
        "/api" => Reply::Json(json!({ "versions": "v1" })),
        "/apis" => Reply::Json(json!({ "groups": [
            { "name": "odd.example.com", "versions": { "version": "v1" } },
            { "name": "apps", "versions": [{ "groupVersion": "apps/v1" }], "preferredVersion": null },
        ] })),
        _ => plain(asked),
    })
    .await;
    let all = server.discovery().groups_and_resources().await.expect("the rest is served");
    assert_eq!(group_versions(&all), ["apps/v1"]);
    assert_eq!(all.failures.keys().map(|failed| failed.group.as_str()).collect::<Vec<_>>(), ["", "odd.example.com"]);
}

#[tokio::test]
async fn stale_version_is_reported_and_the_rest_is_there() {
    let server = Server::start(|asked| match asked.route() {
        "/apis" => {
            let dead = group("dead.example.com", &[("v2", &[]), ("v1", &["Corpse"])]);
            Reply::Aggregated(group_list(&[group("apps", &[("v1", &["Deployment"])]), dead]))
        }
        _ => aggregated(asked),
    })
    .await;
    let all = server.discovery().groups_and_resources().await.expect("the rest is served");
    assert_eq!(group_versions(&all), ["v1", "apps/v1", "dead.example.com/v1"]);
    assert!(all.failures[&group_version("dead.example.com/v2")].is_stale());
    assert_eq!(all.groups[2].preferred_version, "v1");
    assert!(
        ServerResources::clone(&all).complete().expect_err("one is missing").to_string().contains("example.com/v2")
    );
    assert_eq!(server.count(), 2, "the server has said all it knows");
}

#[tokio::test]
async fn dead_version_is_tried_twice_and_reported_and_the_rest_is_there() {
    let answer = |asked: &Asked| match asked.route() {
        "/apis/apps/v1beta1" => Reply::error("503 Service Unavailable"),
        _ => plain(asked),
    };
    let server = Server::start(answer).await;
    let all = server.discovery().groups_and_resources().await.expect("the rest is served");
    assert_eq!(group_versions(&all), ["v1", "apps/v1"]);
    let error = all.failures[&group_version("apps/v1beta1")].request_error().expect("a request failed");
    assert!(error.is_service_unavailable(), "{error}");
    assert_eq!(all.groups[1].versions, ["v1beta1", "v1"]);
    let tries = server.paths().iter().filter(|path| *path == "/apis/apps/v1beta1").count();
    assert_eq!((tries, server.count()), (2, 6), "only what failed is asked for again");
}

#[tokio::test]
async fn version_that_comes_back_at_the_second_try_is_there() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let server = Server::start(move |asked| {
        let fails = asked.route() == "/apis/apps/v1" && first.swap(false, std::sync::atomic::Ordering::SeqCst);
        if fails { Reply::error("503 Service Unavailable") } else { plain(asked) }
    })
    .await;
    let all = server.discovery().groups_and_resources().await.expect("it is served");
    assert_eq!(group_versions(&all), ["v1", "apps/v1beta1", "apps/v1"]);
    assert!(all.failures.is_empty());
}

#[tokio::test]
async fn version_whose_server_asks_for_one_pause_after_the_other_does_not_stall_the_rest() {
    let server = Server::start(|asked| match asked.route() {
        "/apis/apps/v1beta1" => Reply::Raw("503 Service Unavailable", "Retry-After: 1\r\n".to_owned(), String::new()),
        _ => plain(asked),
    })
    .await;
    let began = Instant::now();
    let all = server.discovery().groups_and_resources().await.expect("the rest is served");
    // Three pauses of a second, and not ten or twenty.
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    assert_eq!(group_versions(&all), ["v1", "apps/v1"]);
    assert!(all.failures.contains_key(&group_version("apps/v1beta1")));
    assert_eq!(server.count(), 8, "it is asked for four times, the others once");
}

#[tokio::test]
async fn version_that_hangs_costs_one_time_limit_and_is_reported() {
    let limit = Duration::from_secs(2);
    let server = Server::start(|asked| match asked.route() {
        "/apis/apps/v1" => Reply::Silence,
        _ => plain(asked),
    })
    .await;
    let began = Instant::now();
    let all = server.discovery().with_timeout(limit).groups_and_resources().await.expect("the rest is served");
    assert!(began.elapsed() >= limit);
    assert_eq!(group_versions(&all), ["v1", "apps/v1beta1"]);
    let error = &all.failures[&group_version("apps/v1")];
    assert_eq!(error.request_error().map(k8s_client_runtime::Error::kind), Some(ErrorKind::Timeout));
    assert_eq!(server.count(), 5, "what hangs is not tried again");
}

#[tokio::test]
async fn what_is_served_is_told_from_what_is_not_and_from_what_cannot_be_known() {
    let server = Server::start(|asked| match asked.route() {
        "/apis/dead.example.com/v1" => Reply::error("503 Service Unavailable"),
        _ => plain(asked),
    })
    .await;
    let discovery = server.discovery();
    for (group_version_text, resource, expected) in [
        ("apps/v1", "deployments", true),
        ("v1", "pods/eviction", true),
        ("apps/v1", "pods", false),
        ("apps/v2", "deployments", false),
    ] {
        let resource = group_version(group_version_text).with_resource(resource);
        assert_eq!(discovery.is_served(&resource).await.expect("it can be known"), expected, "{resource}");
    }
    let corpses = group_version("dead.example.com/v1").with_resource("corpses");
    assert!(discovery.is_served(&corpses).await.is_err());
}

#[tokio::test]
async fn openapi_documents_come_with_their_hash_even_when_the_index_is_old() {
    let index = json!({ "paths": {
        "api/v1": { "serverRelativeURL": "/openapi/v3/api/v1?hash=NEW" },
        "apis/apps/v1": { "serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=OLD" },
    } });
    let server = Server::start(move |asked| match asked.route() {
        // Real servers say so.
        "/openapi/v3" => Reply::Raw("200 OK", "Content-Type: text/plain\r\n".to_owned(), index.to_string()),
        _ if asked.path.contains("hash=OLD") => Reply::Raw(
            "301 Moved Permanently",
            "Location: /openapi/v3/apis/apps/v1?hash=NEW\r\n".to_owned(),
            String::new(),
        ),
        path => {
            let headers = "Content-Type: application/json\r\nETag: \"NEW\"\r\n".to_owned();
            Reply::Raw("200 OK", headers, json!({ "openapi": "3.0.0", "x-path": path }).to_string())
        }
    })
    .await;
    let discovery = server.discovery();
    let index = discovery.openapi_v3().await.expect("there is an index");
    for text in ["v1", "apps/v1"] {
        let path = index.of(&group_version(text)).expect("it is described");
        let document = discovery.openapi_v3_document(path).await.expect("there is a document");
        assert_eq!(document.hash.as_deref(), Some("NEW"), "{text}");
        let json: serde_json::Value = serde_json::from_slice(&document.json).expect("it is JSON");
        assert_eq!(json["x-path"], path.path());
    }
    assert_eq!(discovery.openapi_v2().await.expect("there is one").hash.as_deref(), Some("NEW"));
}

#[tokio::test]
async fn page_in_place_of_the_openapi_index_is_an_error_with_its_url() {
    let page = |_: &Asked| Reply::Raw("200 OK", "Content-Type: text/html\r\n".to_owned(), "<html>".to_owned());
    let server = Server::start(page).await;
    let error = server.discovery().openapi_v3().await.expect_err("it is a page").to_string();
    assert!(error.starts_with("GET http://127.0.0.1:") && error.contains("/openapi/v3"), "{error}");
}
