//! In which form an answer is wanted.

use k8s_client_runtime::codec::MediaType;

/// In which form an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// JSON or protobuf.
    pub(crate) media_type: MediaType,
    /// The objects themselves, or something made of them.
    pub(crate) representation: Representation,
}

/// What is made of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Representation {
    /// The objects themselves.
    #[default]
    Whole,
    /// Their metadata alone.
    Metadata,
    /// Rows for people.
    Table,
    /// Discovery in one document.
    Aggregated,
}

/// What is asked. Not everything has every form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A resource of Kubernetes' own.
    BuiltIn,
    /// A custom resource, whose objects have no protobuf. Their metadata has.
    Custom,
    /// What is served.
    Discovery,
    /// Nothing but why it is refused.
    Refusal,
}

/// JSON, and nothing made of anything.
pub(crate) const JSON: Form = Form { media_type: MediaType::Json, representation: Representation::Whole };

/// What an `Accept` header names: a form and how much it is wanted.
struct Clause<'a> {
    kind: &'a str,
    subtype: &'a str,
    quality: f32,
    parameters: Vec<(&'a str, &'a str)>,
}

impl Form {
    /// The form that an `Accept` header wants most of those that there are; `None` if it wants none of them.
    pub(crate) fn of(accept: &str, asked: Asked) -> Option<Self> {
        if accept.is_empty() {
            return Some(JSON);
        }
        let types = [MediaType::Json, MediaType::Protobuf];
        let forms = |clause: &Clause<'_>| {
            let named = types.into_iter().filter(|media_type| clause.names(*media_type)).collect::<Vec<_>>();
            named.into_iter().find_map(|media_type| clause.form(media_type, asked))
        };
        clauses(accept).iter().find_map(forms)
    }

    /// Whether an `Accept` header names a media type of built-in kinds, whatever it wants to have made of them: what
    /// the layer before their handlers looks at.
    pub(crate) fn is_known(accept: &str) -> bool {
        let known = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/cbor"];
        let mut named = accept.split(',').map(|clause| clause.split(';').next().unwrap_or_default().trim());
        accept.is_empty() || named.any(|name| name == "*/*" || known.contains(&name))
    }

    /// What `Content-Type` says of an answer of this form.
    pub(crate) fn content_type(self) -> &'static str {
        match self.representation {
            Representation::Aggregated => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            _ => self.media_type.as_str(),
        }
    }
}

/// The clauses of a header, the most wanted first. Among equals, those that leave nothing open come first.
fn clauses(accept: &str) -> Vec<Clause<'_>> {
    let mut clauses: Vec<Clause<'_>> = accept.split(',').filter_map(Clause::parse).collect();
    // The server's own order, which is none that a sort could be given: a form that leaves nothing open goes before one
    // that does whichever is wanted more.
    for end in 1..clauses.len() {
        for place in (1..=end).rev() {
            if !clauses[place].goes_before(&clauses[place - 1]) {
                break;
            }
            clauses.swap(place, place - 1);
        }
    }
    clauses
}

impl<'a> Clause<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = match parts.next()?.split_once('/') {
            Some((kind, subtype)) if !subtype.contains('/') => (kind.trim(), subtype.trim()),
            None if text.trim() == "*" => ("*", "*"),
            _ => return None,
        };
        let mut clause = Self { kind, subtype, quality: 1.0, parameters: Vec::new() };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim() {
                "q" => clause.quality = value.trim().parse().unwrap_or(0.0),
                name => clause.parameters.push((name, value.trim())),
            }
        }
        Some(clause)
    }

    fn goes_before(&self, other: &Self) -> bool {
        self.quality > other.quality
            || (self.kind != "*" && other.kind == "*")
            || (self.subtype != "*" && other.subtype == "*")
    }

    fn names(&self, media_type: MediaType) -> bool {
        let (kind, subtype) = media_type.as_str().split_once('/').unwrap_or_default();
        (self.kind == "*" && self.subtype == "*")
            || (self.kind == kind && (self.subtype == "*" || self.subtype == subtype))
    }

    /// The form in which this media type is wanted, if there is such a form of what is asked.
    fn form(&self, media_type: MediaType, asked: Asked) -> Option<Form> {
        let parameter = |name: &str| self.parameters.iter().rev().find(|(it, _)| *it == name).map(|(_, value)| *value);
        if parameter("stream").is_some_and(|stream| !matches!(stream, "" | "watch")) {
            return None;
        }
        let made = ["as", "g", "v"].map(parameter);
        let is_json = media_type == MediaType::Json;
        let representation = match (made, asked) {
            ([None, None, None], Asked::Custom) if !is_json => return None,
            ([None, None, None], _) => Representation::Whole,
            ([Some("APIGroupDiscoveryList"), Some("apidiscovery.k8s.io"), Some("v2")], Asked::Discovery) if is_json => {
                Representation::Aggregated
            }
            (_, Asked::Discovery | Asked::Refusal) => return None,
            // Rows have no protobuf.
            ([Some("Table"), Some("meta.k8s.io"), Some("v1")], _) if is_json => Representation::Table,
            ([Some("PartialObjectMetadata" | "PartialObjectMetadataList"), Some("meta.k8s.io"), Some("v1")], _) => {
                Representation::Metadata
            }
            _ => return None,
        };
        Some(Form { media_type, representation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_that_is_wanted_most_is_taken() {
        use MediaType::{Json, Protobuf};
        use Representation::{Aggregated, Metadata, Table, Whole};
        let of_metadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        let aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
        for (accept, asked, expected) in [
            ("", Asked::BuiltIn, Some((Json, Whole))),
            ("application/json", Asked::BuiltIn, Some((Json, Whole))),
            ("application/vnd.kubernetes.protobuf,application/json", Asked::BuiltIn, Some((Protobuf, Whole))),
            ("application/vnd.kubernetes.protobuf,application/json", Asked::Custom, Some((Json, Whole))),
            ("application/vnd.kubernetes.protobuf,application/json", Asked::Refusal, Some((Protobuf, Whole))),
            ("application/json;q=0.5, application/vnd.kubernetes.protobuf", Asked::BuiltIn, Some((Protobuf, Whole))),
            ("application/vnd.kubernetes.protobuf;q=0.1,application/json;q=0.2", Asked::BuiltIn, Some((Json, Whole))),
            // What leaves nothing open goes first, however little it is wanted.
            ("*/*, application/vnd.kubernetes.protobuf;q=0.1", Asked::BuiltIn, Some((Protobuf, Whole))),
            ("application/vnd.kubernetes.protobuf;stream=watch", Asked::BuiltIn, Some((Protobuf, Whole))),
            ("application/vnd.kubernetes.protobuf;stream=other", Asked::BuiltIn, None),
            ("application/vnd.kubernetes.protobuf", Asked::Custom, None),
            (of_metadata, Asked::Custom, Some((Protobuf, Metadata))),
            (of_metadata, Asked::BuiltIn, Some((Protobuf, Metadata))),
            (of_metadata, Asked::Refusal, None),
            ("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", Asked::BuiltIn, None),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Asked::BuiltIn, Some((Json, Table))),
            ("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", Asked::BuiltIn, Some((Json, Whole))),
            (
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json;q=0.9",
                Asked::BuiltIn,
                Some((Json, Metadata)),
            ),
            (aggregated, Asked::Discovery, Some((Json, Aggregated))),
            (aggregated, Asked::BuiltIn, Some((Json, Whole))),
            ("text/html, */*", Asked::BuiltIn, Some((Json, Whole))),
            ("*", Asked::BuiltIn, Some((Json, Whole))),
            ("text/html", Asked::BuiltIn, None),
        ] {
            let form = Form::of(accept, asked).map(|form| (form.media_type, form.representation));
            assert_eq!(form, expected, "{accept} of {asked:?}");
        }
    }
}
