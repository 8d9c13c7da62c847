//! The headers of [`Impersonation`].

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    config::Impersonation,
    error::{Error, Result},
    text::non_empty,
};

const USER: HeaderName = HeaderName::from_static("impersonate-user");
const UID: HeaderName = HeaderName::from_static("impersonate-uid");
const GROUP: HeaderName = HeaderName::from_static("impersonate-group");
const EXTRA: &str = "impersonate-extra-";

/// The headers that say whom to impersonate.
pub(super) fn headers(whom: &Impersonation) -> Result<HeaderMap> {
    let Impersonation { user, uid, groups, extra } = whom;
    if user.is_empty() {
        return Err(Error::config(
            "impersonation without a user: the server takes uid, groups and extra only together with one; set user",
        ));
    }
    let mut headers = HeaderMap::new();
    headers.insert(USER, value(user, "the user")?);
    if let Some(uid) = non_empty(uid.as_ref()) {
        headers.insert(UID, value(uid, "the uid")?);
    }
    for group in groups {
        headers.append(GROUP, value(group, "a group")?);
    }
    for (key, values) in extra {
        let wrong = |_| Error::config(format!("impersonation: the key {key:?} of extra is too long for a header"));
        let name = HeaderName::try_from(format!("{EXTRA}{}", escape(key))).map_err(wrong)?;
        for text in values {
            headers.append(name.clone(), value(text, &format!("extra {key:?}"))?);
        }
    }
    Ok(headers)
}

/// Adds them, unless the request says itself whom it impersonates.
pub(super) fn add(to: &mut HeaderMap, impersonation: &HeaderMap) {
    if !to.contains_key(USER) {
        for (name, value) in impersonation {
            to.append(name, value.clone());
        }
    }
}

fn value(text: &str, what: &str) -> Result<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
        Error::config(format!("impersonation: {what} holds characters that no HTTP header can carry: {text:?}"))
    })
}

/// The server undoes it. What a header's name may hold stays, but for the sign of an escape itself.
fn escape(key: &str) -> String {
    let mut escaped = String::with_capacity(key.len());
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte) {
            escaped.push(char::from(byte.to_ascii_lowercase()));
        } else {
            let _ = write!(escaped, "%{byte:02x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn all(headers: &HeaderMap) -> Vec<(String, String)> {
        let text = |value: &HeaderValue| String::from_utf8(value.as_bytes().to_vec()).unwrap();
        headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    #[test]
    fn a_header_names_the_user_the_uid_each_group_and_each_value_of_extra() {
        let whom = Impersonation {
            uid: Some("42".to_owned()),
            groups: vec!["system:authenticated".to_owned(), "développeurs".to_owned()],
            extra: BTreeMap::from([
                ("Acme.com/Project%".to_owned(), vec!["one".to_owned(), "two".to_owned()]),
                ("größe".to_owned(), vec![String::new()]),
            ]),
            ..Impersonation::user("jane")
        };
        let expected = [
            ("impersonate-user", "jane"),
            ("impersonate-uid", "42"),
            ("impersonate-group", "system:authenticated"),
            ("impersonate-group", "développeurs"),
            ("impersonate-extra-acme.com%2fproject%25", "one"),
            ("impersonate-extra-acme.com%2fproject%25", "two"),
            ("impersonate-extra-gr%c3%b6%c3%9fe", ""),
        ];
        let expected: Vec<_> = expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(all(&headers(&whom).unwrap()), expected);
    }

    #[test]
    fn a_request_that_impersonates_somebody_itself_is_left_alone() {
        let impersonation =
            headers(&Impersonation { groups: vec!["admins".to_owned()], ..Impersonation::user("jane") }).unwrap();
        let mut request = HeaderMap::new();
        request.insert(USER, HeaderValue::from_static("joe"));
        add(&mut request, &impersonation);
        assert_eq!(all(&request), [("impersonate-user".to_owned(), "joe".to_owned())]);
    }

    #[test]
    fn groups_without_a_user_are_an_error_and_so_is_what_no_header_can_carry() {
        let nobody = Impersonation { groups: vec!["admins".to_owned()], ..Impersonation::default() };
        assert!(headers(&nobody).unwrap_err().to_string().contains("set user"));
        assert!(headers(&Impersonation::user("a\nb")).unwrap_err().to_string().contains("the user"));
    }
}
