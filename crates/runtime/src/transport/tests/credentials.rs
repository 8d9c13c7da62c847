//! Credentials that are fetched, over real sockets: what a 401 does, and an OpenID Connect provider.

use std::{
    collections::VecDeque,
    fs,
    sync::Mutex,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::header::AUTHORIZATION;
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::config::{ExecConfig, Impersonation, InteractiveMode, OidcConfig};

#[tokio::test]
async fn plugin_is_run_again_once_after_a_401_which_is_answered_all_the_same() {
    let server = Server::start(None).await;
    let mut config = server.config("http", "127.0.0.1");
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("plugin"),
        r#"echo run >> "$1/runs"
run=$(wc -l < "$1/runs" | tr -d ' ')
echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"'$run'"}}'"#,
    )
    .unwrap();
    let mut exec = ExecConfig::new("sh");
    exec.args = [folder.path().join("plugin"), folder.path().to_owned()].map(|path| path.display().to_string()).into();
    exec.interactive_mode = InteractiveMode::Never;
    config.credentials = Credentials::Exec(exec);
    config.impersonate = Some(Impersonation::user("jane"));
    let transport = connected(&config).unwrap();
    assert!(get(&transport, &config, "/").await.unwrap().contains(" Bearer 1 "));
    let refused = (0..10).map(|_| get(&transport, &config, "/401"));
    for answer in futures_util::future::join_all(refused).await {
        assert!(answer.unwrap().contains(" Bearer 1 "));
    }
    assert!(get(&transport, &config, "/").await.unwrap().contains(" Bearer 2 "));
    assert!(get(&transport, &config, "/").await.unwrap().contains(" Bearer 2 "));
}

#[tokio::test]
async fn a_certificate_alone_is_an_error_where_a_service_cannot_use_it() {
    let server = Server::start(None).await;
    let mut config = server.config("http", "127.0.0.1");
    let mut exec = ExecConfig::new("sh");
    exec.interactive_mode = InteractiveMode::Never;
    let ClientIdentity { certificate: PemSource::Text(certificate), key: PemSource::Text(key) } =
        Authority::new().client()
    else {
        unreachable!("both are text");
    };
    for (token, sent) in [(None, false), (Some("both"), true)] {
        let status = json!({
            "clientCertificateData": certificate.expose_secret(), "clientKeyData": key.expose_secret(), "token": token,
        });
        let version = "client.authentication.k8s.io/v1";
        let answer = json!({ "kind": "ExecCredential", "apiVersion": version, "status": status }).to_string();
        exec.args = ["-c", "printf %s \"$1\"", "sh", &answer].map(str::to_owned).into();
        config.credentials = Credentials::Exec(exec.clone());
        let transport = Transport::new(&config, connections(&config).unwrap(), false).unwrap();
        match get(&transport, &config, "/").await {
            Ok(answer) => assert!(sent && answer.contains(" Bearer both "), "{answer}"),
            Err(error) => {
                assert!(!sent && error.kind() == ErrorKind::Auth, "{error}");
                assert!(error.to_string().contains("a client certificate and no token"), "{error}");
            }
        }
    }
}

type Answers = Arc<Mutex<VecDeque<(StatusCode, Value)>>>;
/// The `Authorization` and the form of each request for a token.
type Asked = Arc<Mutex<Vec<(Option<String>, String)>>>;

/// A provider of OpenID Connect that answers with these, one after the other, and remembers what it was asked.
struct Provider {
    address: SocketAddr,
    authority: Authority,
    answers: Answers,
    asked: Asked,
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let authority = Authority::new();
        let acceptor = TlsAcceptor::from(Arc::new(authority.server(&["localhost"], None)));
        let (answers, asked) = (Answers::default(), Asked::default());
        let (ours, theirs) = (answers.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answers, asked) = (acceptor.clone(), ours.clone(), theirs.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request| answer(request, answers.clone(), asked.clone(), address));
                    let builder = auto::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, authority, answers, asked }
    }

    fn config(&self) -> OidcConfig {
        let mut oidc = OidcConfig::new(format!("https://localhost:{}/issuer/", self.address.port()), "the client");
        oidc.ca = Some(self.authority.pem());
        oidc
    }

    fn will_answer(&self, status: StatusCode, content: Value) {
        self.answers.lock().unwrap().push_back((status, content));
    }

    /// What it was asked since the last time.
    fn asked(&self) -> Vec<(Option<String>, String)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn answer(
    request: Request<Incoming>,
    answers: Answers,
    asked: Asked,
    address: SocketAddr,
) -> http::Result<Response<Full<Bytes>>> {
    let (status, content) = match request.uri().path() {
        "/issuer/.well-known/openid-configuration" => {
            (StatusCode::OK, json!({ "token_endpoint": format!("https://localhost:{}/token", address.port()) }))
        }
        "/token" => {
            let login = request.headers().get(AUTHORIZATION).map(|login| login.to_str().unwrap().to_owned());
            let form = request.into_body().collect().await.unwrap().to_bytes();
            asked.lock().unwrap().push((login, String::from_utf8(form.to_vec()).unwrap()));
            answers.lock().unwrap().pop_front().unwrap()
        }
        _ => (StatusCode::NOT_FOUND, Value::Null),
    };
    Response::builder().status(status).body(Full::from(content.to_string()))
}

/// A token that ends in so many seconds; the name tells it from others.
fn token(name: &str, ends_in: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({ "exp": i64::try_from(now).unwrap() + ends_in, "sub": name }).to_string();
    format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
}

/// What the API server is sent.
async fn sent(server: &Server, oidc: &OidcConfig) -> Result<String> {
    let mut config = server.config("http", "127.0.0.1");
    config.credentials = Credentials::Oidc(oidc.clone());
    let answer = ask(&config).await?;
    Ok(answer.split(' ').nth(2).unwrap().to_owned())
}

#[tokio::test]
async fn id_token_is_sent_as_long_as_it_is_good() {
    let (server, provider) = (Server::start(None).await, Provider::start().await);
    let mut oidc = provider.config();
    let good = token("configured", 60);
    oidc.id_token = Some(good.clone().into());
    assert_eq!(sent(&server, &oidc).await.unwrap(), good);
    assert!(provider.asked().is_empty());

    oidc.id_token = Some(token("configured", 5).into());
    let error = sent(&server, &oidc).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    let text = error.to_string();
    assert!(text.contains(&oidc.issuer_url) && text.contains("no refresh-token"), "{text}");

    oidc.id_token = Some("secret".into());
    let text = sent(&server, &oidc).await.unwrap_err().to_string();
    assert!(text.contains("the id-token is not a JSON Web Token") && !text.contains("secret"), "{text}");
}

#[tokio::test]
async fn expired_id_token_is_renewed_with_the_newest_refresh_token() {
    let (server, provider) = (Server::start(None).await, Provider::start().await);
    let mut oidc = provider.config();
    oidc.id_token = Some(token("configured", -60).into());
    oidc.refresh_token = Some("first&refresh".into());
    let over = token("renewed", -60);
    provider.will_answer(StatusCode::OK, json!({ "id_token": over, "refresh_token": "second" }));
    for _ in 0..3 {
        // It is over already, so that the next one is due; but not at once, lest each request ask the provider.
        assert_eq!(sent(&server, &oidc).await.unwrap(), over);
    }
    // Without a secret the client says who it is in the form.
    let form = "grant_type=refresh_token&refresh_token=first%26refresh&client_id=the%20client";
    assert_eq!(provider.asked(), [(None, form.to_owned())]);

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    let good = token("renewed again", 600);
    provider.will_answer(StatusCode::OK, json!({ "id_token": good }));
    let requests = (0..20).map(|_| sent(&server, &oidc));
    for header in futures_util::future::join_all(requests).await {
        assert_eq!(header.unwrap(), good);
    }
    let asked = provider.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].1.contains("refresh_token=second&"), "{asked:?}");
}

#[tokio::test]
async fn client_secret_is_sent_in_the_header_and_in_the_body_where_that_is_refused() {
    let (server, provider) = (Server::start(None).await, Provider::start().await);
    let mut oidc = provider.config();
    oidc.refresh_token = Some("refresh".into());
    oidc.client_secret = Some("open sesame".into());
    let good = token("renewed", 600);
    provider.will_answer(StatusCode::UNAUTHORIZED, json!({ "error": "invalid_client" }));
    provider.will_answer(StatusCode::OK, json!({ "id_token": good }));
    assert_eq!(sent(&server, &oidc).await.unwrap(), good);
    let asked = provider.asked();
    // "the%20client:open%20sesame"
    assert_eq!(asked[0].0.as_deref(), Some("Basic dGhlJTIwY2xpZW50Om9wZW4lMjBzZXNhbWU="));
    assert!(!asked[0].1.contains("sesame"));
    assert_eq!(asked[1].0, None);
    assert!(asked[1].1.ends_with("&client_id=the%20client&client_secret=open%20sesame"), "{asked:?}");
}

#[tokio::test]
async fn what_the_provider_refuses_is_said_without_a_secret() {
    let (server, provider) = (Server::start(None).await, Provider::start().await);
    let mut oidc = provider.config();
    oidc.refresh_token = Some("refresh".into());
    for (status, content, what) in [
        (StatusCode::BAD_REQUEST, json!({ "error": "invalid_grant", "error_description": "secret" }), "log in again"),
        (StatusCode::BAD_REQUEST, json!({ "error": "secret" }), "400 Bad Request"),
        (StatusCode::OK, json!({ "access_token": "secret" }), "has no id_token"),
        (StatusCode::OK, json!({ "id_token": "secret" }), "is not a JSON Web Token"),
    ] {
        provider.will_answer(status, content);
        let error = sent(&server, &oidc).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        let text = error.to_string();
        assert!(text.contains(what) && !text.contains("secret"), "{text}");
    }
    oidc.issuer_url = format!("https://localhost:{}/other", provider.address.port());
    let text = sent(&server, &oidc).await.unwrap_err().to_string();
    assert!(text.contains("/other/.well-known/openid-configuration: 404") && text.contains("idp-issuer-url"), "{text}");
    oidc.ca = Some(Authority::named("another").pem());
    let text = sent(&server, &oidc).await.unwrap_err().to_string();
    assert!(text.contains("TLS with localhost"), "{text}");
}

/// A provider without TLS that says this of a token, and then closes the connection.
async fn plain_provider(answer: &'static str) -> OidcConfig {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let endpoint = json!({ "token_endpoint": format!("{issuer}/token") }).to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let answer = if request[..length].starts_with(b"GET") {
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{endpoint}", endpoint.len())
            } else {
                answer.to_owned()
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let mut oidc = OidcConfig::new(issuer, "the client");
    oidc.refresh_token = Some("refresh".into());
    oidc
}

#[tokio::test]
async fn a_cut_off_answer_of_the_provider_is_said_to_be_so() {
    let server = Server::start(None).await;
    let oidc = plain_provider("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id_token\":").await;
    let error = sent(&server, &oidc).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    let text = error.to_string();
    assert!(text.contains("/token: the connection broke") && !text.contains("has no id_token"), "{text}");
}

#[tokio::test]
async fn another_try_is_worth_it_where_the_provider_was_not_to_be_had() {
    let server = Server::start(None).await;
    for (answer, transient) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id_token\":", true),
        ("HTTP/1.1 503 busy\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.1 400 no\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false),
    ] {
        let error = sent(&server, &plain_provider(answer).await).await.unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Auth, transient), "{error}");
    }
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let mut oidc = OidcConfig::new(format!("http://{closed}"), "the client");
    oidc.refresh_token = Some("refresh".into());
    let error = sent(&server, &oidc).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Auth && error.is_transient(), "{error}");
}
