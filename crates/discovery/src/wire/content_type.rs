//! The form of a document, by its `Content-Type`.

use k8s_client_runtime::http::{HeaderMap, header};

/// Whether an answer is a document of aggregated discovery.
pub(crate) fn is_aggregated(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else { return false };
    let content_type = String::from_utf8_lossy(content_type.as_bytes());
    let mut parts = split_outside_quotes(&content_type).into_iter();
    let is_json = parts.next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"));
    let parameters: Vec<_> = parts.filter_map(parameter).collect();
    let has = |wanted: (&str, &str)| parameters.iter().any(|(name, value)| (name.as_str(), value.as_str()) == wanted);
    is_json && [("g", "apidiscovery.k8s.io"), ("v", "v2"), ("as", "APIGroupDiscoveryList")].into_iter().all(has)
}

/// The parts between semicolons. One in a quoted value does not count.
fn split_outside_quotes(text: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let separates = |character: char| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return character == ';' && !quoted,
        }
        false
    };
    text.split(separates).collect()
}

/// A parameter's name in lower case, and its value, which may be in quotes (RFC 9110, 5.6.6).
fn parameter(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let value = value.trim();
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    Some((name.trim().to_ascii_lowercase(), quoted.map_or_else(|| value.to_owned(), unescaped)))
}

/// A quoted value, in which a backslash stands before any character.
fn unescaped(quoted: &str) -> String {
    let mut characters = quoted.chars();
    std::iter::from_fn(|| {
        characters.next().and_then(|first| if first == '\\' { characters.next() } else { Some(first) })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregated_answers_are_known_by_the_parameters_of_their_content_type() {
        for (content_type, aggregated) in [
            ("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", true),
            ("application/json; as=APIGroupDiscoveryList; v=v2; g=apidiscovery.k8s.io; charset=utf-8", true),
            (r#"application/json;g="apidiscovery.k8s.io";v="v2";as="APIGroupDiscoveryList""#, true),
            (r#"application/json;g="api\discovery.k8s.io";v="v2";as="APIGroupDiscoveryList""#, true),
            (r#"application/json; x=";\";"; g=apidiscovery.k8s.io ; v=v2 ;as=APIGroupDiscoveryList"#, true),
            ("application/json;G=apidiscovery.k8s.io;V=v2;AS=APIGroupDiscoveryList", true),
            ("Application/JSON;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", true),
            ("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList", false),
            ("application/json;g=APIDISCOVERY.k8s.io;v=v2;as=APIGroupDiscoveryList", false),
            (r#"application/json;x="a;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList""#, false),
            ("application/json;g=\"apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", false),
            ("text/html;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", false),
            ("application/json", false),
            (";;=;\"", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, content_type.parse().expect("it is plain ASCII"));
            assert_eq!(is_aggregated(&headers), aggregated, "{content_type}");
        }
        assert!(!is_aggregated(&HeaderMap::new()));
    }
}
