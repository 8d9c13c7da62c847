//! JSON and protobuf: what is asked for, what is sent, and what comes of servers that have only one of them. No socket
//! is involved.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use k8s_client_runtime::{
    Config, ErrorKind, RestClient,
    codec::{self, Codec, Listable, MediaType},
    message,
    protobuf::{
        self,
        types::{Bool, Bytes as Octets, Text},
    },
    resource::{AnyScope, ResourceClient},
    rest::Body,
    schema::GroupVersionResource,
    watch::WatchEvent,
};
use k8s_openapi::{
    List,
    api::core::v1 as api,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Status},
};

use crate::{nowhere, nowhere_but, web};

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const JSON: &str = "application/json";

message! {
    ConfigMapMessage of api::ConfigMap {
        1 metadata: one Metadata,
        2 data: map Text,
        3 binary_data: map Octets,
        4 immutable: one Bool,
    }
}

message! {
    Metadata of ObjectMeta {
        1 name: one_unless_zero Text,
        6 resource_version: one_unless_zero Text,
    }
}

/// Config maps as generated crates have them.
enum ConfigMap {}

impl Codec for ConfigMap {
    type Object = api::ConfigMap;

    const ACCEPT: &'static [MediaType] = MediaType::PROTOBUF_OR_JSON;

    fn encode_json(object: &api::ConfigMap) -> codec::Result<Vec<u8>> {
        codec::to_json(object)
    }

    fn decode_json(body: &[u8]) -> codec::Result<api::ConfigMap> {
        codec::from_json(body)
    }

    fn encode_protobuf(object: &api::ConfigMap) -> codec::Result<Vec<u8>> {
        codec::to_protobuf::<ConfigMapMessage>(object)
    }

    fn decode_protobuf(body: &[u8]) -> codec::Result<api::ConfigMap> {
        codec::from_protobuf::<ConfigMapMessage>(body)
    }
}

impl Listable for ConfigMap {
    type List = List<api::ConfigMap>;

    fn decode_list_json(body: &[u8]) -> codec::Result<Self::List> {
        codec::from_json(body)
    }

    fn decode_list_protobuf(body: &[u8]) -> codec::Result<Self::List> {
        codec::list_from_protobuf::<ConfigMapMessage>(body)
    }

    fn decode_item_protobuf(body: &[u8]) -> codec::Result<api::ConfigMap> {
        codec::item_from_protobuf::<ConfigMapMessage>(body)
    }
}

/// What a request said of forms: its path, its `Accept`, its `Content-Type`.
type Said = (String, String, String);

/// A client whose server answers so, and what was said to that.
fn answered<F>(config: &Config, answer: F) -> (RestClient, Arc<Mutex<Vec<Said>>>)
where
    F: Fn(&Said, Bytes) -> Response<Body> + Clone + Send + Sync + 'static,
{
    let all = Arc::new(Mutex::new(Vec::new()));
    let seen = all.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (seen, answer) = (seen.clone(), answer.clone());
        async move {
            let (head, body) = request.into_parts();
            let header = |name| head.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            let said = (head.uri.path().to_owned(), header(header::ACCEPT), header(header::CONTENT_TYPE));
            seen.lock().unwrap().push(said.clone());
            Ok::<_, Infallible>(answer(&said, body.collect().await.unwrap()))
        }
    });
    (RestClient::from_service(config, service).unwrap(), all)
}

fn config_maps(client: &RestClient) -> ResourceClient<ConfigMap, AnyScope> {
    resource(client, "configmaps")
}

fn resource(client: &RestClient, plural: &str) -> ResourceClient<ConfigMap, AnyScope> {
    let resource = GroupVersionResource::new("", "v1", plural);
    ResourceClient::<ConfigMap>::at(client, &resource, AnyScope::unknown().namespace("ns"))
}

fn response(code: u16, content_type: &str, body: impl Into<Body>) -> Response<Body> {
    Response::builder().status(code).header(header::CONTENT_TYPE, content_type).body(body.into()).unwrap()
}

fn in_json() -> Response<Body> {
    response(200, JSON, serde_json::to_vec(&web()).unwrap())
}

fn in_protobuf(object: &api::ConfigMap) -> Vec<u8> {
    ConfigMap::encode_protobuf(object).unwrap()
}

fn status(code: i32, reason: &str) -> Vec<u8> {
    let status = Status {
        status: Some("Failure".to_owned()),
        code: Some(code),
        reason: Some(reason.to_owned()),
        message: Some(format!("words about {reason}")),
        ..Status::default()
    };
    protobuf::write_object::<protobuf::Status>(&status).unwrap()
}

#[tokio::test]
async fn protobuf_is_asked_for_and_whatever_comes_is_read() {
    for as_json in [true, false] {
        let (client, said) =
            answered(
                &nowhere(),
                move |_, _| {
                    if as_json { in_json() } else { response(200, PROTOBUF, in_protobuf(&web())) }
                },
            );
        assert_eq!(config_maps(&client).get("web").await.unwrap(), web());
        let accept = format!("{PROTOBUF},{JSON}");
        assert_eq!(*said.lock().unwrap(), [("/api/v1/namespaces/ns/configmaps/web".to_owned(), accept, String::new())]);
    }
}

#[tokio::test]
async fn what_is_sent_comes_back() {
    let (client, said) = answered(&nowhere(), |_, body| response(201, PROTOBUF, Body::from(body)));
    let mut object = web();
    object.data = Some([("a".to_owned(), "\u{20ac}".to_owned()), (String::new(), String::new())].into());
    assert_eq!(config_maps(&client).create(&object).await.unwrap(), object);
    assert_eq!(config_maps(&client).update(&object).await.unwrap(), object);
    assert!(said.lock().unwrap().iter().all(|(_, _, content_type)| content_type == PROTOBUF));
}

#[tokio::test]
async fn a_server_that_refuses_protobuf_gets_json_at_once_and_from_then_on() {
    let (client, said) = answered(&nowhere(), |(path, _, content_type), body| {
        if content_type == PROTOBUF && path.contains("/widgets") {
            return response(415, "text/plain", "the body of the request was in an unknown format");
        }
        response(201, content_type, Body::from(body))
    });
    for _ in 0..2 {
        assert_eq!(resource(&client, "widgets").create(&web()).await.unwrap(), web());
    }
    assert_eq!(resource(&client, "gadgets").create(&web()).await.unwrap(), web());
    let said = said.lock().unwrap();
    let sent: Vec<_> = said.iter().map(|(path, _, content_type)| (path.rsplit('/').next(), &**content_type)).collect();
    let (widgets, gadgets) = (Some("widgets"), Some("gadgets"));
    assert_eq!(sent, [(widgets, PROTOBUF), (widgets, JSON), (widgets, JSON), (gadgets, PROTOBUF)]);
}

#[tokio::test]
async fn a_server_that_refuses_json_too_is_an_error() {
    let (client, said) = answered(&nowhere(), |_, _| response(415, PROTOBUF, status(415, "UnsupportedMediaType")));
    let error = config_maps(&client).create(&web()).await.unwrap_err();
    assert!(error.is_unsupported_media_type(), "{error}");
    assert_eq!(said.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_configuration_can_do_without_protobuf() {
    let (client, said) = answered(&nowhere_but(|config| config.disable_protobuf = true), |_, _| in_json());
    config_maps(&client).get("web").await.unwrap();
    config_maps(&client).create(&web()).await.unwrap();
    let said = said.lock().unwrap();
    assert!(said.iter().all(|(_, accept, content_type)| accept == JSON && content_type != PROTOBUF), "{said:?}");
}

#[tokio::test]
async fn failures_in_protobuf_are_told_as_those_in_json_are() {
    let (client, _) = answered(&nowhere(), |_, _| response(404, PROTOBUF, status(404, "NotFound")));
    let error = config_maps(&client).get("web").await.unwrap_err();
    assert!(error.is_not_found() && !error.is_unexpected_server_error(), "{error}");
    assert!(error.to_string().contains("words about NotFound"), "{error}");

    // In an answer that says success.
    let (client, _) = answered(&nowhere(), |_, _| response(200, PROTOBUF, status(410, "Expired")));
    assert!(config_maps(&client).get("web").await.unwrap_err().is_expired());
    assert!(config_maps(&client).list().await.unwrap_err().is_expired());
}

#[tokio::test]
async fn a_delete_is_answered_with_either() {
    let (client, _) = answered(&nowhere(), |(path, ..), _| {
        let success = Status { status: Some("Success".to_owned()), ..Status::default() };
        let success = protobuf::write_object::<protobuf::Status>(&success).unwrap();
        response(200, PROTOBUF, if path.ends_with("gone") { success } else { in_protobuf(&web()) })
    });
    assert_eq!(config_maps(&client).delete("gone").await.unwrap().object(), None);
    assert_eq!(config_maps(&client).delete("web").await.unwrap().object(), Some(web()));
}

/// A frame of a watch.
fn frame(kind: &str, object: &[u8]) -> Vec<u8> {
    fn field(number: u8, contents: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(contents.len()).unwrap()], contents].concat()
    }
    let event = [field(1, kind.as_bytes()), field(2, &field(1, object))].concat();
    [&u32::try_from(event.len()).unwrap().to_be_bytes()[..], &event].concat()
}

#[tokio::test]
async fn a_watch_in_protobuf_tells_what_one_in_json_tells() {
    let events = [
        frame("ADDED", &in_protobuf(&web())),
        frame("BOOKMARK", &in_protobuf(&web())),
        frame("DELETED", &in_protobuf(&web())),
        frame("ERROR", &status(410, "Expired")),
    ]
    .concat();
    let (client, _) = answered(&nowhere(), move |_, _| {
        response(200, "application/vnd.kubernetes.protobuf;stream=watch", events.clone())
    });
    let mut watch = config_maps(&client).watch().await.unwrap();
    assert_eq!(watch.try_next().await.unwrap(), Some(WatchEvent::Added(web())));
    let bookmark = watch.try_next().await.unwrap();
    assert!(
        matches!(&bookmark, Some(WatchEvent::Bookmark { resource_version, .. }) if resource_version == "7"),
        "{bookmark:?}"
    );
    assert_eq!(watch.try_next().await.unwrap(), Some(WatchEvent::Deleted(web())));
    let error = watch.try_next().await.unwrap_err();
    assert!(error.must_list_again(), "{error}");
    assert_eq!(watch.try_next().await.unwrap(), None);
}

#[tokio::test]
async fn managed_fields_can_be_left_out_of_lists_and_watches() {
    let managed = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"web","resourceVersion":"7",
        "managedFields":[{"manager":"me"}]}}"#;
    let list = format!(r#"{{"kind":"ConfigMapList","apiVersion":"v1","metadata":{{}},"items":[{managed}]}}"#);
    let (client, _) = answered(&nowhere(), move |_, _| response(200, JSON, list.clone()));
    let listed = config_maps(&client);
    assert!(listed.list().await.unwrap().items[0].metadata.managed_fields.is_some());
    assert_eq!(listed.list().without_managed_fields().await.unwrap().items, [web()]);
    let mut streamed = listed.list().without_managed_fields().stream().await.unwrap();
    assert_eq!(streamed.try_next().await.unwrap(), Some(web()));

    let event = format!(r#"{{"type":"ADDED","object":{managed}}}"#).replace('\n', "");
    let (client, _) = answered(&nowhere(), move |_, _| response(200, JSON, event.clone()));
    let mut watch = config_maps(&client).watch().without_managed_fields().await.unwrap();
    assert_eq!(watch.try_next().await.unwrap(), Some(WatchEvent::Added(web())));
}

#[tokio::test]
async fn broken_protobuf_is_an_error_that_says_where_and_quotes_no_secret() {
    let mut body = in_protobuf(&web());
    let length = body.len();
    body[length - 3] = 0xff;
    let (client, _) = answered(&nowhere(), move |_, _| response(200, PROTOBUF, body.clone()));
    let error = config_maps(&client).get("web").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("ConfigMapMessage"), "{error}");

    let secret = protobuf_of_another_kind("hunter2");
    let (client, _) = answered(&nowhere(), move |_, _| response(200, PROTOBUF, secret.clone()));
    let error = resource(&client, "secrets").get("web").await.unwrap_err().to_string();
    assert!(error.contains("is not shown") && !error.contains("hunter2"), "{error}");
    let error = config_maps(&client).get("web").await.unwrap_err().to_string();
    assert!(error.contains("expected v1 ConfigMap, found"), "{error}");
}

/// An object whose kind is what should not be told of a secret.
fn protobuf_of_another_kind(kind: &str) -> Vec<u8> {
    [b"k8s\0\x0a\x0d\x0a\x02v1\x12\x07".as_slice(), kind.as_bytes(), b"\x12\x00"].concat()
}

#[tokio::test]
async fn json_is_not_read_from_protobuf() {
    let (client, _) = answered(&nowhere(), |_, _| response(200, PROTOBUF, in_protobuf(&web())));
    let request = client.get().abs_path("/x").header("accept", PROTOBUF).send().await.unwrap();
    assert_eq!(request.status_code(), StatusCode::OK);
    let error = request.json::<serde_json::Value>().await.unwrap_err().to_string();
    assert!(error.contains("ask for JSON"), "{error}");
}
