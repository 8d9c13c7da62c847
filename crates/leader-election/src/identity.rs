//! What a candidate calls itself unless the program says it.

use k8s_client_runtime::{host_name::host_name, machine};

/// The longest host name that leaves room for the rest in an object's name.
const MAX_HOST: usize = 200;

/// The host's name and a random suffix. Two processes never share it, and it is a valid object name.
pub(crate) fn random() -> String {
    format!("{}-{:016x}", as_name(&host_name()), machine::random())
}

/// The host name with nothing that an object's name must not have.
fn as_name(host: &str) -> String {
    let letters = host.trim().chars().take(MAX_HOST).map(|letter| match letter.to_ascii_lowercase() {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '-',
    });
    let name: String = letters.collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "host".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_is_the_host_with_a_suffix_that_no_other_has() {
        for (host, name) in [("web-0\n", "web-0"), ("My.Host", "my-host"), ("", "host"), ("-_-", "host"), ("é1", "1")]
        {
            assert_eq!(as_name(host), name, "{host:?}");
        }
        let (one, other) = (random(), random());
        assert_ne!(one, other);
        assert_eq!(one[..one.len() - 16], other[..other.len() - 16]);
    }
}
