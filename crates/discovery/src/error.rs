//! Why something could not be discovered or mapped.

use std::{collections::BTreeMap, fmt, sync::Arc};

use k8s_client_runtime::schema::GroupVersion;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a discovery or a mapping failed.
///
/// Predicates say what kind of failure it is; [`request_error`](Self::request_error) has the error of the request, if
/// one failed. Cloning it is cheap, since one failure may reach many callers.
///
/// ```no_run
/// use k8s_client_discovery::RestMapper;
///
/// # async fn example(mapper: RestMapper) -> Result<(), k8s_client_discovery::Error> {
/// match mapper.mapping_for("widgets").await {
///     Ok(mapping) => println!("{}", mapping.resource),
///     // The server does not have it, unless it is among what could not be read.
///     Err(error) if error.is_no_match() => {
///         for (group_version, failure) in error.failures() {
///             eprintln!("{group_version} may have it: {failure}");
///         }
///     }
///     // The server could not be asked.
///     Err(error) if error.request_error().is_some_and(|request| request.is_transient()) => {
///         eprintln!("try again later: {error}");
///     }
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Debug)]
enum Inner {
    Request(k8s_client_runtime::Error),
    Stale(GroupVersion),
    NotServed(GroupVersion),
    Unreadable { url: String, problem: String },
    Malformed { group_version: GroupVersion, problem: String },
    NoMatch { wanted: String, failures: BTreeMap<GroupVersion, Error> },
    Ambiguous { wanted: String, candidates: Vec<String> },
    Incomplete(BTreeMap<GroupVersion, Error>),
}

impl Error {
    /// The server names the group-version, but has no current resources of it.
    pub(crate) fn stale(group_version: GroupVersion) -> Self {
        Self(Arc::new(Inner::Stale(group_version)))
    }

    /// A cache knows all group-versions, and this is not among them.
    pub(crate) fn not_served(group_version: GroupVersion) -> Self {
        Self(Arc::new(Inner::NotServed(group_version)))
    }

    /// An answer that cannot be decoded.
    pub(crate) fn unreadable(url: String, problem: &dyn fmt::Display) -> Self {
        Self(Arc::new(Inner::Unreadable { url, problem: problem.to_string() }))
    }

    /// An answer in which the entry of a version cannot be decoded, or if the version is empty, that of a group.
    pub(crate) fn malformed(group_version: GroupVersion, problem: String) -> Self {
        Self(Arc::new(Inner::Malformed { group_version, problem }))
    }

    pub(crate) fn no_match(wanted: String, failures: BTreeMap<GroupVersion, Error>) -> Self {
        Self(Arc::new(Inner::NoMatch { wanted, failures }))
    }

    pub(crate) fn ambiguous(wanted: String, candidates: Vec<String>) -> Self {
        Self(Arc::new(Inner::Ambiguous { wanted, candidates }))
    }

    pub(crate) fn incomplete(failures: BTreeMap<GroupVersion, Error>) -> Self {
        Self(Arc::new(Inner::Incomplete(failures)))
    }

    /// The server marks the group-version as stale: the aggregated API server behind it does not answer.
    ///
    /// ```no_run
    /// # use k8s_client_discovery::{Discovery as _, DiscoveryClient};
    /// # async fn example(discovery: DiscoveryClient) -> Result<(), k8s_client_discovery::Error> {
    /// let everything = discovery.groups_and_resources().await?;
    /// let stale = everything.failures.iter().filter(|(_, error)| error.is_stale());
    /// for (group_version, _) in stale {
    ///     eprintln!("the API server behind {group_version} is down");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_stale(&self) -> bool {
        matches!(*self.0, Inner::Stale(_))
    }

    /// The server does not serve the group-version that was asked for.
    ///
    /// ```no_run
    /// # use k8s_client_discovery::{ApiResourceList, Discovery as _, DiscoveryClient, GroupVersion};
    /// # async fn example(discovery: DiscoveryClient) -> Result<(), k8s_client_discovery::Error> {
    /// let resources = match discovery.resources(&GroupVersion::new("example.com", "v1")).await {
    ///     Err(error) if error.is_not_found() => ApiResourceList::default(),
    ///     answer => answer?,
    /// };
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_not_found(&self) -> bool {
        match &*self.0 {
            Inner::Request(error) => error.is_not_found(),
            Inner::NotServed(_) => true,
            _ => false,
        }
    }

    /// The server has no such kind or resource: client-go's `IsNoMatchError`. What could not be discovered, and so may
    /// have it, is in [`failures`](Self::failures). [`Error`] has an example.
    pub fn is_no_match(&self) -> bool {
        matches!(*self.0, Inner::NoMatch { .. })
    }

    /// Several kinds or resources of one group-version have the name that was asked for: client-go's
    /// `IsAmbiguousError`. The message names them.
    pub fn is_ambiguous(&self) -> bool {
        matches!(*self.0, Inner::Ambiguous { .. })
    }

    /// Some group-versions could not be read: client-go's `IsGroupDiscoveryFailedError`. [`failures`](Self::failures)
    /// has them. Only [`ServerResources::complete`](crate::ServerResources::complete) returns such an error.
    ///
    /// ```no_run
    /// # use k8s_client_discovery::{Discovery as _, DiscoveryClient};
    /// # async fn example(discovery: DiscoveryClient) -> Result<(), k8s_client_discovery::Error> {
    /// let preferred = discovery.preferred_resources().await?;
    /// if let Err(error) = preferred.complete() {
    ///     assert!(error.is_incomplete() && !error.failures().is_empty());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_incomplete(&self) -> bool {
        matches!(*self.0, Inner::Incomplete(_))
    }

    /// The group-versions that could not be read, with the reason of each.
    pub fn failures(&self) -> &BTreeMap<GroupVersion, Error> {
        static NONE: BTreeMap<GroupVersion, Error> = BTreeMap::new();
        match &*self.0 {
            Inner::NoMatch { failures, .. } | Inner::Incomplete(failures) => failures,
            _ => &NONE,
        }
    }

    /// The request that failed, if one did.
    pub fn request_error(&self) -> Option<&k8s_client_runtime::Error> {
        match &*self.0 {
            Inner::Request(error) => Some(error),
            _ => None,
        }
    }
}

impl From<k8s_client_runtime::Error> for Error {
    fn from(error: k8s_client_runtime::Error) -> Self {
        Self(Arc::new(Inner::Request(error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Inner::Request(error) => write!(f, "{error}"),
            Inner::Stale(group_version) => write!(
                f,
                "{} is stale: the API server behind it does not answer (kubectl get apiservices has its state)",
                About(group_version)
            ),
            Inner::Unreadable { url, problem } => write!(f, "GET {url}: the answer could not be decoded: {problem}"),
            Inner::Malformed { group_version, problem } => {
                let about = About(group_version);
                write!(f, "the entry of {about} in the server's discovery document could not be decoded: {problem}")
            }
            Inner::NotServed(group_version) => write!(f, "the server does not serve {group_version}"),
            Inner::NoMatch { wanted, failures } => {
                write!(f, "the server has no {wanted}; if a CRD defines it, install that first")?;
                if !failures.is_empty() {
                    f.write_str("; ")?;
                    unread(f, failures)?;
                }
                Ok(())
            }
            Inner::Ambiguous { wanted, candidates } => {
                write!(f, "{wanted} is ambiguous, it may be {}", candidates.join(" or "))
            }
            Inner::Incomplete(failures) => unread(f, failures),
        }
    }
}

fn unread(f: &mut fmt::Formatter<'_>, failures: &BTreeMap<GroupVersion, Error>) -> fmt::Result {
    f.write_str("not every group-version could be read: ")?;
    for (index, (group_version, error)) in failures.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{} ({error})", About(group_version))?;
    }
    Ok(())
}

/// A version, or a group if the version is empty. Names come from the server, so they are escaped.
struct About<'a>(&'a GroupVersion);

impl fmt::Display for About<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GroupVersion { group, version } = self.0;
        match (group.as_str(), version.as_str()) {
            ("", "") => f.write_str("a group without a name"),
            (group, "") => write!(f, "group {}", group.escape_debug()),
            _ => write!(f, "{}", self.0.to_string().escape_debug()),
        }
    }
}

/// The message, since this is what `unwrap` and a failing `main` print; all that is known with `{:#?}`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { self.0.fmt(f) } else { fmt::Display::fmt(self, f) }
    }
}

impl std::error::Error for Error {
    // The message has its causes already, as that of the runtime's error has.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_read_is_named_with_its_reason() {
        let dead = GroupVersion::new("metrics.k8s.io", "v1");
        let failures = BTreeMap::from([(dead.clone(), Error::stale(dead))]);
        let error = Error::no_match("resource \"nodemetrics\"".to_owned(), failures);
        let text = error.to_string();
        let begin = "the server has no resource \"nodemetrics\"; if a CRD defines it, install that first; not every";
        assert!(text.starts_with(begin), "{text}");
        assert!(text.contains("metrics.k8s.io/v1 (metrics.k8s.io/v1 is stale"), "{text}");
        assert!(error.is_no_match() && !error.is_incomplete() && error.failures().len() == 1);
        assert_eq!(format!("{error:?}"), text);
        assert!(format!("{error:#?}").contains("NoMatch"));
    }
}
