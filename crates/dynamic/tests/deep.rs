//! Objects as deep as kube-apiserver stores them, on a thread with 1 MiB of stack.

use std::{convert::Infallible, thread};

use k8s_client_dynamic::{
    DynamicClient, FieldError, MetadataClient, PartialObjectMetadata, PartialObjectMetadataKind, Unstructured,
    UnstructuredList, nested::set_nested_field,
};
use k8s_client_runtime::{
    Config, RestClient,
    codec::{Codec as _, MediaType},
    http::{Request, Response, header},
    k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    rest::Body,
    schema::GroupVersionResource,
    watch::WatchEvent,
};
use serde_json::Value;

/// All depths that matter: what serde_json reads and one more, and what kube-apiserver stores.
const DEPTHS: [usize; 6] = [127, 128, 200, 1000, 5000, 10_000];

/// Runs a test where a recursion would be found out.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(1 << 20).spawn(test).expect("a thread").join().expect("the test passes");
}

/// A future that has nothing to wait for but itself.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// A value of so many brackets in one another.
fn nested(depth: usize, key: &str, inmost: &str) -> String {
    format!("{}{inmost}{}", format!("{{\"{key}\":").repeat(depth), "}".repeat(depth))
}

/// An object of this depth, which its managed fields have too.
fn widget(name: &str, depth: usize) -> String {
    let spec = nested(depth - 1, "a", "1");
    let fields = nested(depth - 5, "f:a", "{}");
    let managed = format!(r#"[{{"manager":"me","operation":"Update","fieldsType":"FieldsV1","fieldsV1":{fields}}}]"#);
    format!(
        r#"{{"apiVersion":"example.com/v1","kind":"Widget","metadata":{{"name":"{name}","namespace":"ns",
        "resourceVersion":"7",
        "managedFields":{managed}}},"spec":{spec}}}"#
    )
}

fn widgets() -> GroupVersionResource {
    GroupVersionResource::new("example.com", "v1", "widgets")
}

/// A client of a server that answers everything with this JSON.
fn answered(body: String) -> RestClient {
    let service = tower::service_fn(move |_: Request<Body>| {
        let answer =
            Response::builder().header(header::CONTENT_TYPE, "application/json").body(Body::from(body.clone()));
        async { Ok::<_, Infallible>(answer.expect("a valid answer")) }
    });
    RestClient::from_service(&Config::new("http://nowhere").expect("a URL"), service).expect("a valid configuration")
}

/// How deep the only spec of an object is.
fn depth(object: &Unstructured) -> usize {
    let (mut depth, mut value) = (1, &object.object()["spec"]);
    while let Value::Object(fields) = value {
        (depth, value) = (depth + 1, &fields["a"]);
    }
    depth
}

#[test]
fn objects_are_read_copied_compared_and_written_at_any_depth() {
    on_a_small_stack(|| {
        for deep in DEPTHS {
            let text = widget("deep", deep);
            let object = Unstructured::from_json(text.as_bytes()).expect("it is as deep as servers store");
            assert_eq!((depth(&object), object.name()), (deep, Some("deep")));
            let mut copy = object.clone();
            assert_eq!(copy, object);
            assert_eq!(Unstructured::from_json(&copy.to_json().expect("it is written")).expect("it is JSON"), object);
            assert!(format!("{object:?}").contains("\"deep\""));
            copy.set_managed_fields(&[]);
            assert_ne!(copy, object);
            set_nested_field(copy.object_mut(), 1, &["spec"]).expect("it is an object");
            copy = object;
            drop(copy);
        }
        let error =
            Unstructured::from_json(widget("deep", 10_001).as_bytes()).expect_err("servers store nothing like it");
        assert!(error.to_string().contains("more than 10000 levels"), "{error}");
        // Broken on the way up, when much of it has been read.
        let mut broken = widget("deep", 10_000);
        broken.truncate(broken.len() - 5000);
        assert!(Unstructured::from_json(broken.as_bytes()).is_err());
        // Values where texts are expected are passed over and replaced.
        let wrong = format!(r#"{{"apiVersion":{0},"kind":{0},"metadata":{0}}}"#, nested(5000, "a", "1"));
        let mut wrong = Unstructured::from_json(wrong.as_bytes()).expect("it is JSON");
        wrong.set_api_version("v1");
        wrong.set_kind("Pod");
        wrong.object_mut().insert("spec".to_owned(), Value::Null);
        set_nested_field(wrong.object_mut(), "a", &["metadata", "a"]).expect("it is an object");
        wrong.set_name("web");
        assert_eq!((wrong.kind(), wrong.name()), (Some("Pod"), Some("web")));
        let list = format!(r#"{{"kind":"List","items":[{},7,[{}]]}}"#, widget("a", 5000), nested(5000, "a", "1"));
        let list = Unstructured::from_json(list.as_bytes()).expect("it is JSON").into_list();
        assert_eq!(list.expect_err("not all are objects").to_string(), ".items[1]: is an integer, expected an object");
    });
}

#[test]
fn clients_read_and_write_objects_at_any_depth() {
    on_a_small_stack(|| {
        wait(async {
            for deep in DEPTHS {
                let [one, other] = [widget("one", deep), widget("other", 10)];
                let resource = DynamicClient::new(&answered(one.clone())).resource(widgets()).namespace("ns");
                let read = resource.get("one").await.expect("it is read");
                assert_eq!(depth(&read), deep);
                let created = resource.create(&read).await.expect("it is written");
                assert_eq!(created, read);
                let request = resource.update(&read).into_request();
                assert_eq!(Unstructured::from_json(request.body_bytes()).expect("it is JSON"), read);

                let list = format!(
                    r#"{{"apiVersion":"example.com/v1","items":[{one},{other}],"kind":"WidgetList",
                    "metadata":{{"resourceVersion":"7"}}}}"#
                );
                let client = answered(list);
                let list: UnstructuredList =
                    DynamicClient::new(&client).resource(widgets()).list().await.expect("it is a list");
                assert_eq!(list.items.iter().map(depth).collect::<Vec<_>>(), [deep, 10]);
                assert_eq!(list.items[0], read);
                let lean = DynamicClient::new(&client).resource(widgets()).list().without_managed_fields().await;
                assert!(lean.expect("it is a list").items[0].managed_fields().is_empty());
                let deleted = DynamicClient::new(&client).resource(widgets()).delete_collection().await;
                assert!(deleted.is_ok(), "{deleted:?}");

                let metadata = MetadataClient::new(&client).resource(widgets());
                let names = |list: Vec<PartialObjectMetadata>| {
                    list.into_iter().filter_map(|item| item.metadata.name).collect::<Vec<_>>()
                };
                assert_eq!(names(metadata.list().await.expect("it is a list").items), ["one", "other"]);
                metadata.delete_collection().await.expect("it is a list");

                let events = format!(r#"{{"type":"ADDED","object":{one}}}{{"type":"MODIFIED","object":{other}}}"#);
                let client = answered(events);
                let mut events = DynamicClient::new(&client).resource(widgets()).watch().await.expect("it is a watch");
                let Ok(Some(WatchEvent::Added(object))) = events.try_next().await else { panic!("it was added") };
                assert_eq!(object, read);
                assert!(matches!(events.try_next().await, Ok(Some(WatchEvent::Modified(_)))));
                let mut events = MetadataClient::new(&client).resource(widgets()).watch().await.expect("it is a watch");
                for name in ["one", "other"] {
                    let event = events.try_next().await.expect("it is read").expect("there are two");
                    assert_eq!(event.object().expect("it has one").metadata.name.as_deref(), Some(name));
                }
            }
        });
    });
}

#[test]
fn only_managed_fields_that_are_too_deep_are_left_out_of_metadata() {
    on_a_small_stack(|| {
        for (deep, is_there) in [(100, true), (127, true), (200, false), (10_000, false)] {
            let read = PartialObjectMetadataKind::decode_json(widget("deep", deep).as_bytes());
            let read = read.expect("its metadata is read");
            assert_eq!(
                (read.metadata.name.as_deref(), read.metadata.managed_fields.is_some()),
                (Some("deep"), is_there)
            );
        }
    });
}

#[test]
fn deep_managed_fields_are_left_out_of_protobuf_too() {
    on_a_small_stack(|| {
        for (deep, is_there) in [(100, true), (124, true), (200, false), (9_990, false)] {
            let json = nested(deep, "f:a", "{}");
            let fields = [&varint(1, json.len())[..], json.as_bytes()].concat();
            let entry = [&b"\x0a\x02me"[..], &varint(7, fields.len()), &fields].concat();
            let metadata = [&b"\x0a\x04deep"[..], &varint(17, entry.len()), &entry].concat();
            let object = [&varint(1, metadata.len())[..], &metadata].concat();
            let names = b"\x0a\x27\x0a\x0emeta.k8s.io/v1\x12\x15PartialObjectMetadata";
            let body = [&b"k8s\0"[..], names, &varint(2, object.len()), &object].concat();
            let read = PartialObjectMetadataKind::decode(MediaType::Protobuf, &body);
            let metadata = read.expect("it is read").metadata;
            assert_eq!(
                (metadata.name.as_deref(), metadata.managed_fields.is_some()),
                (Some("deep"), is_there),
                "{deep}"
            );
        }
    });
}

/// The tag of a field with a length, and the length.
fn varint(number: usize, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mut value in [number << 3 | 2, length] {
        while value >= 0x80 {
            bytes.push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
            value >>= 7;
        }
        bytes.push(u8::try_from(value).expect("seven bits"));
    }
    bytes
}

#[test]
fn types_serde_and_apply_refuse_what_is_too_deep() {
    on_a_small_stack(|| {
        for deep in [128, 10_000] {
            let object = Unstructured::from_json(widget("deep", deep).as_bytes()).expect("it is read");
            let error: FieldError = object.to_typed::<Value>().expect_err("no type is that deep");
            assert!(error.to_string().contains("more than 127 levels"), "{error}");
            assert!(serde_json::to_string(&object).is_err_and(|error| error.to_string().contains("to_json")));
            let resource = DynamicClient::new(&answered(String::new())).resource(widgets()).namespace("ns");
            let error =
                wait(async { resource.apply("deep", &object).field_manager("me").await }).expect_err("too deep");
            assert!(error.to_string().contains("too deep"), "{error}");
        }
        let object = Unstructured::from_json(widget("deep", 127).as_bytes()).expect("it is read");
        assert!(object.to_typed::<Value>().is_ok() && serde_json::to_string(&object).is_ok());
    });
}

#[test]
fn deepest_definition_is_made_a_type() {
    on_a_small_stack(|| {
        // Five levels are around the schema, and one is in the inmost.
        for (open, close, levels) in [("{\"not\":", "}", 121), ("{\"properties\":{\"a\":", "}}", 60)] {
            let schema = format!("{}{{}}{}", open.repeat(levels), close.repeat(levels));
            let json = format!(
                r#"{{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{{}},
                "spec":{{"group":"g","names":{{"kind":"K","plural":"p"}},"scope":"Cluster","versions":[{{"name":"v1",
                "served":true,"storage":true,
                "schema":{{"openAPIV3Schema":{schema}}}}}]}}}}"#
            );
            let object = Unstructured::from_json(json.as_bytes()).expect("it is read");
            let typed: CustomResourceDefinition = object.to_typed().expect("it is not too deep");
            assert_eq!(Unstructured::from_typed(&typed).expect("it is not too deep"), object);
        }
    });
}
