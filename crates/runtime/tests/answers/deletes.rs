//! Answers to deletes.

use k8s_client_runtime::resource::{Deleted, DeletedCollection, PropagationPolicy};

use crate::{
    CONFIG_MAP, SUCCESS, config_maps,
    support::{Answer, JSON, Server, http},
};

#[tokio::test]
async fn delete_is_answered_with_the_object_or_a_status() {
    let server = Server::start(vec![
        Answer::Close(http("200 OK", JSON, SUCCESS)),
        Answer::Close(http("202 Accepted", JSON, CONFIG_MAP)),
    ])
    .await;
    let config_maps = config_maps(&server.client());
    assert!(matches!(config_maps.delete("web").await.expect("a Status"), Deleted::Status(_)));
    let deleted = config_maps.delete("web").propagation_policy(PropagationPolicy::Foreground).await.expect("an object");
    assert_eq!(deleted.object().expect("it is still there").metadata.name.as_deref(), Some("web"));
    let requests = server.requests();
    assert!(requests[1].ends_with(r#"{"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Foreground"}"#));
}

#[tokio::test]
async fn delete_that_the_server_agreed_to_succeeds_whatever_its_answer_is() {
    let text = "Content-Type: text/plain\r\n";
    let protobuf = "Content-Type: application/vnd.kubernetes.protobuf\r\n";
    for (status, headers, body, message) in [
        ("200 OK", "", "", None),
        ("202 Accepted", JSON, "", None),
        ("204 No Content", "", "", None),
        ("200 OK", text, "deleted\n", Some("deleted")),
        ("200 OK", JSON, "deleted", Some("deleted")),
        ("200 OK", JSON, r#"{"metadata":{},"status":"Success","message":"done"}"#, Some("done")),
        ("200 OK", JSON, r#"{"status":"Success"}"#, None),
        ("200 OK", JSON, "{}", None),
        ("200 OK", JSON, "[1]", Some("[1]")),
        ("200 OK", JSON, r#"{"kind":"Other","apiVersion":"v1"}"#, Some(r#"{"kind":"Other","apiVersion":"v1"}"#)),
        ("200 OK", protobuf, "k8s", Some("k8s")),
    ] {
        let server = Server::answering(status, headers, body).await;
        let config_maps = config_maps(&server.client());
        let deleted = config_maps.delete("web").await.expect(body);
        let Deleted::Status(one) = deleted else { panic!("{body}: {deleted:?}") };
        let deleted = config_maps.delete_collection().await.expect(body);
        let DeletedCollection::Status(many) = deleted else { panic!("{body}: {deleted:?}") };
        assert_eq!(one, many);
        assert_ne!(one.status.as_deref(), Some("Failure"));
        assert_eq!(one.message.as_deref(), message, "{body}");
    }
}

#[tokio::test]
async fn protocol_that_is_switched_unasked_is_no_success() {
    let switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n".to_vec();
    let server = Server::start(vec![Answer::Close(switched)]).await;
    let config_maps = config_maps(&server.client());
    for error in [
        config_maps.delete("web").await.expect_err("nobody says that it is deleted"),
        config_maps.get("web").await.expect_err("there is no object"),
        config_maps.list().await.expect_err("there is no list"),
    ] {
        assert_eq!(error.code(), Some(101), "{error}");
        assert!(error.to_string().contains("which it was not asked for"), "{error}");
    }
}
