//! When a mapper asks again, and whom it warns.

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use futures_util::future::join_all;
use k8s_client_discovery::{
    AmbiguousShortName, Discovery, DiskCache, GroupKind, GroupResource, GroupVersionKind, MemoryCache, ResourceScope,
    RestMapper,
};
use serde_json::json;
use support::{Reply, Server, aggregated, group, group_list, plain, with_widgets};

#[tokio::test]
async fn what_is_known_is_not_asked_for_again() {
    let server = Server::start(plain).await;
    let mapper = RestMapper::new(server.discovery());
    assert_eq!(server.count(), 0, "nothing is asked before the first question");
    for argument in ["po", "deploy", "deployments.v1beta1.apps", "Deployment"] {
        mapper.mapping_for(argument).await.unwrap_or_else(|error| panic!("{argument}: {error}"));
    }
    let mapping = mapper.clone().mapping(&GroupKind::new("apps", "Deployment"), &[]).await.expect("it is served");
    assert_eq!(mapping.resource.to_string(), "apps/v1, Resource=deployments");
    assert_eq!(mapping.kind.to_string(), "apps/v1, Kind=Deployment");
    assert_eq!(mapping.scope, ResourceScope::Namespaced);
    let kind = GroupVersionKind::new("apps", "v1beta1", "Deployment");
    assert_eq!(mapper.mapping_of(&kind).await.expect("it is served").kind, kind, "the version is the object's own");
    assert_eq!(server.count(), 5);
    let other = GroupVersionKind::new("apps", "v1", "Pod");
    assert!(mapper.mapping_of(&other).await.expect_err("it is another group's").is_no_match());
}

#[tokio::test]
async fn kind_that_appears_later_is_found_at_once() {
    let (server, widgets) = with_widgets().await;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let hour = Duration::from_secs(3600);
    let disk = || DiskCache::new(server.discovery(), folder.path(), hour);
    for mapper in [
        RestMapper::new(server.discovery()),
        RestMapper::new(MemoryCache::new(server.discovery())),
        RestMapper::new(disk()),
        RestMapper::new(MemoryCache::new(disk())),
        RestMapper::new(Box::new(MemoryCache::new(disk())) as Box<dyn Discovery>),
    ] {
        widgets.store(false, Ordering::SeqCst);
        // Files of another program, which has just written them.
        let other = disk();
        other.invalidate();
        other.groups_and_resources().await.expect("it is served");
        assert!(mapper.mapping_for("deployments").await.is_ok());
        assert!(mapper.mapping_for("widgets").await.expect_err("not yet").is_no_match());
        widgets.store(true, Ordering::SeqCst);
        let kind = GroupKind::new("example.com", "Widget");
        assert_eq!(mapper.mapping(&kind, &[]).await.expect("now it is").resource.resource, "widgets", "{mapper:?}");
    }
}

#[tokio::test]
async fn old_files_do_not_hide_a_new_kind_from_the_first_question() {
    let (server, widgets) = with_widgets().await;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let disk = || DiskCache::new(server.discovery(), folder.path(), Duration::from_secs(3600));
    disk().groups_and_resources().await.expect("it is served");
    widgets.store(true, Ordering::SeqCst);
    for mapper in [RestMapper::new(disk()), RestMapper::new(MemoryCache::new(disk()))] {
        assert!(mapper.mapping_for("widget").await.is_ok());
    }
}

#[tokio::test]
async fn what_is_newer_than_the_question_is_not_asked_for_twice() {
    let server = Server::start(aggregated).await;
    for mapper in [RestMapper::new(server.discovery()), RestMapper::new(MemoryCache::new(server.discovery()))] {
        let before = server.count();
        assert!(mapper.mapping_for("widgets").await.expect_err("there are none").is_no_match());
        assert_eq!(server.count() - before, 2, "the first question learns it all");
        assert!(mapper.mapping_for("widgets").await.expect_err("there are none").is_no_match());
        assert_eq!(server.count() - before, 4, "the next one asks once more");
    }
}

#[tokio::test]
async fn many_misses_at_once_cause_few_discoveries() {
    let server = Server::start(aggregated).await;
    let mapper = RestMapper::new(MemoryCache::new(server.discovery()));
    assert!(mapper.mapping_for("pods").await.is_ok());
    let before = server.count();
    let misses = join_all((0..50).map(|_| mapper.mapping_for("widgets"))).await;
    assert!(misses.iter().all(|miss| miss.as_ref().is_err_and(k8s_client_discovery::Error::is_no_match)));
    // The first one's discovery had begun when the others asked; they share another.
    let requests = server.count() - before;
    assert!(requests <= 4, "{requests}");
}

#[tokio::test]
async fn dead_group_is_named_by_the_miss_and_does_not_hide_the_rest() {
    let server = Server::start(|asked| match asked.route() {
        "/apis" => Reply::Aggregated(group_list(&[
            group("dead.example.com", &[("v1", &[])]),
            group("apps", &[("v1", &["Deployment"])]),
        ])),
        _ => aggregated(asked),
    })
    .await;
    let mapper = RestMapper::new(server.discovery());
    assert!(mapper.mapping_for("deployments").await.is_ok());
    let error = mapper.mapping_for("corpses.dead.example.com").await.expect_err("it cannot be known");
    assert!(error.is_no_match() && error.to_string().contains("dead.example.com/v1 is stale"), "{error}");
}

#[tokio::test]
async fn server_that_is_down_is_no_miss() {
    let server = Server::start(|_| Reply::error("500 Oh")).await;
    let error = RestMapper::new(server.discovery()).mapping_for("pods").await.expect_err("nobody knows");
    assert!(!error.is_no_match() && error.request_error().is_some(), "{error}");
}

#[tokio::test]
async fn reset_lets_everything_be_learned_again() {
    let (server, widgets) = with_widgets().await;
    let mapper = RestMapper::new(MemoryCache::new(server.discovery()));
    widgets.store(true, Ordering::SeqCst);
    assert!(mapper.mapping_for("widgets").await.is_ok());
    widgets.store(false, Ordering::SeqCst);
    assert!(mapper.mapping_for("widgets").await.is_ok(), "what is known is believed");
    mapper.reset();
    assert!(mapper.mapping_for("widgets").await.expect_err("it is gone").is_no_match());
}

#[tokio::test]
async fn many_who_ask_while_the_server_is_down_share_its_failure() {
    let server = Server::start(|_| Reply::error("500 Oh")).await;
    let mapper = RestMapper::new(MemoryCache::new(server.discovery()));
    let answers = join_all((0..20).map(|_| mapper.mapping_for("pods"))).await;
    assert!(answers.iter().all(Result::is_err));
    assert!(server.count() <= 2, "{}", server.count());
}

#[tokio::test]
async fn ambiguous_short_name_reaches_the_handler_of_the_mapper_that_was_asked() {
    let with_short_name = |name: &str, kind: &str| {
        let mut group = group(name, &[("v1", &[kind])]);
        group["versions"][0]["resources"][0]["shortNames"] = json!(["th"]);
        group
    };
    let groups = [with_short_name("a.example.com", "Thing"), with_short_name("b.example.com", "Thought")];
    let server = Server::start(move |asked| match asked.route() {
        "/apis" => Reply::Aggregated(group_list(&groups)),
        _ => aggregated(asked),
    })
    .await;
    let quiet = RestMapper::new(MemoryCache::new(server.discovery()));
    let (sender, warnings) = std::sync::mpsc::channel();
    let mapper = quiet.clone().with_warning_handler(move |ambiguous: &AmbiguousShortName| {
        sender.send(ambiguous.clone()).expect("the test listens");
    });
    for mapper in [&quiet, &mapper] {
        assert_eq!(mapper.mapping_for("th").await.expect("one is chosen").kind.kind, "Thing");
    }
    let warning = warnings.try_recv().expect("it is ambiguous");
    assert_eq!((warning.short_name.as_str(), warning.chosen.to_string().as_str()), ("th", "things.a.example.com"));
    assert_eq!(warning.others, [GroupResource::new("b.example.com", "thoughts")]);
    assert!(warnings.try_recv().is_err(), "the other mapper has a handler of its own");
}
