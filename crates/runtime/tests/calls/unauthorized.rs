//! A server that does not accept the credentials of a call.

use http::Response;
use k8s_client_runtime::{
    config::{Config, Credentials},
    rest::Body,
};

use crate::{answered_by, config_maps, json, nowhere, nowhere_but, pods};

const UNAUTHORIZED: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","message":"Unauthorized","code":401}"#;

async fn answer(_: usize) -> Response<Body> {
    json(401, UNAUTHORIZED)
}

#[tokio::test]
async fn a_401_names_the_credentials_and_where_they_are_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config");
    let text = "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: me}}]\n\
                clusters: [{name: c, cluster: {server: 'https://nowhere'}}]\nusers: [{name: me, user: {token: sesame}}]";
    std::fs::write(&path, text).expect("it can be written");
    let kubeconfig = Config::from_kubeconfig(&path).expect("a kubeconfig");
    let basic = nowhere_but(|config| {
        config.credentials = Credentials::Basic { username: "me".to_owned(), password: "sesame".into() };
    });
    for (config, words) in [
        (kubeconfig, format!("a bearer token (configured by user \"me\", context \"x\" of {})", path.display())),
        (basic, "the password of user name \"me\" (configured by the program)".to_owned()),
        (nowhere(), "no credentials (configured by the program)".to_owned()),
    ] {
        let (client, _) = answered_by(&config, answer);
        let error = config_maps(&client).get("web").await.expect_err("it is refused");
        assert!(error.is_unauthorized() && error.code() == Some(401));
        let text = error.to_string();
        assert!(
            text.ends_with(&format!("401 Unauthorized: Unauthorized; the request was sent with {words}")),
            "{text}"
        );
        assert!(!format!("{error:#?}").contains("sesame"), "{error:#?}");
        let error = pods(&client).watch().await.map(drop).expect_err("it is refused");
        assert!(error.to_string().contains(&words), "{error}");
    }
    let (client, _) = answered_by(&nowhere(), answer);
    let request = client.get().abs_path("/version").header("authorization", "Bearer sesame");
    let error = request.send().await.expect_err("it is refused");
    assert!(error.to_string().ends_with("sent with an Authorization header of its own"), "{error}");
}
