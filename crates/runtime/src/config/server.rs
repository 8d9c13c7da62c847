//! The address of a server, written as client-go's users write it.

use http::{Uri, uri::Scheme};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{Config, Credentials, host};
use crate::error::{Error, Result};

/// What a path does not hold as it is; `%` begins what is escaped already.
const IN_PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// Reads a URL, or a host with or without a port, which stays without a scheme: [`with_scheme`] decides that.
pub(super) fn parse(server: &str) -> Result<Uri> {
    let server = server.trim();
    let server = if server.is_empty() { "localhost" } else { server };
    let wrong = |what: &str| Error::config(format!("server {:?}: {what}", without_credentials(server)));
    if server.contains(char::is_control) {
        return Err(wrong("must not hold control characters"));
    }
    let (scheme, rest) = match server.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, server),
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(wrong("must not hold a user name or password; they belong into the user's entry"));
    }
    if scheme.is_none() && !matches!(path, "" | "/") {
        return Err(wrong("must be a URL or host:port; write https:// before a host with a path"));
    }
    if !is_escaped(path) {
        return Err(wrong("a % in it must be followed by two digits of hexadecimal"));
    }
    let authority = host::authority(authority).map_err(|what| wrong(&what))?;
    let text = match scheme {
        Some(scheme) => format!("{scheme}://{authority}{}", utf8_percent_encode(path, IN_PATH)),
        None => authority.to_string(),
    };
    let uri: Uri = text.parse().map_err(|error| wrong("must be a URL or host:port").with_source(error))?;
    if scheme.is_some() && ![Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&uri.scheme()) {
        return Err(wrong("must begin with https:// or http://"));
    }
    if uri.query().is_some() {
        return Err(wrong("must not have a query"));
    }
    Ok(uri)
}

/// A URL or a host with its name in ASCII and its path escaped. What is escaped already stays so.
pub(crate) fn in_ascii(url: &str) -> Result<String, String> {
    let start = url.find("://").map_or(0, |end| end + 3);
    let (scheme, rest) = url.split_at(start);
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    Ok(format!("{scheme}{}{}", host::to_ascii(authority)?, utf8_percent_encode(path, IN_PATH)))
}

/// The server's URL. Where it is written without a scheme, `https` is meant if anything is configured that is for TLS,
/// as in client-go, and also if there are credentials, which nobody asked to be sent in clear; otherwise `http`.
pub(super) fn with_scheme(config: &Config) -> Result<Uri> {
    let server = &config.server;
    let wrong = || Error::config(format!("server {server}: not an absolute URL; write https://HOST:PORT"));
    let authority = server.authority().ok_or_else(wrong)?;
    match server.scheme() {
        Some(scheme) if [Scheme::HTTP, Scheme::HTTPS].contains(scheme) => Ok(server.clone()),
        Some(_) => Err(wrong()),
        None => {
            let tls = &config.tls;
            let secure = tls.ca.is_some() || tls.identity.is_some() || tls.insecure_skip_verify;
            let secure = secure || !matches!(config.credentials, Credentials::None);
            let scheme = if secure { Scheme::HTTPS } else { Scheme::HTTP };
            let built = Uri::builder().scheme(scheme).authority(authority.clone()).path_and_query("/").build();
            built.map_err(|error| wrong().with_source(error))
        }
    }
}

/// Whether every `%` begins an escape.
fn is_escaped(path: &str) -> bool {
    let is_hex = |digits: &str| digits.len() == 2 && digits.chars().all(|digit| digit.is_ascii_hexdigit());
    path.split('%').skip(1).all(|rest| rest.get(..2).is_some_and(is_hex))
}

/// What may be shown of a URL.
pub(super) fn without_credentials(server: &str) -> String {
    match server.rsplit_once('@') {
        Some((before, host)) => {
            format!("{}…@{host}", before.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://")))
        }
        None => server.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::config::{ClientIdentity, ExecConfig, OidcConfig, PemSource, TlsConfig};

    #[test]
    fn addresses_are_read_as_client_go_reads_them() {
        for (server, expected) in [
            ("https://host:6443", "https://host:6443/"),
            ("https://host/k8s/prod", "https://host/k8s/prod"),
            ("https://[fd00::1]:6443/", "https://[fd00::1]:6443/"),
            ("HTTPS://host", "https://host/"),
            ("host:8080", "http://host:8080/"),
            ("host:8080/", "http://host:8080/"),
            ("[::1]:8080", "http://[::1]:8080/"),
            ("https://host:", "https://host/"),
            ("https://host:/k8s", "https://host/k8s"),
            ("host:", "http://host/"),
            ("", "http://localhost/"),
            ("10.0.0.1", "http://10.0.0.1/"),
            ("https://bücher.example:6443", "https://xn--bcher-kva.example:6443/"),
            ("bücher.example", "http://xn--bcher-kva.example/"),
            ("https://host/k8s/my cluster", "https://host/k8s/my%20cluster"),
            ("https://host/k8s/my%20cluster/größe", "https://host/k8s/my%20cluster/gr%C3%B6%C3%9Fe"),
            ("https://host/a|b\"{c}\"", "https://host/a%7Cb%22%7Bc%7D%22"),
        ] {
            let config = Config::new(server).unwrap();
            assert_eq!(config.server_url().unwrap().to_string(), expected, "{server:?}");
        }
    }

    #[test]
    fn a_server_without_scheme_is_asked_over_tls_where_there_is_anything_for_tls() {
        let identity = ClientIdentity { certificate: PemSource::text(""), key: PemSource::text("") };
        let secret = || SecretString::from("secret");
        let settings = [
            TlsConfig { ca: Some(PemSource::text("")), ..TlsConfig::default() },
            TlsConfig { insecure_skip_verify: true, ..TlsConfig::default() },
            TlsConfig { identity: Some(identity), ..TlsConfig::default() },
        ];
        let credentials = [
            Credentials::Bearer(secret()),
            Credentials::TokenFile { path: "token".into(), fallback: None },
            Credentials::Basic { username: "me".to_owned(), password: secret() },
            Credentials::Exec(ExecConfig::new("plugin")),
            Credentials::Oidc(OidcConfig::new("https://issuer", "client")),
        ];
        let with = |server: &str, tls: &TlsConfig, credentials: &Credentials| {
            let mut config = Config::new(server).unwrap();
            config.tls = tls.clone();
            config.credentials = credentials.clone();
            config.server_url().unwrap().to_string()
        };
        let (no_tls, nobody) = (TlsConfig::default(), Credentials::None);
        let of_tls = settings.iter().map(|tls| (tls, &nobody));
        for (tls, credentials) in of_tls.chain(credentials.iter().map(|credentials| (&no_tls, credentials))) {
            assert_eq!(with("host:1", tls, credentials), "https://host:1/", "{tls:?} {credentials:?}");
            assert_eq!(with("http://host:1", tls, credentials), "http://host:1/", "what is written stays");
        }
        assert_eq!(with("host:1", &no_tls, &nobody), "http://host:1/");
    }

    #[test]
    fn a_server_that_a_program_sets_is_a_url_or_a_host() {
        let mut config = Config::new("host").unwrap();
        for (server, expected) in [
            ("host:1", Some("http://host:1/")),
            ("https://host/a", Some("https://host/a")),
            ("/path", None),
            ("ftp://host", None),
        ] {
            config.server = server.parse().unwrap();
            assert_eq!(config.server_url().ok().map(|url| url.to_string()).as_deref(), expected, "{server}");
        }
    }

    #[test]
    fn unusable_addresses_are_refused() {
        for (server, words) in [
            ("host/path", "must be a URL"),
            ("ftp://host", "must begin with https://"),
            ("https://", "must be a URL"),
            ("https:///path", "must be a URL"),
            ("my host", "must be a URL"),
            ("https://host:notaport", "port"),
            ("https://host:99999", "port"),
            ("https://host:0", "port"),
            ("host:0", "port"),
            ("host:+1", "port"),
            (":", "host"),
            ("/", "URL"),
            ("https://[10.0.0.1]", "IPv6"),
            ("https://host/?a=b", "query"),
            ("https://host/100%", "%"),
            ("https://host/a\nb", "control characters"),
            ("https://bu\u{308}cher.example", "xn--"),
        ] {
            let error = Config::new(server).unwrap_err().to_string();
            assert!(error.contains(words), "{server:?}: {error}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_shown() {
        for server in ["https://me:hunter2@host", "me:hunter2@host", "https://me:hünter2@bücher.example/a b"] {
            let error = parse(server).unwrap_err().to_string();
            assert!(error.contains("user's entry") && !error.contains("nter2"), "{error}");
        }
    }
}
