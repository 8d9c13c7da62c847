//! Where the answer of a provider sends who asks.

use http::{HeaderValue, Uri, uri::Scheme};

use super::refresh::absolute;

/// How often a provider may send on, as in Go.
pub(super) const MAX_REDIRECTS: usize = 10;

/// The URL of a `Location` header, which may be relative; None if it is not one, or not safe to follow: to another host
/// only by https, and from https never to less.
pub(super) fn target(from: &Uri, location: &HeaderValue) -> Option<Uri> {
    let location = str::from_utf8(location.as_bytes()).ok()?.trim();
    let (scheme, authority) = (from.scheme_str()?, from.authority()?);
    let to = absolute(&match location {
        // What is relative has no colon in its first segment.
        url if url.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':')) => url.to_owned(),
        location if location.starts_with("//") => format!("{scheme}:{location}"),
        location => format!("{scheme}://{authority}{}", joined(from.path(), location)),
    })?;
    let same_host = from.host() == to.host() && from.scheme() == to.scheme();
    (to.scheme() == Some(&Scheme::HTTPS) || same_host).then_some(to)
}

/// A path, perhaps with a query, as it is meant from the document of another path.
fn joined(base: &str, reference: &str) -> String {
    let (path, query) = reference.split_at(reference.find(['?', '#']).unwrap_or(reference.len()));
    let folder = match path {
        "" => return format!("{base}{query}"),
        path if path.starts_with('/') => "",
        _ => base.rsplit_once('/').map_or("", |(folder, _)| folder),
    };
    let mut segments = Vec::new();
    let all: Vec<_> = folder.split('/').chain(path.split('/')).filter(|segment| !segment.is_empty()).collect();
    for segment in &all {
        match *segment {
            "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    // A path to a folder keeps its last slash.
    let is_folder = path.ends_with('/') || matches!(all.last(), Some(&("." | "..")));
    format!("/{}{}{query}", segments.join("/"), if is_folder && !segments.is_empty() { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_stays_with_the_host_or_goes_on_by_https() {
        let secure = "https://idp.example:8443/a/.well-known/openid-configuration";
        let plain = "http://idp.example/a/doc?x=1";
        for (from, location, expected) in [
            (secure, "https://idp.example:8443/b", Some("https://idp.example:8443/b")),
            (secure, "https://other.example/b?c=d#e", Some("https://other.example/b?c=d")),
            (secure, "/realms/main/doc", Some("https://idp.example:8443/realms/main/doc")),
            (secure, "//other.example/b", Some("https://other.example/b")),
            (secure, "configuration", Some("https://idp.example:8443/a/.well-known/configuration")),
            (secure, "../../b/./doc/", Some("https://idp.example:8443/b/doc/")),
            (secure, "../../../../..", Some("https://idp.example:8443/")),
            (secure, "?v=2", Some("https://idp.example:8443/a/.well-known/openid-configuration?v=2")),
            (secure, "/my realm", Some("https://idp.example:8443/my%20realm")),
            (secure, "HTTPS://b\u{fc}cher.example/", Some("https://xn--bcher-kva.example/")),
            (secure, "http://idp.example:8443/b", None),
            (secure, "ftp://idp.example/b", None),
            (secure, "mailto:me@idp.example", None),
            (secure, "https://", None),
            (plain, "/b", Some("http://idp.example/b")),
            (plain, "http://idp.example:8080/b", Some("http://idp.example:8080/b")),
            (plain, "https://other.example/b", Some("https://other.example/b")),
            (plain, "http://other.example/b", None),
            (plain, "//other.example/b", None),
        ] {
            let location_value = HeaderValue::from_bytes(location.as_bytes()).unwrap();
            let to = target(&from.parse().unwrap(), &location_value).map(|to| to.to_string());
            assert_eq!(to.as_deref(), expected, "{from} {location}");
        }
    }
}
