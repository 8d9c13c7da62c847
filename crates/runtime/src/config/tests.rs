//! Kubeconfigs as people have them, and what client-go makes of them.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::{environment::Environment, *};
use crate::error::ErrorKind;

/// Two clusters, two users and three contexts.
const COMPLETE: &str = r"
apiVersion: v1
kind: Config
preferences: {colors: true}
current-context: prod
clusters:
- name: prod
  cluster: {server: 'https://prod.example:6443/prefix', tls-server-name: api.internal, extensions: []}
- name: local
  cluster: {server: http://localhost:8080}
users:
- name: me
  user: {token: sesame}
- name: admin
  user: {username: admin, password: hunter2}
contexts:
- name: prod
  context: {cluster: prod, user: me, namespace: shop}
- name: admin
  context: {cluster: prod, user: admin}
- name: local
  context: {cluster: local, user: me}
";

fn loaded(text: &str) -> Config {
    Config::from_kubeconfig_text(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn refused(text: &str) -> String {
    let error = Config::from_kubeconfig_text(text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

/// A kubeconfig of one context with the given fields, in flow style, of its cluster and its user.
fn single(cluster: &str, user: &str) -> String {
    format!(
        "{{current-context: x, contexts: [{{name: x, context: {{cluster: c, user: u}}}}], \
         clusters: [{{name: c, cluster: {{{cluster}}}}}], users: [{{name: u, user: {{{user}}}}}]}}"
    )
}

struct Pem {
    certificate: String,
    key: String,
}

impl Pem {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["me".to_owned()]).unwrap();
        Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }
}

fn token(config: &Config) -> &str {
    match &config.credentials {
        Credentials::Bearer(token) => token.expose_secret(),
        other => panic!("{other:?}"),
    }
}

/// The environment of a process outside of a cluster.
fn outside(home: &Path, list: Option<OsString>) -> Environment {
    Environment::of([("HOME", home.into()), ("KUBECONFIG", list.unwrap_or_default())], PathBuf::from("/nonexistent"))
}

fn list(paths: &[&Path]) -> OsString {
    std::env::join_paths(paths).unwrap()
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_current_context_is_used_or_the_one_asked_for() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "config", COMPLETE);
    let config = Config::from_kubeconfig(&path).unwrap();
    assert_eq!(config.server, "https://prod.example:6443/prefix");
    assert_eq!(config.default_namespace, "shop");
    assert_eq!(config.tls.server_name.as_deref(), Some("api.internal"));
    assert_eq!(token(&config), "sesame");
    assert_eq!(config.source, ConfigSource::Kubeconfig { context: "prod".to_owned(), files: vec![path.clone()] });
    assert_eq!(config.connect_timeout, Duration::from_secs(30));
    assert_eq!(config.timeout, None);

    let config = Config::loader().kubeconfig(&path).context("admin").load().unwrap();
    assert_eq!(config.default_namespace, "default");
    assert!(matches!(&config.credentials, Credentials::Basic { username, .. } if username == "admin"));

    let error = Config::loader().kubeconfig(&path).context("nope").load().unwrap_err().to_string();
    let expected = format!("context \"nope\" does not exist in {}; it has: admin, local, prod", path.display());
    assert_eq!(error, expected);
}

#[test]
fn nothing_secret_goes_to_a_server_without_tls() {
    let user = "token: t, username: u, client-certificate: /nonexistent, exec: {command: x}";
    let config = loaded(&single("server: 'http://host', certificate-authority: /nonexistent", user));
    assert!(matches!(config.credentials, Credentials::None));
    assert!(config.tls.ca.is_none() && config.tls.identity.is_none());
}

#[test]
fn a_server_without_scheme_is_https_where_tls_is_set_up() {
    assert_eq!(loaded(&single("server: 'host:1'", "token: t")).server, "http://host:1/");
    assert_eq!(loaded(&single("server: 'host:1', insecure-skip-tls-verify: true", "")).server, "https://host:1/");
}

#[test]
fn the_format_is_read_leniently() {
    let minimal = "clusters: [{name: c, cluster: {server: 'https://h'}}]\ncurrent-context: x\n";
    for (what, text) in [
        ("no user", format!("{minimal}contexts: [{{name: x, context: {{cluster: c}}}}]")),
        ("null lists", format!("{minimal}contexts: [{{name: x, context: {{cluster: c, user: null}}}}]\nusers: null\n")),
        ("empty user", format!("{minimal}contexts: [{{name: x, context: {{cluster: c, user: ''}}}}]\nusers:\n")),
        ("unknown fields", format!("{minimal}contexts: [{{name: x, context: {{cluster: c, y: 1}}, z: []}}]\nw: {{}}\n")),
        ("null entries", format!("{minimal}contexts: [null, {{name: x, context: {{cluster: c}}}}]\n")),
        ("an entry without a name", format!("{minimal}contexts: [{{}}, {{name: x, context: {{cluster: c}}}}]\n")),
        ("an entry without content", format!("{minimal}contexts: [{{name: y}}, {{name: x, context: {{cluster: c}}}}]\n")),
        ("null fields", single("server: 'https://h', certificate-authority-data: null, proxy-url: ''", "exec: null")),
        ("empty fields", single("server: 'https://h'", "as-groups: [], as-user-extra: {}, as: '', auth-provider: ~")),
        ("a document marker", format!("---\n{}", single("server: 'https://h'", ""))),
        ("a byte order mark", format!("\u{feff}{}", single("server: 'https://h'", ""))),
        ("JSON", r#"{"current-context":"x","clusters":[{"name":"c","cluster":{"server":"https://h"}}],"contexts":[{"name":"x","context":{"cluster":"c"}}]}"#.to_owned()),
        ("Windows lines", format!("{minimal}contexts: [{{name: x, context: {{cluster: c}}}}]\n").replace('\n', "\r\n")),
    ] {
        let config = Config::from_kubeconfig_text(&text).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(config.server, "https://h/", "{what}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (text, words) in [
        (String::new(), vec!["the kubeconfig is empty"]),
        ("# nothing\n".to_owned(), vec!["the kubeconfig is empty"]),
        ("clusters: [{name: c}]".to_owned(), vec!["no current-context is set", "it has none"]),
        ("contexts: [{name: a}, {name: b}]".to_owned(), vec!["it has: a, b"]),
        ("current-context: x".to_owned(), vec!["context \"x\" does not exist", "it has none"]),
        ("current-context: x\ncontexts: [{name: x}]".to_owned(), vec!["context \"x\": names no cluster"]),
        (
            "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: d}]"
                .to_owned(),
            vec!["cluster \"c\" does not exist", "it has: d", "user \"u\" does not exist", "it has none"],
        ),
        (single("", ""), vec!["no server found for cluster \"c\""]),
        (single("server: 'https://a:b'", ""), vec!["cluster \"c\"", "port"]),
        ("users: [{name: a}, {name: a}]".to_owned(), vec!["users has two entries named \"a\""]),
        ("kind: Pod".to_owned(), vec!["its kind is \"Pod\""]),
        ("apiVersion: v2".to_owned(), vec!["apiVersion is \"v2\""]),
        (format!("clusters: {}", "[".repeat(100_000)), vec!["cannot be read as YAML"]),
        ("clusters: [".to_owned(), vec!["cannot be read as YAML", "line 1"]),
        ("current-context: a\ncurrent-context: b".to_owned(), vec!["cannot be read as YAML", "current-context"]),
        (
            single("server: 'https://h', insecure-skip-tls-verify: true, certificate-authority: /x", ""),
            vec!["cluster \"c\": insecure-skip-tls-verify", "cluster \"c\": certificate-authority: /x"],
        ),
        (single("server: 'https://h'", "client-certificate: /x"), vec!["user \"u\": client-certificate without"]),
        (single("server: 'https://h'", "client-key: /x"), vec!["user \"u\": client-key without"]),
        (single("server: 'https://h'", "client-key: /x, client-certificate: /y"), vec!["/x: ", "/y: "]),
        (single("server: 'https://h'", "token: t, username: u"), vec!["user \"u\": token and username"]),
        (single("server: 'https://h'", "tokenFile: /x"), vec!["user \"u\": tokenFile: /x: "]),
        (
            single("server: 'https://h', certificate-authority-data: '!'", ""),
            vec!["cluster \"c\": certificate-authority-data: is not base64"],
        ),
        (
            single("server: 'https://h', certificate-authority-data: aGVsbG8=", ""),
            vec!["cluster \"c\": certificate-authority-data: no certificate in it"],
        ),
    ] {
        let error = refused(&text);
        for words in words {
            assert!(error.contains(words), "{text}\n{words}\n{error}");
        }
    }
}

#[test]
fn what_is_not_supported_yet_is_refused() {
    for (cluster, user, words) in [
        ("proxy-url: 'http://p'", "", "cluster \"c\": proxy-url is not supported yet"),
        ("", "exec: {apiVersion: v1, command: aws, args: null}", "user \"u\": exec is not supported yet"),
        ("", "auth-provider: {name: oidc}", "user \"u\": auth-provider is not supported yet"),
        ("", "as: root", "user \"u\": as is not supported yet"),
        ("", "as-groups: [a]", "user \"u\": as-groups is not supported yet"),
        ("", "as-uid: '1'", "user \"u\": as-uid is not supported yet"),
        ("", "as-user-extra: {a: [b]}", "user \"u\": as-user-extra is not supported yet"),
    ] {
        let error = refused(&single(&format!("server: 'https://h', {cluster}"), user));
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn errors_name_the_file_and_show_no_secret() {
    let folder = TempDir::new().unwrap();
    let key = "-----BEGIN PRIVATE KEY-----\nTOPSECRET*\n-----END PRIVATE KEY-----\n";
    let key = BASE64_STANDARD.encode(key);
    for (text, words) in [
        (
            single("server: 'https://h'", &format!("client-certificate-data: 'TOPSECRET*', client-key-data: {key}")),
            "user \"u\"",
        ),
        ("users: TOPSECRET".to_owned(), "YAML"),
        ("users: [{name: u, user: TOPSECRET}]".to_owned(), "YAML"),
        ("users: [{name: u, user: \"TOP\\\"SECRET\"}]".to_owned(), "YAML"),
        ("users: [{name: u, user: {token: TOPSECRET, token: TOPSECRET}}]".to_owned(), "token"),
        ("clusters: [{name: c, cluster: {insecure-skip-tls-verify: TOPSECRET}}]".to_owned(), "YAML"),
        ("users: [{name: u, user: {token: 'TOPSECRET}}]".to_owned(), "YAML"),
        ("users: [{name: u, user: {token: *TOPSECRET}}]".to_owned(), "YAML"),
    ] {
        let path = write(&folder, "config", &text);
        let error = Config::from_kubeconfig(&path).unwrap_err();
        assert!(error.to_string().contains(words), "{text}\n{error}");
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(shown.contains(&*path.to_string_lossy()), "{text}\n{shown}");
            assert!(!shown.contains("TOPSECRET") && !shown.contains("SECRET\""), "{text}\n{shown}");
        }
    }
}

#[test]
fn debug_shows_no_secret() {
    let Pem { certificate, key } = Pem::new();
    let (certificate, key) = (BASE64_STANDARD.encode(certificate), BASE64_STANDARD.encode(key));
    let identity = format!("client-certificate-data: {certificate}, client-key-data: {key}");
    for user in ["token: TOPSECRET", "username: u, password: TOPSECRET", "token: TOPSECRET, tokenFile: /x"] {
        let config = loaded(&single("server: 'https://h'", &format!("{user}, {identity}")));
        for shown in [format!("{config:?}"), format!("{config:#?}")] {
            assert!(shown.contains("REDACTED") && !shown.contains("TOPSECRET"), "{shown}");
            assert!(!shown.contains("BEGIN"), "{shown}");
        }
    }
}

#[test]
fn certificates_are_read_from_files_beside_the_kubeconfig_and_data_wins() {
    let folder = TempDir::new().unwrap();
    let Pem { certificate, key } = Pem::new();
    write(&folder, "pki/me.crt", &certificate);
    write(&folder, "pki/me.key", &key);
    // client-go accepts line breaks in the data.
    let data = BASE64_STANDARD.encode(&certificate);
    let (start, end) = data.split_at(64);
    let cluster = format!(
        "server: 'https://h', certificate-authority: /nonexistent, certificate-authority-data: \"{start}\\n{end}\""
    );
    let user = "client-certificate: pki/me.crt, client-key: ./pki/me.key, tokenFile: pki/me.crt";
    let path = write(&folder, "config", &single(&cluster, user));
    let config = Config::from_kubeconfig(path).unwrap();
    assert!(matches!(config.tls.ca, Some(PemSource::Text(_))));
    let identity = config.tls.identity.unwrap();
    assert!(matches!(&identity.certificate, PemSource::File(path) if *path == folder.path().join("pki/me.crt")));
    assert!(identity.key.private_key().is_ok());
    assert!(matches!(config.credentials, Credentials::TokenFile { path, fallback: None } if path.is_absolute()));
}

#[test]
fn a_token_file_goes_before_a_token() {
    let config = loaded(&single("server: 'https://h'", "token: t, tokenFile: /nonexistent"));
    assert!(matches!(config.credentials, Credentials::TokenFile { fallback: Some(_), .. }));
}

#[test]
fn the_files_of_the_list_are_merged_and_the_first_one_wins() {
    let folder = TempDir::new().unwrap();
    let first = "users: [{name: me, user: {token: first}}]\ncontexts: null\ncurrent-context: ''\n";
    let first = write(&folder, "first", first);
    let second = write(&folder, "second", COMPLETE);
    let third =
        write(&folder, "third", "current-context: local\nclusters: [{name: prod, cluster: {server: 'https://third'}}]");
    let (empty, missing) = (write(&folder, "empty", ""), folder.path().join("missing"));
    let paths = [&first, &missing, Path::new(""), &empty, &second, &first, &third].map(AsRef::as_ref);
    let config = Config::loader().load_from(&outside(Path::new("/nonexistent"), Some(list(&paths)))).unwrap();
    assert_eq!(config.server, "https://prod.example:6443/prefix");
    assert_eq!(token(&config), "first");
    let expected = ConfigSource::Kubeconfig { context: "prod".to_owned(), files: vec![first, empty, second, third] };
    assert_eq!(config.source, expected);
}

#[test]
fn the_home_folder_is_looked_into_only_without_a_list() {
    let folder = TempDir::new().unwrap();
    write(&folder, ".kube/config", COMPLETE);
    let missing = folder.path().join("missing");
    assert!(Config::loader().load_from(&outside(folder.path(), None)).is_ok());
    let error = Config::loader().load_from(&outside(folder.path(), Some(list(&[&missing])))).unwrap_err().to_string();
    assert!(
        error.contains("no configuration has been provided") && error.contains(&*missing.to_string_lossy()),
        "{error}"
    );
}

#[test]
fn an_explicit_file_must_exist() {
    let error = Config::from_kubeconfig("/nonexistent/config").unwrap_err().to_string();
    assert_eq!(error, "/nonexistent/config: the kubeconfig does not exist");
}

/// A pod with a service account, and a kubeconfig in its home folder if there is text for one.
fn pod(folder: &TempDir, host: &str, kubeconfig: Option<&str>) -> Environment {
    if let Some(text) = kubeconfig {
        write(folder, ".kube/config", text);
    }
    write(folder, "token", "abc");
    write(folder, "namespace", "web\n");
    write(folder, "ca.crt", &Pem::new().certificate);
    let variables = [
        ("HOME", folder.path().into()),
        ("KUBERNETES_SERVICE_HOST", host.into()),
        ("KUBERNETES_SERVICE_PORT", "443".into()),
    ];
    Environment::of(variables, folder.path().to_owned())
}

#[test]
fn a_pod_uses_its_service_account() {
    for (host, server) in [("10.0.0.1", "https://10.0.0.1:443/"), ("fd00::1", "https://[fd00::1]:443/")] {
        let folder = TempDir::new().unwrap();
        let config = Config::loader().load_from(&pod(&folder, host, None)).unwrap();
        assert_eq!(config.server, server);
        assert_eq!(config.default_namespace, "web");
        assert_eq!(config.source, ConfigSource::InCluster);
        assert!(matches!(config.tls.ca, Some(PemSource::File(_))));
        assert!(matches!(config.credentials, Credentials::TokenFile { .. }));
    }
}

#[test]
fn a_pod_with_a_kubeconfig_uses_that_even_if_it_is_broken() {
    let folder = TempDir::new().unwrap();
    assert_eq!(Config::loader().load_from(&pod(&folder, "h", Some(COMPLETE))).unwrap().default_namespace, "shop");
    for broken in ["clusters: [", "contexts: [{name: x}]", "current-context: x"] {
        let folder = TempDir::new().unwrap();
        assert!(Config::loader().load_from(&pod(&folder, "h", Some(broken))).is_err(), "{broken}");
    }
    for empty in ["", "apiVersion: v1\nkind: Config\nclusters: []\nusers: null\n"] {
        let folder = TempDir::new().unwrap();
        let config = Config::loader().load_from(&pod(&folder, "h", Some(empty))).unwrap();
        assert_eq!(config.source, ConfigSource::InCluster);
    }
    let folder = TempDir::new().unwrap();
    assert!(Config::loader().context("x").load_from(&pod(&folder, "h", None)).is_err(), "a context was asked for");
}

#[test]
fn outside_of_a_pod_the_error_says_what_is_missing() {
    let error = in_cluster::load(&outside(Path::new("/nonexistent"), None)).unwrap_err().to_string();
    assert!(error.contains("KUBERNETES_SERVICE_HOST"), "{error}");
    let folder = TempDir::new().unwrap();
    let environment = pod(&folder, "h", None);
    fs::remove_file(folder.path().join("token")).unwrap();
    let error = in_cluster::load(&environment).unwrap_err().to_string();
    assert!(error.contains("automountServiceAccountToken"), "{error}");
}

#[test]
fn a_kubeconfig_of_several_megabytes_is_read() {
    let data = BASE64_STANDARD.encode(Pem::new().certificate.repeat(4));
    let clusters = (0..3000).map(|n| {
        format!("- {{name: c{n}, cluster: {{server: 'https://h{n}', certificate-authority-data: {data}}}}}\n")
    });
    let text = format!(
        "current-context: x\ncontexts: [{{name: x, context: {{cluster: c7}}}}]\nclusters:\n{}",
        clusters.collect::<String>()
    );
    assert!(text.len() > 4 << 20);
    assert_eq!(loaded(&text).server, "https://h7/");
}
