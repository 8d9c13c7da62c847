//! Values set on the loader, and what they replace.

use super::*;

/// A loader of one context whose cluster and user have these fields, and the folder that it is in.
fn loader(cluster: &str, user: &str) -> (ConfigLoader, TempDir) {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "config", &single(cluster, user));
    (Config::loader().kubeconfig(path), folder)
}

fn failure(loader: ConfigLoader) -> String {
    loader.load().unwrap_err().to_string()
}

#[test]
fn entries_are_chosen_by_name() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "config", COMPLETE);
    let loader = || Config::loader().kubeconfig(&path);
    let config = loader().cluster("local").load().unwrap();
    assert_eq!(
        (config.server.to_string().as_str(), config.default_namespace.as_str()),
        ("http://localhost:8080/", "shop")
    );
    let config = loader().user("admin").load().unwrap();
    assert!(matches!(config.credentials, Credentials::Basic { .. }));
    let config = loader().context("local").cluster("prod").load().unwrap();
    assert_eq!((config.server.path(), token(&config)), ("/prefix", "sesame"));
    for (loader, expected) in [
        (loader().context("x"), "context \"x\" does not exist"),
        (loader().cluster("x"), "cluster \"x\" does not exist"),
        (loader().user("x"), "user \"x\" does not exist"),
    ] {
        let error = failure(loader);
        assert!(error.contains(expected) && error.contains("it has: "), "{error}");
    }
}

#[test]
fn empty_values_change_nothing() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "config", COMPLETE);
    let loader = Config::loader().kubeconfig(&path);
    let before = format!("{:?}", loader.clone().load().unwrap());
    let loader = loader.context("").cluster("").user("").namespace("").server("").tls_server_name("").token("".into());
    let loader = loader.username("").password("".into()).timeout("").insecure_skip_tls_verify(false);
    let loader = loader.disable_compression(false).impersonate(Impersonation::default());
    assert_eq!(format!("{:?}", loader.load().unwrap()), before);
}

#[test]
fn namespaces_are_given_as_kubectl_takes_them() {
    for (given, expected) in [
        ("web", "web"),
        ("ns/web", "web"),
        ("namespace/web", "web"),
        ("namespaces/web", "web"),
        ("ns/", "default"),
        ("ns/ns/web", "ns/web"),
        ("nsx/web", "nsx/web"),
    ] {
        let (loader, _folder) = loader("server: 'https://h'", "");
        assert_eq!(loader.namespace(given).load().unwrap().default_namespace, expected, "{given}");
    }
}

#[test]
fn a_server_needs_no_kubeconfig() {
    let environment = outside(Path::new("/nonexistent"), None);
    let loader = Config::loader().server("https://h").token("t".into());
    let config = loader.clone().load_from(&environment).unwrap();
    assert_eq!((config.server.to_string().as_str(), token(&config)), ("https://h/", "t"));
    let folder = TempDir::new().unwrap();
    let config = loader.load_from(&pods::pod(&folder, "pod", None)).unwrap();
    assert_eq!((config.server.host(), config.default_namespace.as_str()), (Some("h"), "web"));
    let error = Config::loader().server("https://a:b").load_from(&environment).unwrap_err().to_string();
    assert!(error.contains("server given to the loader"), "{error}");
}

#[test]
fn a_server_takes_the_name_of_its_certificate_with_it() {
    let cluster = "server: 'https://h', tls-server-name: file";
    for (server, name, expected) in [
        ("", "", Some("file")),
        ("", "flag", Some("flag")),
        ("https://other", "", None),
        ("https://other", "flag", Some("flag")),
    ] {
        let (loader, _folder) = loader(cluster, "");
        let config = loader.server(server).tls_server_name(name).load().unwrap();
        assert_eq!(config.tls.server_name.as_deref(), expected, "{server:?} {name:?}");
    }
}

#[test]
fn one_of_ca_and_insecure_replaces_both() {
    let ca = PemSource::text(Pem::new().certificate);
    let data = BASE64_STANDARD.encode(Pem::new().certificate);
    let with_ca = &format!("server: 'https://h', certificate-authority-data: {data}");
    let insecure = "server: 'https://h', insecure-skip-tls-verify: true";
    for (cluster, flag, file, expected) in [
        (with_ca.as_str(), true, None, (true, false)),
        (insecure, false, Some(&ca), (false, true)),
        (with_ca, false, Some(&ca), (false, true)),
        ("server: 'https://h', certificate-authority: /nonexistent", false, Some(&ca), (false, true)),
        ("server: 'https://h', certificate-authority: /nonexistent", true, None, (true, false)),
    ] {
        let (mut loader, _folder) = loader(cluster, "");
        if let Some(ca) = file {
            loader = loader.certificate_authority(ca.clone());
        }
        let tls = loader.insecure_skip_tls_verify(flag).load().unwrap().tls;
        assert_eq!((tls.insecure_skip_verify, tls.ca.is_some()), expected, "{cluster}");
    }
    let (loader, _folder) = loader("server: 'https://h'", "");
    let error = failure(loader.clone().insecure_skip_tls_verify(true).certificate_authority(ca));
    assert!(error.contains("makes no sense"), "{error}");
    let error = failure(loader.certificate_authority(PemSource::File("nonexistent".into())));
    let absolute = std::env::current_dir().unwrap().join("nonexistent");
    assert!(
        error.contains("certificate_authority given to the loader") && error.contains(&*absolute.to_string_lossy()),
        "{error}"
    );
}

#[test]
fn half_an_identity_replaces_the_file_and_the_data_of_that_half() {
    let (old, new) = (Pem::new(), Pem::new());
    let data = BASE64_STANDARD.encode(&old.certificate);
    let user = format!("client-certificate-data: {data}, client-key: /nonexistent");
    let (loader, _folder) = loader("server: 'https://h'", &user);
    let config = loader.clone().client_key(PemSource::text(new.key.clone())).load().unwrap();
    assert!(matches!(config.tls.identity.unwrap().key, PemSource::Text(key) if key.expose_secret() == new.key));
    let config =
        loader.client_key(PemSource::text(new.key)).client_certificate(PemSource::text(new.certificate.clone()));
    let identity = config.load().unwrap().tls.identity.unwrap();
    assert!(matches!(identity.certificate, PemSource::Text(text) if text.expose_secret() == new.certificate));
}

#[test]
fn a_token_replaces_the_token_its_file_and_the_plugin() {
    for user in [
        "token: old",
        "tokenFile: /nonexistent",
        "token: old, tokenFile: /nonexistent",
        "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x}",
    ] {
        let (loader, _folder) = loader("server: 'https://h'", user);
        assert_eq!(token(&loader.token("new".into()).load().unwrap()), "new", "{user}");
    }
    let (loader, _folder) = loader("server: 'https://h'", "username: u, password: p");
    assert!(failure(loader.clone().token("t".into())).contains("token and username"));
    let Credentials::Basic { username, password } = loader.password("other".into()).load().unwrap().credentials else {
        panic!()
    };
    assert_eq!((username.as_str(), password.expose_secret()), ("u", "other"));
}

#[test]
fn the_other_values_count_instead_of_the_files() {
    let cluster = "server: 'https://h', proxy-url: 'http://p'";
    let (loader, _folder) = loader(cluster, "as: file, as-groups: [g], as-user-extra: {a: [b], c: [d]}");
    let config = loader.clone().load().unwrap();
    assert!(matches!(config.proxy, Proxy::Url(_)) && config.timeout.is_none());

    let asked =
        Impersonation { extra: [("a".to_owned(), vec!["flag".to_owned()])].into(), ..Impersonation::user("flag") };
    let loader =
        loader.timeout("1m30s").namespace("n").proxy(Proxy::Direct).disable_compression(true).impersonate(asked);
    let config = loader.clone().load().unwrap();
    assert_eq!((config.timeout, config.default_namespace.as_str()), (Some(Duration::from_secs(90)), "n"));
    assert!(matches!(config.proxy, Proxy::Direct) && config.disable_compression);
    let impersonate = config.impersonate.unwrap();
    assert_eq!((impersonate.user.as_str(), impersonate.groups), ("flag", vec!["g".to_owned()]));
    assert_eq!(
        impersonate.extra,
        [("a".to_owned(), vec!["flag".to_owned()]), ("c".to_owned(), vec!["d".to_owned()])].into()
    );

    assert!(failure(loader.timeout("soon")).contains("timeout given to the loader: \"soon\" is not a time limit"));
}
