//! The forms in which objects travel.

use http::HeaderValue;

/// A form in which objects travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaType {
    /// `application/json`: every API server has it for everything.
    Json,
    /// `application/vnd.kubernetes.protobuf`: smaller and cheaper for both sides. kube-apiserver has it for all types of its own,
    /// and not for custom resources.
    Protobuf,
}

impl MediaType {
    /// JSON alone.
    pub const JSON: &'static [Self] = &[Self::Json];

    /// Protobuf, and JSON where the server has no other.
    pub const PROTOBUF_OR_JSON: &'static [Self] = &[Self::Protobuf, Self::Json];

    /// The value of an `Accept` or a `Content-Type` header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/vnd.kubernetes.protobuf",
        }
    }

    /// The media type that a `Content-Type` header names, parameters left aside. No header means JSON, as the API
    /// conventions have it.
    pub(crate) fn of_answer(content_type: Option<&HeaderValue>) -> Option<Self> {
        let Some(value) = content_type else { return Some(Self::Json) };
        let essence = value.to_str().ok()?.split(';').next()?.trim();
        [Self::Json, Self::Protobuf].into_iter().find(|media_type| essence.eq_ignore_ascii_case(media_type.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_type_chooses_the_decoder() {
        let of = |value: &'static str| MediaType::of_answer(Some(&HeaderValue::from_static(value)));
        assert_eq!(of("application/json"), Some(MediaType::Json));
        assert_eq!(of("Application/JSON; charset=utf-8"), Some(MediaType::Json));
        assert_eq!(of("application/vnd.kubernetes.protobuf"), Some(MediaType::Protobuf));
        assert_eq!(of("application/vnd.kubernetes.protobuf;stream=watch"), Some(MediaType::Protobuf));
        assert_eq!(of("text/html"), None);
        assert_eq!(of("application/jsonp"), None);
        assert_eq!(MediaType::of_answer(None), Some(MediaType::Json));
    }
}
