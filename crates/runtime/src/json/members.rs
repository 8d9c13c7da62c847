//! Members of a JSON object, found in its bytes: nothing of what they hold is decoded, however deep it is.

use std::ops::Range;

use super::{Nesting, is_white};
use crate::error::UndecodableObject;

/// The members of an object, up to the end or to where it is not JSON.
struct Members<'a> {
    object: &'a [u8],
    /// Where the next member may begin.
    at: usize,
}

/// Where a member of an object stands.
struct Member {
    /// The name with its quotes.
    name: Range<usize>,
    value: Range<usize>,
}

impl<'a> Members<'a> {
    fn of(object: &'a [u8]) -> Self {
        let begin = after_white(object, 0);
        let is_object = object.get(begin) == Some(&b'{');
        Self { object, at: if is_object { begin + 1 } else { object.len() } }
    }

    /// The first member of this name.
    fn named(mut self, name: &str) -> Option<Range<usize>> {
        let object = self.object;
        self.find(|member| is(&object[member.name.clone()], name)).map(|member| member.value)
    }
}

impl Iterator for Members<'_> {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        let begin = after_white(self.object, self.at);
        let name = value(self.object, begin).filter(|_| self.object[begin] == b'"')?;
        let colon = after_white(self.object, name.end);
        let value = value(self.object, after_white(self.object, colon + 1)).filter(|_| self.object[colon] == b':')?;
        let end = after_white(self.object, value.end);
        self.at = if self.object.get(end) == Some(&b',') { end + 1 } else { self.object.len() };
        Some(Member { name, value })
    }
}

fn after_white(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| !is_white(*byte)).unwrap_or(rest.len())
}

/// Where the value ends that begins here, if it ends.
fn value(bytes: &[u8], begin: usize) -> Option<Range<usize>> {
    let rest = bytes.get(begin..)?;
    let length = match rest.first()? {
        b'{' | b'[' | b'"' => Nesting::default().end(rest)?,
        _ => rest.iter().position(|byte| is_white(*byte) || matches!(byte, b',' | b'}' | b']'))?,
    };
    (length > 0).then_some(begin..begin + length)
}

/// Whether this text in quotes is the word.
fn is(text: &[u8], word: &str) -> bool {
    let plain = text.get(1..text.len() - 1).is_some_and(|text| text == word.as_bytes());
    plain || (text.contains(&b'\\') && self::text(text).is_some_and(|text| text == word))
}

fn text(value: &[u8]) -> Option<String> {
    serde_json::from_slice(value).ok()
}

/// The object without its `metadata.managedFields`; `None` where it has none.
pub(crate) fn without_managed_fields(object: &[u8]) -> Option<Vec<u8>> {
    let place = Members::of(object).named("metadata")?;
    let metadata = &object[place.clone()];
    let mut end_of_previous = None;
    let mut members = Members::of(metadata);
    while let Some(member) = members.next() {
        if !is(&metadata[member.name.clone()], "managedFields") {
            end_of_previous = Some(member.value.end);
            continue;
        }
        // With the comma behind it; of the last member, with the one before it.
        let cut = match end_of_previous {
            _ if members.at < metadata.len() => member.name.start..after_white(metadata, members.at),
            Some(end) => end..member.value.end,
            None => member.name.start..member.value.end,
        };
        return Some([&object[..place.start + cut.start], &object[place.start + cut.end..]].concat());
    }
    None
}

/// What the metadata of an object says of which object it is, as far as that is there.
pub(crate) fn identity(object: &[u8]) -> UndecodableObject {
    let mut identity = UndecodableObject::default();
    let Some(metadata) = Members::of(object).named("metadata").map(|place| &object[place]) else { return identity };
    for member in Members::of(metadata) {
        let field = [
            ("name", &mut identity.name),
            ("namespace", &mut identity.namespace),
            ("resourceVersion", &mut identity.resource_version),
        ]
        .into_iter()
        .find(|(name, _)| is(&metadata[member.name.clone()], name));
        if let Some((_, field)) = field {
            *field = text(&metadata[member.value]).and_then(as_identity);
        }
    }
    identity
}

/// A text that may stand in an error to say which object it is about. Kubernetes has no longer ones.
pub(crate) fn as_identity(text: String) -> Option<String> {
    (1..=253).contains(&text.len()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managed_fields_and_one_comma_are_cut_out_of_the_metadata() {
        for (with, without) in [
            (r#"{"metadata":{"managedFields":[{}]}}"#, Some(r#"{"metadata":{}}"#)),
            (r#"{"metadata":{"managedFields":[{}],"name":"a"}}"#, Some(r#"{"metadata":{"name":"a"}}"#)),
            (r#"{"metadata":{"name":"a","managedFields":null}}"#, Some(r#"{"metadata":{"name":"a"}}"#)),
            (
                r#" { "a" : [ "}" ] , "metadata" : { "a" : 1 , "managedFields" : [ "\"]" ] , "b" : 2 } , "c" : 3 } "#,
                Some(r#" { "a" : [ "}" ] , "metadata" : { "a" : 1 , "b" : 2 } , "c" : 3 } "#),
            ),
            (r#"{"metadata":{"a":1 , "managedFields" :7 }}"#, Some(r#"{"metadata":{"a":1 }}"#)),
            (r#"{"metadat\u0061":{"managed\u0046ields":7}}"#, Some(r#"{"metadat\u0061":{}}"#)),
            (r#"{"metadata":{"labels":{"managedFields":"x"}}}"#, None),
            (r#"{"spec":{"metadata":{"managedFields":7}}}"#, None),
            (r#"{"metadata":"managedFields"}"#, None),
            (r#"["metadata",{"managedFields":7}]"#, None),
            (r#"{"metadata":{"managedFields""#, None),
            (r#"{"metadata":{"managedFields":["#, None),
            (r#"{"metadata" {"managedFields":[]}}"#, None),
            ("", None),
        ] {
            let cut = without_managed_fields(with.as_bytes()).map(|cut| String::from_utf8(cut).unwrap());
            assert_eq!(cut.as_deref(), without, "{with}");
        }
    }

    #[test]
    fn object_is_identified_even_where_it_is_broken() {
        let whole = UndecodableObject {
            name: Some("web".to_owned()),
            namespace: Some("ns".to_owned()),
            resource_version: Some("7".to_owned()),
            deleted: false,
        };
        let metadata = r#""metadata":{"name":"w\u0065b","labels":{"name":"x"},"namespace":"ns","resourceVersion":"7"}"#;
        for object in [format!("{{{metadata},{{"), format!(r#"{{"spec":{{"name":"x"}},{metadata}}}"#)] {
            assert_eq!(identity(object.as_bytes()), whole, "{object}");
        }
        for object in ["", "{", "7", r#"{"metadata":7}"#, r#"{"metadata":{"name":7,"namespace":""}}"#] {
            assert_eq!(identity(object.as_bytes()), UndecodableObject::default(), "{object}");
        }
    }
}
