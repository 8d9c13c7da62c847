//! Warnings of the server, and who hears of them.

use std::sync::{Arc, Mutex};

use k8s_client_runtime::{
    RestClient,
    rest::{DeduplicatedWarnings, NoWarnings, Warning},
};

use crate::{
    CONFIG_MAP, config_maps,
    support::{JSON, Server},
    traces::Captured,
    web,
};

const WARNING: &str =
    "Warning: 299 - \"v1beta1 is deprecated\", 299 - \"and so is \\\"this\\\"\"\r\nWarning: 199 - \"not for you\"\r\n";

type Heard = Arc<Mutex<Vec<(u16, String, String)>>>;

fn listener() -> (impl Fn(&Warning) + Send + Sync + 'static, Heard) {
    let heard = Heard::default();
    let hearing = Arc::clone(&heard);
    let handler = move |warning: &Warning| {
        let mut heard = hearing.lock().expect("nobody panics");
        heard.push((warning.code, warning.agent.clone(), warning.text.clone()));
    };
    (handler, heard)
}

#[tokio::test]
async fn handler_hears_every_warning_of_good_and_bad_answers() {
    for status in ["200 OK", "403 Forbidden"] {
        let server = Server::answering(status, &format!("{JSON}{WARNING}"), CONFIG_MAP).await;
        let (handler, heard) = listener();
        let client = RestClient::builder(&server.config()).warning_handler(handler).build().expect("a client");
        let _ = config_maps(&client).create(&web()).await;
        let expected =
            ["v1beta1 is deprecated", "and so is \"this\""].map(|text| (299, "-".to_owned(), text.to_owned()));
        assert_eq!(*heard.lock().expect("nobody panics"), expected, "{status}");
    }
}

#[tokio::test]
async fn deduplicated_warnings_are_told_once_a_client() {
    let server = Server::answering("200 OK", &format!("{JSON}{WARNING}"), CONFIG_MAP).await;
    let (handler, heard) = listener();
    let handler = DeduplicatedWarnings::new(handler);
    let client = RestClient::builder(&server.config()).warning_handler(handler).build().expect("a client");
    for _ in 0..3 {
        config_maps(&client.clone()).get("web").await.expect("a config map");
    }
    assert_eq!(heard.lock().expect("nobody panics").len(), 2);
}

#[tokio::test]
async fn tracing_is_told_by_default_with_control_characters_escaped() {
    let header = "Warning: 299 - \"a\tb\"\r\n";
    let server = Server::answering("200 OK", &format!("{JSON}{header}"), CONFIG_MAP).await;
    let captured = Captured::default();
    let _guard = captured.subscribe();
    config_maps(&server.client()).get("web").await.expect("a config map");
    let text = captured.text();
    assert!(text.lines().any(|line| line.contains("WARN") && line.contains(r"Warning: a\tb")), "{text}");

    let quiet = Captured::default();
    let _guard = quiet.subscribe();
    let client = RestClient::builder(&server.config()).warning_handler(NoWarnings).build().expect("a client");
    let response = client.get().abs_path("/x").send().await.expect("an answer");
    assert_eq!(response.warnings()[0].text, "a\tb");
    assert!(!quiet.text().contains("WARN"), "{}", quiet.text());
}
