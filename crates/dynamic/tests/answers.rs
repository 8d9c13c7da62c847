//! What the clients make of answers that servers may give. No socket is involved.

use std::{collections::BTreeSet, convert::Infallible};

use k8s_client_dynamic::{DynamicClient, MetadataClient};
use k8s_client_runtime::{
    Config, Error, RestClient,
    http::{Request, Response, header},
    rest::Body,
    schema::GroupVersionResource,
};

/// A client of a server that gives this JSON for everything.
fn answered(body: &str) -> RestClient {
    let body = body.to_owned();
    let service = tower::service_fn(move |_: Request<Body>| {
        let answer =
            Response::builder().header(header::CONTENT_TYPE, "application/json").body(Body::from(body.clone()));
        async { Ok::<_, Infallible>(answer.expect("a valid answer")) }
    });
    RestClient::from_service(&Config::new("http://nowhere").expect("a URL"), service).expect("a valid configuration")
}

fn widgets() -> GroupVersionResource {
    GroupVersionResource::new("example.com", "v1", "widgets")
}

/// The object of these fields, in each order that they can have.
fn orders(fields: &[&str]) -> BTreeSet<String> {
    if fields.is_empty() {
        return [String::new()].into();
    }
    let mut all = BTreeSet::new();
    for (index, first) in fields.iter().enumerate() {
        let rest = [&fields[..index], &fields[index + 1..]].concat();
        all.extend(orders(&rest).into_iter().map(|rest| format!("{first},{rest}")));
    }
    all
}

#[tokio::test]
async fn lists_are_read_in_any_order_of_their_fields() -> Result<(), Error> {
    let items = r#""items":[{"metadata":{"name":"a"}},
        {"apiVersion":"example.com/v1","kind":"Other","metadata":{"name":"b"}},
        {"metadata":{"name":"c"}}]"#;
    let fields =
        [items, r#""kind":"WidgetList""#, r#""apiVersion":"example.com/v1""#, r#""metadata":{"resourceVersion":"7"}"#];
    let orders = orders(&fields);
    assert_eq!(orders.len(), 24);
    for order in orders {
        let client = answered(&format!("{{{}}}", order.trim_end_matches(',')));
        let resource = DynamicClient::new(&client).resource(widgets());
        let list = resource.list().await?;
        let kinds: Vec<_> = list.items.iter().map(|item| (item.name(), item.kind(), item.api_version())).collect();
        let kind = |name, kind| (Some(name), Some(kind), Some("example.com/v1"));
        assert_eq!(kinds, [kind("a", "Widget"), kind("b", "Other"), kind("c", "Widget")], "{order}");
        assert_eq!(list.resource_version(), Some("7"));

        let (mut streamed, mut items) = (Vec::new(), resource.list().stream().await?);
        while let Some(item) = items.try_next().await? {
            assert_eq!(items.metadata(), None);
            streamed.push(item);
        }
        assert_eq!(streamed, list.items, "{order}");
        assert_eq!(items.metadata().and_then(|metadata| metadata.resource_version.as_deref()), Some("7"));
        let (mut paged, mut items) = (Vec::new(), resource.list().items());
        while let Some(item) = items.try_next().await? {
            paged.push(item);
        }
        assert_eq!(paged, list.items, "{order}");

        let resource = MetadataClient::new(&client).resource(widgets());
        let list = resource.list().await?;
        let names: Vec<_> = list.items.iter().filter_map(|item| item.metadata.name.as_deref()).collect();
        assert_eq!((names, list.metadata.resource_version.as_deref()), (vec!["a", "b", "c"], Some("7")), "{order}");
        let (mut streamed, mut items) = (Vec::new(), resource.list().stream().await?);
        while let Some(item) = items.try_next().await? {
            streamed.push(item);
        }
        assert_eq!(streamed, list.items, "{order}");
    }
    Ok(())
}

#[tokio::test]
async fn nameless_items_of_a_nameless_list_are_an_error() {
    let client = answered(r#"{"items":[{"metadata":{"name":"a"}}],"metadata":{}}"#);
    let resource = DynamicClient::new(&client).resource(widgets());
    let error = resource.list().await.expect_err("nothing has a kind").to_string();
    assert!(error.contains("it has no kind"), "{error}");
    let mut items = resource.list().stream().await.expect("it is answered");
    assert_eq!(items.try_next().await.expect_err("nothing has a kind").to_string(), error);
    assert_eq!((items.try_next().await.expect("it is over"), items.metadata()), (None, None));
}
