//! Servers, certificates and TLS.

use super::*;

#[test]
fn a_server_without_scheme_means_http_whatever_else_is_set_up() {
    // client-go's clientcmd decides by the address alone; only a configuration made by hand looks at the TLS settings.
    for cluster in ["", "insecure-skip-tls-verify: true", "tls-server-name: x"] {
        let config = loaded(&single(&format!("server: 'host:1', {cluster}"), "token: t"));
        assert_eq!(config.server_url().unwrap(), "http://host:1/");
        assert!(matches!(config.credentials, Credentials::None) && !config.tls.insecure_skip_verify, "{cluster}");
    }
    // What a program sets afterwards is sent over TLS.
    let mut config = loaded(&single("server: 'host:1'", ""));
    config.credentials = Credentials::Bearer("t".into());
    assert_eq!(config.server_url().unwrap(), "https://host:1/");
}

#[test]
fn nothing_secret_goes_to_a_server_without_tls() {
    let Pem { certificate, key } = Pem::new();
    let (certificate, key) = (BASE64_STANDARD.encode(certificate), BASE64_STANDARD.encode(key));
    let identity = format!("client-certificate-data: {certificate}, client-key-data: {key}");
    let cluster = format!("server: 'http://host', certificate-authority-data: {certificate}");
    for user in [
        "token: t",
        "username: u",
        "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x}",
        "auth-provider: {name: gcp}",
    ] {
        let config = loaded(&single(&cluster, &format!("{user}, {identity}, as: root")));
        assert!(matches!(config.credentials, Credentials::None), "{user}");
        assert!(config.tls.ca.is_none() && config.tls.identity.is_none(), "{user}");
        // Whom to act as is no secret.
        assert_eq!(config.impersonate, Some(Impersonation::user("root")), "{user}");
    }
    // As in client-go, what is wrong is wrong there too.
    let error = refused(&single("server: 'http://host', certificate-authority: /nonexistent", "token: t, username: u"));
    assert!(error.contains("/nonexistent") && error.contains("token and username"), "{error}");
}

#[test]
fn certificates_are_read_from_files_beside_the_kubeconfig_or_from_data() {
    let folder = TempDir::new().unwrap();
    let Pem { certificate, key } = Pem::new();
    write(&folder, "pki/me.crt", &certificate);
    write(&folder, "pki/me.key", &key);
    // client-go accepts line breaks in the data.
    let data = BASE64_STANDARD.encode(&certificate);
    let (start, end) = data.split_at(64);
    let cluster = format!("server: 'https://h', certificate-authority-data: \"{start}\\n{end}\"");
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
fn a_file_and_data_together_are_refused() {
    let data = BASE64_STANDARD.encode(Pem::new().certificate);
    for (cluster, user, words) in [
        (
            format!("certificate-authority: /x, certificate-authority-data: {data}"),
            String::new(),
            "cluster \"c\": certificate-authority and",
        ),
        (
            String::new(),
            format!("client-certificate: /x, client-certificate-data: {data}"),
            "user \"u\": client-certificate and",
        ),
        (String::new(), format!("client-key: /x, client-key-data: {data}"), "user \"u\": client-key and"),
    ] {
        let error = refused(&single(&format!("server: 'https://h', {cluster}"), &user));
        assert!(error.contains(words), "{words}\n{error}");
    }
}

#[test]
fn proxies_and_compression_are_the_clusters() {
    let config = loaded(&single("server: 'https://h', proxy-url: 'socks5://p:1080', disable-compression: true", ""));
    assert!(matches!(config.proxy, Proxy::Url(_)) && config.disable_compression);
    let config = loaded(&single("server: 'https://h', proxy-url: null, disable-compression: null", ""));
    assert!(matches!(config.proxy, Proxy::Environment) && !config.disable_compression);
    let error = refused(&single("server: 'https://h', proxy-url: 'ftp://p'", ""));
    assert!(error.contains("cluster \"c\": proxy-url: "), "{error}");
}
