//! Acting as somebody else.

use std::collections::BTreeMap;

/// Whom the server is asked to take the client for, which the client's own user must be allowed to do by RBAC.
///
/// Sent as the `Impersonate-…` headers of every request, unless the request brings `Impersonate-User` itself.
///
/// ```
/// # fn main() -> Result<(), k8s_client_runtime::Error> {
/// use k8s_client_runtime::config::{Config, Impersonation};
///
/// let mut config = Config::new("https://10.0.0.1:6443")?;
/// // What may a member of this group do?
/// config.impersonate =
///     Some(Impersonation { groups: vec!["developers".to_owned()], ..Impersonation::user("jane") });
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impersonation {
    /// The user's name. Without it the others must be empty.
    pub user: String,
    /// The user's uid.
    pub uid: Option<String>,
    /// The groups.
    pub groups: Vec<String>,
    /// Further facts about the user, such as scopes.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Impersonation {
    /// Acts as this user, in no groups but those that the server gives to everybody.
    pub fn user(name: impl Into<String>) -> Self {
        Self { user: name.into(), ..Self::default() }
    }
}
