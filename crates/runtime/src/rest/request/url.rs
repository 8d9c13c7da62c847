//! Where a request goes: its path, its query and the whole URL.

use super::{
    Request,
    path::{push_path, push_segment},
};
use crate::rest::trace;

/// How long a path with its query is, or a little less.
const USUAL_LENGTH: usize = 128;

impl Request {
    /// The path and the query, as they stand behind the server's URL.
    pub fn path_and_query(&self) -> String {
        let mut path = String::with_capacity(USUAL_LENGTH);
        path.push_str(&self.prefix);
        if let Some(namespace) = self.namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
            push_segment(&mut path, "namespaces");
            push_segment(&mut path, namespace);
        }
        if let Some(resource) = &self.resource {
            push_segment(&mut path, &resource.to_lowercase());
        }
        if let Some(name) = &self.name {
            push_segment(&mut path, name);
        }
        if let Some(subresource) = &self.subresource {
            push_segment(&mut path, subresource);
        }
        push_path(&mut path, &self.suffix);
        if path.is_empty() && self.client.path_prefix().is_empty() {
            path.push('/');
        }
        self.query.write_to(&mut path);
        path
    }

    /// The whole URL.
    pub fn url(&self) -> String {
        format!("{}{}{}", self.client.origin(), self.client.path_prefix(), self.path_and_query())
    }

    /// The whole URL, as far as it may be shown.
    pub(crate) fn shown_url(&self) -> String {
        trace::shown_url(self.kind, &self.url()).to_owned()
    }
}

/// Segments with a `/` in front of each, empty ones left out; a `/` at the end stays, if there is a segment before it.
pub(super) fn escaped(segments: &str) -> std::result::Result<String, String> {
    let mut path = String::new();
    for segment in segments.split('/').filter(|segment| !segment.is_empty()) {
        if matches!(segment, "." | "..") {
            return Err(format!("invalid path {segments:?}: may not contain '.' or '..' as a segment"));
        }
        push_segment(&mut path, segment);
    }
    if !path.is_empty() && segments.ends_with('/') {
        path.push('/');
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use crate::{config::Config, rest::RestClient};

    fn client(server: &str) -> RestClient {
        RestClient::new(&Config::new(server).expect("a valid URL")).expect("a valid configuration")
    }

    #[test]
    fn urls_are_client_gos() {
        let plain = client("http://host:8080");
        let prefixed = client("http://host:8080/clusters/one/");
        for (request, url) in [
            (plain.get().group_version("", "v1").resource("nodes"), "http://host:8080/api/v1/nodes"),
            (
                plain.get().group_version("apps", "v1").namespace("ns").resource("Deployments").name("web"),
                "http://host:8080/apis/apps/v1/namespaces/ns/deployments/web",
            ),
            (plain.get().group_version("", "v1").namespace("").resource("pods"), "http://host:8080/api/v1/pods"),
            (
                prefixed.put().group_version("", "v1").resource("nodes").name("a b").subresource("status"),
                "http://host:8080/clusters/one/api/v1/nodes/a%20b/status",
            ),
            (prefixed.get().abs_path("/version"), "http://host:8080/clusters/one/version"),
            (plain.get().suffix("a").abs_path("/b"), "http://host:8080/b/a"),
            (plain.get().abs_path("/"), "http://host:8080/"),
            (plain.get().abs_path(""), "http://host:8080/"),
            (plain.get(), "http://host:8080/"),
            (prefixed.get().abs_path("/"), "http://host:8080/clusters/one/"),
            (prefixed.get().abs_path(""), "http://host:8080/clusters/one"),
            (prefixed.get(), "http://host:8080/clusters/one"),
            (prefixed.get().query("a", "b"), "http://host:8080/clusters/one?a=b"),
            (plain.get().abs_path("test"), "http://host:8080/test"),
            (plain.get().abs_path("//test//a/"), "http://host:8080/test/a/"),
            (plain.get().abs_path("/test/"), "http://host:8080/test/"),
            (prefixed.get().abs_path("/test/"), "http://host:8080/clusters/one/test/"),
            (plain.get().abs_path("/test/").resource("pods"), "http://host:8080/test/pods"),
            (plain.get().abs_path("/test/").namespace("ns").resource("a"), "http://host:8080/test/namespaces/ns/a"),
            (prefixed.get().abs_path("/").resource("pods").name("x"), "http://host:8080/clusters/one/pods/x"),
            (plain.get().abs_path("/test/").suffix("/a/"), "http://host:8080/test/a/"),
            (plain.get().abs_path("/test").suffix("a/").suffix("b"), "http://host:8080/test/a/b"),
            (plain.get().abs_path("/test").suffix("/").suffix(""), "http://host:8080/test"),
            (client("http://host:8080/").get().abs_path("/test/"), "http://host:8080/test/"),
            (client("http://host:8080//a//b//").get().abs_path("/c"), "http://host:8080/a/b/c"),
            (client("http://host:8080/../a/./b/../c/.").get().abs_path("/d"), "http://host:8080/a/c/d"),
            (client("http://host:8080/a/..").get().abs_path("/d"), "http://host:8080/d"),
            (client("http://host:/a").get().abs_path("/d"), "http://host/a/d"),
            (
                plain
                    .get()
                    .group_version("", "v1")
                    .namespace("ns")
                    .resource("services")
                    .name("https:web:443")
                    .subresource("proxy")
                    .suffix("/a//b/")
                    .query("x", "1")
                    .query("a", "")
                    .query("b", "2"),
                "http://host:8080/api/v1/namespaces/ns/services/https:web:443/proxy/a/b/?b=2&x=1",
            ),
        ] {
            assert_eq!(request.url(), url);
        }
    }
}
