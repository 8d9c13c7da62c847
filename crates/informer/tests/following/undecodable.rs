//! Objects that cannot be decoded.

use k8s_client_test_server::{Fate, Server, event, listing};
use serde_json::json;

use crate::{synced, told, until};

/// Data that a config map cannot have.
fn spoil(server: &Server, name: &str) -> String {
    server.write("default", name, |object| object["data"] = json!({ "value": { "not": "a text" } }))
}

#[tokio::test(start_paused = true)]
async fn object_that_cannot_be_decoded_leaves_the_others() {
    for watch_lists in [false, true] {
        let server = Server::new();
        if !watch_lists {
            server.decide(listing(|_| Fate::Served));
        }
        server.set("a", "one");
        server.set("z", "one");
        spoil(&server, "m");
        let informer = synced(&server).await;
        let mut changes = informer.subscribe();
        assert_eq!(informer.lister().len(), 2);
        let health = informer.health();
        assert!(health.undecodable.is_some_and(|error| error.to_string().contains("default/m")));
        assert!(health.synced && health.error.is_none());
        assert_eq!(told(&mut changes).await.len(), 3);
        let version = spoil(&server, "n");
        until("the version", || informer.resource_version() == Some(version.clone())).await;
        server.set("z", "two");
        assert_eq!(told(&mut changes).await, ["~z=one>two"]);
        // It is passed over when the watch goes on.
        let asked = server.asked().len();
        spoil(&server, "n");
        server.end_watches();
        until("the watch", || server.asked().len() > asked).await;
        server.set("n", "mended");
        assert_eq!(told(&mut changes).await, ["+n=mended"]);
        // When everything is read again, that is known anew.
        server.set("m", "mended");
        server.forget();
        server.end_watches();
        until("the relist", || informer.resource_version() == Some(server.version())).await;
        assert!(informer.health().undecodable.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn known_object_that_cannot_be_decoded_any_more_stays_as_it_was() {
    for watch_lists in [false, true] {
        let server = Server::new();
        if !watch_lists {
            server.decide(listing(|_| Fate::Served));
        }
        server.set("web", "one");
        let informer = synced(&server).await;
        let mut changes = informer.subscribe();
        assert_eq!(told(&mut changes).await, ["+web=one", "synced"]);
        spoil(&server, "web");
        server.forget();
        server.end_watches();
        until("the relist", || informer.resource_version() == Some(server.version())).await;
        assert!(told(&mut changes).await.is_empty(), "it is not gone");
        assert!(informer.lister().get("default", "web").is_some());
        server.set("web", "two");
        assert_eq!(told(&mut changes).await, ["~web=one>two"]);
        // Its deletion is one, whatever it was in the end.
        spoil(&server, "web");
        server.delete("web");
        until("the deletion", || informer.lister().is_empty()).await;
        assert_eq!(told(&mut changes).await, ["-web=two?"]);
        assert_eq!(informer.resource_version(), Some(server.version()));
    }
}

#[tokio::test(start_paused = true)]
async fn watch_goes_on_behind_an_object_without_a_name() {
    let server = Server::new();
    let informer = synced(&server).await;
    server.say(&event("ADDED", &json!({ "metadata": 7 })));
    server.say(&event("DELETED", &json!([])));
    let version = server.set("web", "one");
    until("the version", || informer.resource_version() == Some(version.clone())).await;
    assert_eq!(informer.lister().len(), 1);
}
