//! Operations: an HTTP method of a path, with what goes in and what comes out.

use std::{collections::BTreeMap, fmt};

use super::Schema;

/// One HTTP method of one path.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The document it stands in, with dots: `apis.apps.v1`.
    pub document: String,
    /// The path with its placeholders: `/api/v1/namespaces/{namespace}/pods/{name}`.
    pub path: String,
    /// The HTTP method.
    pub method: Method,
    /// The `operationId`; method and path if it has none.
    pub id: String,
    /// The `x-kubernetes-action`; discovery and other documents that are not about objects have none.
    pub action: Option<Action>,
    /// The `x-kubernetes-group-version-kind`.
    pub kind: Option<GroupVersionKind>,
    /// The path's parameters and then the operation's own, without those of the path that it replaces.
    pub parameters: Vec<Parameter>,
    /// The request's body.
    pub body: Option<Body>,
    /// The answers by status code.
    pub answers: BTreeMap<u16, Answer>,
}

/// A kind with its API group (empty for the core group) and version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupVersionKind {
    /// `apps`; empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
    /// `Deployment`.
    pub kind: String,
}

/// A parameter of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name as sent: `labelSelector`.
    pub name: String,
    /// Where the request carries it.
    pub location: Location,
    /// Whether a request without it is wrong.
    pub required: bool,
    /// Its type.
    pub schema: Schema,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// Whether a request without it is wrong.
    pub required: bool,
    /// What it may be; more than one entry only if media types differ in their schema.
    pub contents: Vec<Content>,
}

impl Operation {
    /// Whether it reads a collection that it can also watch.
    pub fn can_watch(&self) -> bool {
        self.action == Some(Action::List) && self.parameters.iter().any(|parameter| parameter.name == "watch")
    }

    /// Whether it is a patch that takes an apply patch too, and so two verbs.
    pub fn can_apply(&self) -> bool {
        let media_types = self.body.iter().flat_map(|body| &body.contents).flat_map(|content| &content.media_types);
        self.action == Some(Action::Patch)
            && media_types.into_iter().any(|media_type| media_type == "application/apply-patch+yaml")
    }
}

impl Body {
    /// The schema that all media types refer to, if there is exactly one.
    pub fn schema_name(&self) -> Option<&str> {
        only_reference(&self.contents)
    }
}

/// What the server answers with one status code.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// What it may be; empty if the spec says nothing about the body.
    pub contents: Vec<Content>,
}

impl Answer {
    /// The schema that all media types refer to, if there is exactly one.
    pub fn schema_name(&self) -> Option<&str> {
        only_reference(&self.contents)
    }
}

fn only_reference(contents: &[Content]) -> Option<&str> {
    match contents {
        [content] => content.schema.as_ref()?.reference.as_deref(),
        _ => None,
    }
}

/// One schema, and the media types that a body of it may have.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// `application/json` and the like, sorted.
    pub media_types: Vec<String>,
    /// The body's type, if known.
    pub schema: Option<Schema>,
}

/// Declares an enum whose variants each have one text in files.
macro_rules! texts {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All of them, in their order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The text that files have for it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The one that has this text.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use texts;

texts! {
    /// An HTTP method; `as_str` is in lower case as in the spec, `Display` in upper case as in HTTP.
    Method {
        /// GET
        Get = "get",
        /// HEAD
        Head = "head",
        /// OPTIONS
        Options = "options",
        /// POST
        Post = "post",
        /// PUT
        Put = "put",
        /// PATCH
        Patch = "patch",
        /// DELETE
        Delete = "delete",
        /// TRACE
        Trace = "trace",
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().to_ascii_uppercase())
    }
}

texts! {
    /// What Kubernetes calls an operation: its `x-kubernetes-action`.
    Action {
        /// Reads one object.
        Get = "get",
        /// Reads a collection.
        List = "list",
        /// Watches one object by the deprecated `/watch/` path.
        Watch = "watch",
        /// Watches a collection by the deprecated `/watch/` path.
        WatchList = "watchlist",
        /// Creates.
        Post = "post",
        /// Replaces.
        Put = "put",
        /// Changes a part, or applies.
        Patch = "patch",
        /// Deletes one object.
        Delete = "delete",
        /// Deletes a collection.
        DeleteCollection = "deletecollection",
        /// Opens a connection to or through an object: exec, proxy and the like.
        Connect = "connect",
    }
}

texts! {
    /// Where a request carries a parameter.
    Location {
        /// A placeholder of the path.
        Path = "path",
        /// The query.
        Query = "query",
        /// A header.
        Header = "header",
        /// A cookie.
        Cookie = "cookie",
    }
}
