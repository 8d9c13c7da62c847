//! Which requests may carry secrets.

/// Whether a URL or a path speaks of secrets or tokens, so that nothing of the bodies that travel there may be shown.
pub(crate) fn speaks_of_secrets(url: &str) -> bool {
    let path = url.split_once('?').map_or(url, |(path, _)| path).to_lowercase();
    ["secret", "token"].iter().any(|word| path.contains(word))
}
