//! The table of all that can change: who a change breaks, and why.

use super::Audience;

macro_rules! rules {
    ($($variant:ident $title:literal [$($audience:ident),+] $reason:literal;)+) => {
        /// What can change. [`reason`](Self::reason) says why it breaks whom it breaks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $reason] $variant,)+
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// In words: `field removed`.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)+
                }
            }

            /// Whom it breaks or concerns.
            pub fn audiences(self) -> &'static [Audience] {
                match self {
                    $(Self::$variant => &[$(Audience::$audience),+],)+
                }
            }

            /// Why.
            pub fn reason(self) -> &'static str {
                match self {
                    $(Self::$variant => $reason,)+
                }
            }
        }
    };
}

impl Kind {
    /// As one word, for programs: `field-removed`.
    pub fn id(self) -> String {
        self.title().replace(' ', "-")
    }
}

rules! {
    // Groups, resources and operations.
    GroupAdded "group added" [Additive] "nobody used it before";
    GroupRemoved "group removed" [Wire, Rust] "the server answers 404, and its clients are gone";
    VersionAdded "version added" [Additive] "the other versions of the group are as they were";
    VersionRemoved "version removed" [Wire, Rust] "the server answers 404, and its clients are gone";
    ResourceAdded "resource added" [Additive] "nobody used it before";
    ResourceRemoved "resource removed" [Wire, Rust] "the server answers 404, and the client is gone";
    SubresourceAdded "subresource added" [Additive] "the resource is as it was, but for what moves to the subresource";
    SubresourceRemoved "subresource removed" [Wire, Rust] "the server answers 404, and the methods are gone";
    OperationAdded "operation added" [Additive] "nobody used it before";
    OperationRemoved "operation removed" [Wire, Rust] "the server answers 404 or 405, and the method is gone";
    ScopeChanged "scope" [Wire, Rust] "paths gain or lose the namespace, and clients have their scope as a type";
    KindChanged "kind" [Wire, Rust] "bodies with the kind from before are refused";
    ParameterAdded "parameter added" [Additive] "requests without it mean what they meant";
    RequiredParameterAdded "required parameter added" [Wire, Rust] "requests without it are refused";
    ParameterRemoved "parameter removed" [Wire, Rust] "servers ignore parameters that they do not know, without a word";
    ParameterNowRequired "parameter now required" [Wire, Rust] "requests without it are refused";
    ParameterNoLongerRequired "parameter no longer required" [Additive] "requests with it mean what they meant";
    ParameterType "parameter type" [Wire, Rust] "values that were right are refused";
    BodyChanged "body" [Wire, Rust] "what was sent is of another type";
    AnswerChanged "answer" [Wire, Rust] "what comes back is of another type";
    MediaTypeAdded "media type added" [Additive] "clients say which they take";
    MediaTypeRemoved "media type removed" [Wire] "the server answers 406 or 415 to clients that want no other";

    // Types and their fields.
    TypeAdded "type added" [Additive] "nobody used it before";
    TypeRemoved "type removed" [Rust] "k8s-openapi has no such type with this version; what had it is listed on its own";
    FieldAdded "field added" [Additive] "left out, it means what it meant; literals of structs need `..Default::default()`";
    RequiredFieldAdded "required field added" [Wire, Rust] "objects from before lack it and are refused";
    FieldRemoved "field removed" [Wire, Rust] "servers drop it, or refuse it under strict validation";
    FieldType "type" [Wire, Rust] "values that were right are refused, or cannot be read";
    NowRequired "now required" [Rust] "the field loses its `Option`; a default fills it in, or validation mostly demanded it before";
    Enforced "now required, and enforced" [Wire, Rust] "the schema is the validation: objects without it are refused";
    NoLongerRequired "no longer required" [Rust] "the field becomes an `Option`, and answers may lack it";
    DefaultChanged "default" [Wire] "objects that leave it out mean something else";
    DefaultStated "stated default" [Additive] "a zero says that the server always writes the field, not what it means";
    NowNullable "now nullable" [Additive, Rust] "null is kept beside absent, so the type has both";
    NoLongerNullable "no longer nullable" [Wire, Rust] "a null is dropped, or refused";
    ValueAdded "value added" [Additive] "readers meet a value that they do not know; types of enums are open";
    ValueRemoved "value removed" [Wire] "objects with it are refused";
    ValuesListed "values now listed" [Wire] "other values are refused";
    ValuesOpen "values no longer listed" [Additive] "what was right still is";
    ListType "list type" [Apply] "items become owned one by one, or together: managers can lose items or conflict";
    ListTypeStated "stated list type" [Additive] "what is said has no effect here, or is what holds without being said";
    MapType "map type" [Apply] "entries become owned one by one, or together: managers can lose entries or conflict";
    PatchStrategy "patch strategy" [Wire] "the same strategic merge patch gives another object";
    MergeKey "merge key" [Wire] "the same strategic merge patch finds other items";
    UnknownKept "unknown fields now kept" [Additive, Rust] "the type gains a place for them";
    UnknownDropped "unknown fields now dropped" [Wire, Rust] "what the schema does not name is lost when written";
    EmbeddedResource "embedded resource" [Wire] "apiVersion, kind and metadata are validated, or are not any more";
    ValidationAdded "validation added" [Wire] "objects that break it are refused";
    ValidationChanged "validation" [Wire] "which objects are refused changes, and nothing says in which direction";
    ValidationLoosened "validation loosened" [Additive] "what was right still is";
    EnumAdded "enum added" [Additive] "its fields are new, or their values were restricted before and are known now";
    EnumRemoved "enum removed" [Additive] "its fields are gone, or other values are right, too";

    // Protobuf.
    ProtobufNumber "protobuf number" [Wire] "each side reads the other's field as unknown and loses it";
    ProtobufNumberReused "protobuf number reused" [Wire] "one side reads the other's bytes as another field";
    ProtobufType "protobuf type" [Wire] "the bytes are read as something else, or not at all";

    // What later versions will do, and what is not everywhere.
    Deprecated "deprecated" [Schedule] "servers warn of it";
    NoLongerDeprecated "no longer deprecated" [Schedule] "servers do not warn of it any more";
    RemovalAnnounced "removal announced" [Schedule] "servers of that version and later ones do not have it";
    RemovalMoved "removal moved" [Schedule] "servers of that version and later ones do not have it";
    RemovalWithdrawn "removal withdrawn" [Schedule] "servers of later versions have it, too";
    FieldDeprecated "field deprecated" [Schedule] "it stays as long as its version; its documentation says what to use";
    FieldNoLongerDeprecated "field no longer deprecated" [Schedule] "its documentation does not advise against it";
    GateStage "feature gate" [Schedule] "where it is off, servers drop its fields, and controllers do not act on them";
    NowGated "now behind a feature gate" [Schedule] "servers drop it where the gate is off; mostly it was so before";
    NoLongerGated "no longer behind a feature gate" [Schedule] "all servers have it";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_an_id_of_its_own_and_a_reason() {
        let ids: BTreeSet<String> = Kind::ALL.iter().map(|kind| kind.id()).collect();
        assert_eq!(ids.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| kind.reason().len() > 10));
    }

    #[test]
    fn what_breaks_nobody_is_not_said_to_break_anybody() {
        for kind in Kind::ALL {
            let breaks = kind.audiences().iter().filter(|audience| **audience <= Audience::Rust);
            let is_additive = kind.audiences().contains(&Audience::Additive);
            // A type may gain something that its Rust form has to show.
            assert!(!is_additive || breaks.copied().all(|audience| audience == Audience::Rust), "{}", kind.title());
        }
    }
}
