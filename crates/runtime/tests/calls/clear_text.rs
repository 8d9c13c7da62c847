//! No credentials are read off a socket that nobody asked to be used without TLS.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use http::{HeaderName, HeaderValue};
use k8s_client_runtime::{
    Config, ErrorKind, RestClient,
    config::{ClientIdentity, Credentials, ExecConfig, PemSource},
};
use tokio::{io::AsyncReadExt, net::TcpListener};
use tower_http::set_header::SetRequestHeaderLayer;

/// What somebody read who listens where the server should be.
struct Eavesdropper {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Eavesdropper {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
        let address = listener.local_addr().expect("it has an address");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 1 << 16];
                let count = stream.read(&mut bytes).await.unwrap_or_default();
                log.lock().expect("nothing panics meanwhile").extend_from_slice(&bytes[..count]);
            }
        });
        Self { address, heard }
    }

    /// A configuration for this address, without a scheme, that sends everything once.
    fn config(&self) -> Config {
        let mut config = Config::new(&self.address.to_string()).expect("an address");
        config.retry.max_retries = 0;
        config
    }

    fn heard(&self) -> Vec<u8> {
        std::mem::take(&mut self.heard.lock().expect("nothing panics meanwhile"))
    }
}

type Change = Box<dyn Fn(&mut Config)>;

fn contains(heard: &[u8], word: &str) -> bool {
    heard.windows(word.len()).any(|part| part == word.as_bytes())
}

fn token() -> Credentials {
    Credentials::Bearer("sesame".into())
}

#[tokio::test]
async fn a_server_without_scheme_gets_credentials_over_tls_only() {
    let made = rcgen::generate_simple_self_signed(vec!["me".to_owned()]).expect("a certificate");
    let certificate = PemSource::text(made.cert.pem());
    let identity =
        ClientIdentity { certificate: certificate.clone(), key: PemSource::text(made.signing_key.serialize_pem()) };
    let eavesdropper = Eavesdropper::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "sesame").expect("it can be written");
    let mut plugin = ExecConfig::new("sh");
    let answer =
        r#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"sesame"}}"#;
    plugin.args = vec!["-c".to_owned(), format!("echo '{answer}'")];

    let changes: Vec<(&str, Change)> = vec![
        ("a token", Box::new(|config| config.credentials = token())),
        ("a token, then a CA", {
            let ca = certificate.clone();
            Box::new(move |config| {
                config.credentials = token();
                config.tls.ca = Some(ca.clone());
            })
        }),
        ("insecure, then a token", {
            Box::new(|config| {
                config.tls.insecure_skip_verify = true;
                config.credentials = token();
            })
        }),
        ("a client certificate", Box::new(move |config| config.tls.identity = Some(identity.clone()))),
        ("a token in a file", {
            Box::new(move |config| {
                config.credentials = Credentials::TokenFile { path: file.clone(), fallback: None };
            })
        }),
        ("a password", {
            Box::new(|config| {
                config.credentials = Credentials::Basic { username: "sesame".to_owned(), password: "sesame".into() };
            })
        }),
        ("a plugin", Box::new(move |config| config.credentials = Credentials::Exec(plugin.clone()))),
    ];
    for (what, change) in changes {
        let mut config = eavesdropper.config();
        change(&mut config);
        let client = RestClient::new(&config).unwrap_or_else(|error| panic!("{what}: {error}"));
        let error = client.get().abs_path("/version").send().await.expect_err("nobody answers");
        let heard = eavesdropper.heard();
        assert_eq!(heard.first(), Some(&0x16), "{what}: TLS begins with a handshake; {error}");
        // `c2VzYW1l` is the word in base64.
        assert!(!contains(&heard, "sesame") && !contains(&heard, "c2VzYW1l"), "{what}");
    }
}

#[tokio::test]
async fn credentials_that_the_configuration_does_not_know_are_not_sent_in_clear_unasked() {
    let eavesdropper = Eavesdropper::start().await;
    let plain = RestClient::new(&eavesdropper.config()).expect("a client");
    let secret = HeaderValue::from_static("Bearer sesame");
    let layer = SetRequestHeaderLayer::overriding(HeaderName::from_static("authorization"), secret);
    let layered = RestClient::builder(&eavesdropper.config()).layer(layer).build().expect("a client");
    let of_request = plain.get().abs_path("/version").header("authorization", "Bearer sesame");
    for request in [of_request, layered.get().abs_path("/version")] {
        let error = request.send().await.expect_err("it is refused");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("write https://"), "{error}");
        assert!(eavesdropper.heard().is_empty());
    }
    // Without credentials http is meant, as in client-go.
    plain.get().abs_path("/version").send().await.expect_err("nobody answers");
    assert!(eavesdropper.heard().starts_with(b"GET /version"));
}

#[tokio::test]
async fn credentials_are_sent_in_clear_where_somebody_wrote_http() {
    let eavesdropper = Eavesdropper::start().await;
    let mut config = Config::new(&format!("http://{}", eavesdropper.address)).expect("an address");
    config.retry.max_retries = 0;
    config.credentials = token();
    let client = RestClient::new(&config).expect("a client");
    client.get().abs_path("/version").send().await.expect_err("nobody answers");
    assert!(contains(&eavesdropper.heard(), "Bearer sesame"));
}
