//! Resource versions: which of two is newer.

use std::cmp::Ordering;

/// Compares two versions of objects of one resource, as Kubernetes' `CompareResourceVersion` does: decimal numbers of
/// any length. `None` if one of them is not such a number.
pub(crate) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let is_version = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_digit()) && text.bytes().next().is_some_and(|first| first != b'0')
    };
    (is_version(a) && is_version(b)).then(|| a.len().cmp(&b.len()).then_with(|| a.cmp(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_of_any_length() {
        assert_eq!(compare("9", "10"), Some(Ordering::Less));
        assert_eq!(compare("100000000000000000000001", "100000000000000000000000"), Some(Ordering::Greater));
        assert_eq!(compare("7", "7"), Some(Ordering::Equal));
        for other in ["", "0", "07", "a", "1.5", "-1", "+1"] {
            assert_eq!(compare("7", other), None, "{other:?}");
        }
    }
}
