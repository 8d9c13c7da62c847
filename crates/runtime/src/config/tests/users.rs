//! Credentials of every kind, and who goes before whom.

use super::*;

#[test]
fn a_token_file_goes_before_a_token() {
    let config = loaded(&single("server: 'https://h'", "token: t, tokenFile: /nonexistent"));
    assert!(matches!(config.credentials, Credentials::TokenFile { fallback: Some(_), .. }));
}

#[test]
fn who_goes_before_whom() {
    let Pem { certificate, key } = Pem::new();
    let (certificate, key) = (BASE64_STANDARD.encode(certificate), BASE64_STANDARD.encode(key));
    let identity = format!("client-certificate-data: {certificate}, client-key-data: {key}");
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x}";
    let oidc = format!("auth-provider: {{name: oidc, config: {{{OIDC}}}}}");
    for (user, expected, with_identity) in [
        (format!("token: t, {exec}"), "Bearer", false),
        (format!("tokenFile: /x, token: t, {exec}"), "TokenFile", false),
        (format!("username: u, {exec}"), "Basic", false),
        (format!("password: p, {exec}"), "Basic", false),
        (exec.to_owned(), "Exec", false),
        (format!("{identity}, {exec}"), "None", true),
        (format!("{identity}, token: t"), "Bearer", true),
        (format!("{identity}, token: t, {exec}"), "Bearer", true),
        (format!("{identity}, username: u"), "Basic", true),
        (format!("{identity}, {oidc}"), "Oidc", true),
        (oidc.clone(), "Oidc", false),
        (format!("token: t, {oidc}"), "Bearer", false),
        (format!("username: t, {oidc}"), "Basic", false),
        (String::new(), "None", false),
    ] {
        let config = loaded(&single("server: 'https://h'", &user));
        let kind = format!("{:?}", config.credentials);
        assert!(kind.starts_with(expected), "{user}: {kind}");
        assert_eq!(config.tls.identity.is_some(), with_identity, "{user}");
    }
}

#[test]
fn a_plugin_is_read_whole() {
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, args: [eks, get-token], \
                env: [{name: A, value: b}, {name: EMPTY}], interactiveMode: Never, provideClusterInfo: true, \
                installHint: \"get it\\nhere: \\e[31mred\\u202e\"}";
    let cluster = "server: 'https://h', extensions: [{name: other, extension: 1}, null, \
                   {name: client.authentication.k8s.io/exec, extension: {audience: x, n: [1]}}]";
    let Credentials::Exec(exec) = loaded(&single(cluster, exec)).credentials else { panic!() };
    assert_eq!((exec.command.as_str(), exec.args.join(" ").as_str()), ("aws", "eks get-token"));
    let env: Vec<_> = exec.env.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect();
    assert_eq!(env, [("A", "b"), ("EMPTY", "")]);
    assert_eq!((exec.api_version, exec.interactive_mode), (ExecApiVersion::V1, InteractiveMode::Never));
    assert!(exec.provide_cluster_info && exec.stdin_unavailable.is_none());
    assert_eq!(exec.install_hint.as_deref(), Some("get it\nhere: \\u{1b}[31mred\\u{202e}"));
    assert_eq!(exec.cluster_extension, Some(serde_json::json!({"audience": "x", "n": [1]})));
}

#[test]
fn what_a_plugin_is_told_of_its_cluster_is_read_as_yaml_of_version_1_1() {
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Never}";
    let values = "mode: 0644, other: 0o17, decimal: 09, hex: 0x1f, yes: yes, text: '0644'";
    let cluster = format!(
        "server: 'https://h', extensions: [{{name: client.authentication.k8s.io/exec, extension: {{{values}}}}}]"
    );
    let Credentials::Exec(exec) = loaded(&single(&cluster, exec)).credentials else { panic!() };
    let expected = serde_json::json!(
        {"mode": 420, "other": 15, "decimal": 9.0, "hex": 31, "yes": true, "text": "0644"}
    );
    assert_eq!(exec.cluster_extension, Some(expected));
}

#[test]
fn a_plugin_may_leave_out_what_has_a_default() {
    let exec =
        "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x, args: null, env: null, installHint: ''}";
    let Credentials::Exec(exec) = loaded(&single("server: 'https://h'", exec)).credentials else { panic!() };
    assert_eq!((exec.api_version, exec.interactive_mode), (ExecApiVersion::V1Beta1, InteractiveMode::IfAvailable));
    assert!(exec.args.is_empty() && exec.env.is_empty() && exec.install_hint.is_none());
    assert!(!exec.provide_cluster_info && exec.cluster_extension.is_none());
}

#[test]
fn a_plugin_that_cannot_be_run_is_refused() {
    let group = "client.authentication.k8s.io";
    for (exec, words) in [
        (
            format!("apiVersion: {group}/v1, command: x"),
            "exec.interactiveMode: must be set with client.authentication.k8s.io/v1",
        ),
        (format!("apiVersion: {group}/v1, command: x, interactiveMode: never"), "exec.interactiveMode: is \"never\""),
        (format!("apiVersion: {group}/v1alpha1, command: x"), "v1alpha1 has been removed"),
        (format!("apiVersion: {group}/v2, command: x"), "exec.apiVersion: is \"client.authentication.k8s.io/v2\""),
        ("apiVersion: v1, command: x".to_owned(), "exec.apiVersion: is \"v1\""),
        (format!("apiVersion: {group}/v1beta1"), "exec.command: is missing"),
        ("command: x".to_owned(), "exec.apiVersion: is missing"),
        (
            format!("apiVersion: {group}/v1beta1, command: x, env: [{{value: y}}]"),
            "exec.env: has a variable without a name",
        ),
    ] {
        for token in ["", "token: t,"] {
            let error = refused(&single("server: 'https://h'", &format!("{token} exec: {{{exec}}}")));
            assert!(error.contains(words) && error.contains("user \"u\""), "{words}\n{error}");
        }
    }
}

#[test]
fn a_provider_is_oidc_or_an_error_that_says_what_to_use() {
    let folder = TempDir::new().unwrap();
    let certificate = Pem::new().certificate;
    write(&folder, "idp.crt", &certificate);
    let config = format!(
        "{OIDC}, client-secret: s, id-token: i, refresh-token: r, idp-certificate-authority: idp.crt, extra-scopes: a"
    );
    let path = write(
        &folder,
        "config",
        &single("server: 'https://h'", &format!("auth-provider: {{name: oidc, config: {{{config}}}}}")),
    );
    let Credentials::Oidc(oidc) = Config::from_kubeconfig(&path).unwrap().credentials else { panic!() };
    assert_eq!((oidc.issuer_url.as_str(), oidc.client_id.as_str()), ("https://idp", "me"));
    let secrets = [oidc.client_secret, oidc.id_token, oidc.refresh_token];
    assert_eq!(secrets.map(|secret| secret.unwrap().expose_secret().to_owned()), ["s", "i", "r"]);
    assert!(matches!(oidc.ca, Some(PemSource::File(path)) if path == folder.path().join("idp.crt")));
    assert_eq!(oidc.origin, Some(OidcOrigin { file: path, user: "u".to_owned() }));

    let data = BASE64_STANDARD.encode(certificate);
    let provider = format!("auth-provider: {{name: oidc, config: {{{OIDC}, idp-certificate-authority-data: {data}}}}}");
    let Credentials::Oidc(oidc) = loaded(&single("server: 'https://h'", &provider)).credentials else { panic!() };
    assert!(matches!(oidc.ca, Some(PemSource::Text(_))) && oidc.origin.is_none());

    for (provider, words) in [
        ("{name: gcp}", "gcp has been removed from Kubernetes; use the exec plugin gke-gcloud-auth-plugin"),
        ("{name: azure, config: {x: y}}", "azure has been removed from Kubernetes; use the exec plugin kubelogin"),
        ("{name: openstack}", "auth-provider: \"openstack\" is unknown"),
        ("{}", "auth-provider: \"\" is unknown"),
        ("{name: oidc}", "auth-provider.config.idp-issuer-url: is missing"),
        ("{name: oidc, config: {idp-issuer-url: 'https://x'}}", "auth-provider.config.client-id: is missing"),
    ] {
        let error = refused(&single("server: 'https://h'", &format!("auth-provider: {provider}")));
        assert!(error.contains(words), "{words}\n{error}");
    }
}

#[test]
fn impersonation_is_whole_or_refused() {
    let user = "token: t, as: jane, as-uid: '42', as-groups: [a, b], as-user-extra: {scopes: [x, y], none: null}";
    let expected = Impersonation {
        user: "jane".to_owned(),
        uid: Some("42".to_owned()),
        groups: vec!["a".to_owned(), "b".to_owned()],
        extra: [("none".to_owned(), vec![]), ("scopes".to_owned(), vec!["x".to_owned(), "y".to_owned()])].into(),
    };
    assert_eq!(loaded(&single("server: 'https://h'", user)).impersonate, Some(expected));
    assert_eq!(loaded(&single("server: 'https://h'", "as: ''")).impersonate, None);
    for user in ["as-uid: '1'", "as-groups: [a]", "as-user-extra: {a: [b]}"] {
        let error = refused(&single("server: 'https://h'", user));
        assert!(error.contains("user \"u\": as-uid, as-groups and as-user-extra need a user to act as"), "{error}");
    }
}
