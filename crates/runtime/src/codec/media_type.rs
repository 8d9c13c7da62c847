//! The forms in which objects travel.

use http::HeaderValue;

/// A form in which objects travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaType {
    /// `application/json`: every API server has it for everything.
    Json,
    /// `application/vnd.kubernetes.protobuf`: smaller and cheaper for both sides. kube-apiserver has it for all types
    /// of its own, and not for custom resources.
    Protobuf,
}

impl MediaType {
    /// JSON alone.
    pub const JSON: &'static [Self] = &[Self::Json];

    /// Protobuf, and JSON where the server has no other.
    pub const PROTOBUF_OR_JSON: &'static [Self] = &[Self::Protobuf, Self::Json];

    /// The value of an `Accept` or a `Content-Type` header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/vnd.kubernetes.protobuf",
        }
    }

    /// The value of an `Accept` header for these media types, best first, of objects as they are or made into another
    /// kind.
    pub(crate) fn accept<'a>(media_types: impl Iterator<Item = &'a Self>, as_kind: Option<&str>) -> String {
        let names = media_types.map(|media_type| media_type.as_str());
        match as_kind {
            None => names.collect::<Vec<_>>().join(","),
            Some(kind) => {
                let made = names.map(|name| format!("{name};as={kind};g=meta.k8s.io;v=v1"));
                // Objects as they are, of whatever kind, can be read in JSON only.
                made.chain([Self::Json.as_str().to_owned()]).collect::<Vec<_>>().join(",")
            }
        }
    }

    /// The media type that a `Content-Type` header names, parameters left aside. No header, or an empty one, means
    /// JSON, as the API conventions have it.
    pub(crate) fn of_answer(content_type: Option<&HeaderValue>) -> Option<Self> {
        let value = content_type.map_or(&b""[..], HeaderValue::as_bytes);
        let essence = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if value.is_empty() {
            return Some(Self::Json);
        }
        let names = |media_type: &Self| essence.eq_ignore_ascii_case(media_type.as_str().as_bytes());
        [Self::Json, Self::Protobuf].into_iter().find(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_kinds_are_asked_for_in_each_form_and_whole_objects_in_json() {
        let accept = |as_kind| MediaType::accept(MediaType::PROTOBUF_OR_JSON.iter(), as_kind);
        assert_eq!(accept(None), "application/vnd.kubernetes.protobuf,application/json");
        assert_eq!(
            accept(Some("Table")),
            "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/json;as=Table;g=meta.k8s.io;v=v1,\
             application/json"
        );
    }

    #[test]
    fn content_type_chooses_the_decoder() {
        let of = |value: &'static str| MediaType::of_answer(Some(&HeaderValue::from_static(value)));
        assert_eq!(of("application/json"), Some(MediaType::Json));
        assert_eq!(of("Application/JSON; charset=utf-8"), Some(MediaType::Json));
        assert_eq!(of("application/vnd.kubernetes.protobuf"), Some(MediaType::Protobuf));
        assert_eq!(of("application/vnd.kubernetes.protobuf;stream=watch"), Some(MediaType::Protobuf));
        assert_eq!(of(r#"APPLICATION/JSON;G="meta.k8s.io;x";AS="Table""#), Some(MediaType::Json));
        assert_eq!(of("application/json ;"), Some(MediaType::Json));
        assert_eq!(of(""), Some(MediaType::Json));
        assert_eq!(of(";charset=utf-8"), None);
        let not_ascii = HeaderValue::from_bytes(b"application/json; note=\"\xc3\xa9\"").expect("headers may have such");
        assert_eq!(MediaType::of_answer(Some(&not_ascii)), Some(MediaType::Json));
        assert_eq!(of("text/html"), None);
        assert_eq!(of("application/jsonp"), None);
        assert_eq!(MediaType::of_answer(None), Some(MediaType::Json));
    }
}
