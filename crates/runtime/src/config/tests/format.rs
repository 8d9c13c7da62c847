//! What a kubeconfig may look like, and what is said of one that is wrong.

use secrecy::SecretString;

use super::*;

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
fn every_encoding_of_yaml_is_read_and_kept_by_the_editor() {
    let folder = TempDir::new().unwrap();
    let text = format!("\u{feff}# größe\r\n{}", COMPLETE.replace('\n', "\r\n").trim_start());
    let units = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<_>>();
    let letters = |letter: fn(u32) -> [u8; 4]| text.chars().map(u32::from).flat_map(letter).collect();
    for (name, bytes) in [
        ("UTF-8", text.as_bytes().to_vec()),
        ("UTF-16LE", units(u16::to_le_bytes)),
        ("UTF-16BE", units(u16::to_be_bytes)),
        ("UTF-32LE", letters(u32::to_le_bytes)),
        ("UTF-32BE", letters(u32::to_be_bytes)),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, &bytes).unwrap();
        assert_eq!(token(&Config::from_kubeconfig(&path).unwrap()), "sesame", "{name}");
        let editor = KubeconfigEditor::file(&path);
        editor.clone().set_token("me", &SecretString::from("x")).save().unwrap();
        assert_eq!(token(&Config::from_kubeconfig(&path).unwrap()), "x", "{name}");
        // Nothing else has changed.
        editor.set_token("me", &SecretString::from("sesame")).save().unwrap();
        let quoted = String::from_utf8_lossy(&fs::read(&path).unwrap()).replace('\0', "").contains("\"sesame\"");
        assert!(quoted && fs::read(&path).unwrap()[..8] == bytes[..8], "{name}");
    }
    fs::write(folder.path().join("broken"), b"\xff\xfea").unwrap();
    let error = Config::from_kubeconfig(folder.path().join("broken")).unwrap_err().to_string();
    assert!(error.contains("is not text in UTF-8, UTF-16 or UTF-32"), "{error}");
}

#[test]
fn the_first_yaml_document_counts() {
    let one = single("server: 'https://h'", "token: t");
    for text in [
        format!("{one}\n---\n"),
        format!("{one}\n---"),
        format!("{one}\n...\n"),
        format!("{one}\n...\n# the end\n---\n---\n"),
        format!("---\n{one}\n---\n"),
        format!("# mine\n---\n{one}\n--- # other\ncurrent-context: y\n"),
        format!("%YAML 1.2\n---\n{one}\n---\nkind: Pod\n"),
        format!("{one}\n---\n[}}"),
    ] {
        assert_eq!(token(&loaded(&text)), "t", "{text}");
    }
    assert!(refused(&format!("---\n---\n{one}\n")).contains("the kubeconfig is empty"));
}

#[test]
fn of_a_key_that_is_there_twice_the_last_value_counts() {
    let names = "contexts: [{name: x, context: {cluster: c, user: u}}]";
    let text = format!(
        "current-context: y\ncurrent-context: x\n{names}\nclusters: [{{name: d}}]\n\
         clusters: [{{name: c, cluster: {{server: h, server: 'https://h'}}}}]\n\
         users: [{{name: u, user: {{token: old, token: t}}, user: {{token: new}}}}]\n"
    );
    assert_eq!(token(&loaded(&text)), "new");
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "config", &text);
    KubeconfigEditor::file(&path).set_token("u", &SecretString::from("newer")).save().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), text.replace("token: new", "token: \"newer\""));
}

#[test]
fn null_items_are_empty_ones() {
    let exec = "apiVersion: client.authentication.k8s.io/v1beta1, command: x, args: [a, null, ~], env: null";
    let lists = "as-groups: [null, g], as-user-extra: {one: [null], none: null}";
    let config = loaded(&single("server: 'https://h'", &format!("exec: {{{exec}}}, as: a, {lists}")));
    let Credentials::Exec(plugin) = config.credentials else { panic!("{:?}", config.credentials) };
    assert_eq!(plugin.args, ["a", "", ""]);
    let person = config.impersonate.unwrap();
    assert_eq!(person.groups, ["", "g"]);
    assert_eq!((&person.extra["one"], &person.extra["none"]), (&vec![String::new()], &Vec::new()));
}

#[test]
fn what_is_wrong_is_named() {
    for (text, words) in [
        (String::new(), vec!["the kubeconfig is empty"]),
        ("# nothing\n".to_owned(), vec!["the kubeconfig is empty"]),
        ("clusters: [{name: c}]".to_owned(), vec!["no current-context is set", "it has none"]),
        ("contexts: [{name: a}, {name: b}]".to_owned(), vec![r#"it has: "a", "b""#]),
        (r#"contexts: [{name: "\e]0;x\a\nforged"}]"#.to_owned(), vec![r"\u{1b}]0;x\u{7}\nforged"]),
        ("current-context: x".to_owned(), vec!["context \"x\" does not exist", "it has none"]),
        ("current-context: x\ncontexts: [{name: x}]".to_owned(), vec!["context \"x\": names no cluster"]),
        (
            "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: d}]"
                .to_owned(),
            vec!["cluster \"c\" does not exist", r#"it has: "d""#, "user \"u\" does not exist", "it has none"],
        ),
        (single("", ""), vec!["cluster \"c\": no server found"]),
        (single("server: 'https://a:b'", ""), vec!["cluster \"c\"", "port"]),
        ("users: [{name: a}, {name: a}]".to_owned(), vec!["users has two entries named \"a\""]),
        ("kind: Pod".to_owned(), vec!["its kind is \"Pod\""]),
        ("apiVersion: v2".to_owned(), vec!["apiVersion is \"v2\""]),
        (format!("clusters: {}", "[".repeat(100_000)), vec!["cannot be read as YAML"]),
        ("clusters: [".to_owned(), vec!["cannot be read as YAML", "line 1"]),
        (
            single("", "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x, env: [null]}"),
            vec!["user \"u\": exec.env: has a variable without a name"],
        ),
        (
            single("server: 'https://h', insecure-skip-tls-verify: true, certificate-authority: /x", ""),
            vec!["cluster \"c\": insecure-skip-tls-verify", "cluster \"c\": certificate-authority: /x"],
        ),
        (single("server: 'https://h'", "client-certificate: /x"), vec!["user \"u\": client-certificate without"]),
        (single("server: 'https://h', certificate-authority: \"/x\\nforged\"", ""), vec![r"/x\nforged: "]),
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
        ("clusters: [{name: c, cluster: {insecure-skip-tls-verify: TOPSECRET}}]".to_owned(), "YAML"),
        ("users: [{name: u, user: {token: 'TOPSECRET}}]".to_owned(), "YAML"),
        ("users: [{name: u, user: {token: *TOPSECRET}}]".to_owned(), "YAML"),
    ] {
        let path = write(&folder, "config", &text);
        let error = Config::from_kubeconfig(&path).unwrap_err();
        assert!(error.to_string().contains(words), "{text}\n{error}");
        for shown in [error.to_string(), format!("{error:#?}")] {
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
    for user in [
        "token: TOPSECRET".to_owned(),
        "username: u, password: TOPSECRET".to_owned(),
        "token: TOPSECRET, tokenFile: /x".to_owned(),
        format!(
            "auth-provider: {{name: oidc, config: {{{OIDC}, client-secret: TOPSECRET, id-token: TOPSECRET, refresh-token: TOPSECRET}}}}"
        ),
    ] {
        let config =
            loaded(&single("server: 'https://h', proxy-url: 'http://u:TOPSECRET@p'", &format!("{user}, {identity}")));
        for shown in [format!("{config:?}"), format!("{config:#?}")] {
            assert!(shown.contains("REDACTED") && !shown.contains("TOPSECRET"), "{shown}");
            assert!(!shown.contains("BEGIN"), "{shown}");
        }
    }
    let exec = "apiVersion: client.authentication.k8s.io/v1beta1, command: shown, args: [--client-secret=TOPSECRET]";
    let user = format!("exec: {{{exec}, env: [{{name: A, value: TOPSECRET}}]}}");
    let cluster = "server: 'https://h', extensions: [{name: client.authentication.k8s.io/exec, extension: TOPSECRET}]";
    let shown = format!("{:?}", loaded(&single(cluster, &user)));
    assert!(shown.contains("shown") && !shown.contains("TOPSECRET"), "{shown}");
    let secret = || SecretString::from("TOPSECRET");
    let loader = Config::loader().token(secret()).password(secret()).client_key(PemSource::text("TOPSECRET"));
    assert!(!format!("{loader:?}").contains("TOPSECRET"));
    let editor = KubeconfigEditor::file("/x").set_token("u", &secret());
    assert!(!format!("{editor:?}").contains("TOPSECRET"));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let cluster = "server: 'https://a:b', certificate-authority: /nonexistent, proxy-url: 'ftp://p'";
    let user =
        "token: t, username: u, client-certificate: /x, as-uid: '1', exec: {interactiveMode: Maybe}, auth-provider: {}";
    let error = refused(&single(cluster, user));
    for words in [
        "cluster \"c\": server",
        "cluster \"c\": certificate-authority: /nonexistent",
        "cluster \"c\": proxy-url",
        "user \"u\": token and username",
        "user \"u\": client-certificate without a client-key",
        "user \"u\": as-uid, as-groups and as-user-extra need a user",
        "user \"u\": exec.command: is missing",
        "user \"u\": exec.apiVersion: is missing",
        "user \"u\": exec.interactiveMode: is \"Maybe\"",
        "user \"u\": exec and auth-provider are both set",
    ] {
        assert!(error.contains(words), "{words}\n{error}");
    }
}
