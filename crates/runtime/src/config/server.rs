//! The address of a server, written as client-go's users write it.

use http::{Uri, uri::Scheme};

use crate::error::{Error, Result};

/// Reads a URL, or a host with or without a port. Without a scheme `http` is meant.
pub(super) fn parse(server: &str) -> Result<Uri> {
    let server = server.trim();
    let server = if server.is_empty() { "localhost" } else { server };
    let bare = !server.contains("://");
    let text = if bare { format!("http://{server}") } else { server.to_owned() };
    let wrong = |what: &str| Error::config(format!("server {:?}: {what}", without_credentials(server)));
    let uri: Uri = text.parse().map_err(|error| wrong("must be a URL or host:port").with_source(error))?;
    if ![&Scheme::HTTP, &Scheme::HTTPS].contains(&uri.scheme().unwrap_or(&Scheme::HTTP)) {
        return Err(wrong("must begin with https:// or http://"));
    }
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        return Err(wrong("must not hold a user name or password; they belong into the user's entry"));
    }
    // `http` reads a port that is no number as no port at all.
    if authority.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']') && port.parse::<u16>().is_err()) {
        return Err(wrong("the port must be a number from 1 to 65535"));
    }
    if bare && uri.path() != "/" {
        return Err(wrong("must be a URL or host:port; write https:// before a host with a path"));
    }
    if uri.query().is_some() {
        return Err(wrong("must not have a query"));
    }
    Ok(uri)
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
    use super::*;

    #[test]
    fn addresses_are_read_as_client_go_reads_them() {
        for (server, expected) in [
            ("https://host:6443", "https://host:6443/"),
            ("https://host/k8s/prod", "https://host/k8s/prod"),
            ("https://[fd00::1]:6443/", "https://[fd00::1]:6443/"),
            ("host:8080", "http://host:8080/"),
            ("", "http://localhost/"),
            ("10.0.0.1", "http://10.0.0.1/"),
        ] {
            assert_eq!(parse(server).unwrap().to_string(), expected, "{server:?}");
        }
    }

    #[test]
    fn unusable_addresses_are_refused() {
        for (server, words) in [
            ("host/path", "must be a URL"),
            ("ftp://host", "must begin with https://"),
            ("https://", "must be a URL"),
            ("https://host:notaport", "port"),
            ("https://host:99999", "port"),
            ("https://host/?a=b", "query"),
        ] {
            let error = parse(server).unwrap_err().to_string();
            assert!(error.contains(words), "{server:?}: {error}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_shown() {
        let error = parse("https://me:hunter2@host").unwrap_err().to_string();
        assert!(error.contains("user's entry") && !error.contains("hunter2"), "{error}");
    }
}
