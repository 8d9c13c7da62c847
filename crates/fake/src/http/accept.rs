//! In which form an answer is wanted.

/// A form of an answer.
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

impl Representation {
    /// The first form of an `Accept` header that there is; `None` if there is none.
    pub(crate) fn of(accept: &str) -> Option<Self> {
        if accept.trim().is_empty() {
            return Some(Self::Whole);
        }
        accept.split(',').find_map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let media_type = parts.next()?;
            if !matches!(media_type, "application/json" | "application/*" | "*/*") {
                return None;
            }
            let mut representation = Self::Whole;
            for part in parts {
                match part.split_once('=') {
                    Some(("as", "Table")) => representation = Self::Table,
                    Some(("as", "PartialObjectMetadata" | "PartialObjectMetadataList")) => {
                        representation = Self::Metadata;
                    }
                    Some(("as", "APIGroupDiscoveryList")) => representation = Self::Aggregated,
                    Some(("g", group)) if !matches!(group, "meta.k8s.io" | "apidiscovery.k8s.io") => return None,
                    // Only the version that is not a beta is spoken.
                    Some(("v", version)) if representation == Self::Aggregated && version != "v2" => return None,
                    Some(("as", _) | ("v", "v2beta1" | "v1beta1")) => return None,
                    _ => {}
                }
            }
            Some(representation)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_there_is_is_taken() {
        for (accept, expected) in [
            ("", Some(Representation::Whole)),
            ("application/json", Some(Representation::Whole)),
            ("application/vnd.kubernetes.protobuf,application/json", Some(Representation::Whole)),
            ("application/vnd.kubernetes.protobuf", None),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Some(Representation::Table)),
            ("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", Some(Representation::Whole)),
            (
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json;q=0.9",
                Some(Representation::Metadata),
            ),
            (
                "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
                Some(Representation::Aggregated),
            ),
            ("text/html, */*", Some(Representation::Whole)),
            ("text/html", None),
        ] {
            assert_eq!(Representation::of(accept), expected, "{accept}");
        }
    }
}
