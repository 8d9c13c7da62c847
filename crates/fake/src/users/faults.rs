//! Faults: requests that fail, come late, get lost, or are answered with something else.

use std::time::Duration;

use k8s_client_runtime::http::StatusCode;
use serde_json::Value;

use super::RecordedRequest;
use crate::{failure::Failure, server::FakeServer};

/// The verbs of requests, in the words of RBAC.
const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// Which requests a [`Fault`] is for. Without any condition, all.
///
/// ```
/// use k8s_client_fake::{FakeServer, Fault, RequestFilter};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let server = FakeServer::new();
/// // The second update of any Lease is refused.
/// let filter = RequestFilter::verb("update").resource("coordination.k8s.io", "leases").nth(2);
/// server.inject(filter, Fault::refuse(409, "Conflict", "somebody was faster"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "it chooses requests for `FakeServer::inject`"]
pub struct RequestFilter {
    verb: Option<String>,
    resource: Option<(String, String)>,
    subresource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    sender: Option<String>,
    /// The first and the last of those that it is for, counted from 1.
    calls: Option<(u64, u64)>,
}

impl RequestFilter {
    /// All requests.
    pub fn any() -> Self {
        Self::default()
    }

    /// Those of a verb, in the words of RBAC: `create`, `list`, `watch` …
    ///
    /// # Panics
    ///
    /// When there is no such verb, since no request would ever match.
    #[track_caller]
    pub fn verb(verb: impl Into<String>) -> Self {
        let verb = verb.into();
        assert!(VERBS.contains(&verb.as_str()), "there is no verb {verb:?}: it is one of {}", VERBS.join(", "));
        Self { verb: Some(verb), ..Self::default() }
    }

    /// Those to a resource: its group, empty for the core group, and its plural.
    pub fn resource(mut self, group: impl Into<String>, plural: impl Into<String>) -> Self {
        self.resource = Some((group.into(), plural.into()));
        self
    }

    /// Those to a subresource.
    pub fn subresource(mut self, subresource: impl Into<String>) -> Self {
        self.subresource = Some(subresource.into());
        self
    }

    /// Those in a namespace.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Those to an object, be it named by the path or by what is created.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Those of a program: what its `User-Agent` has before the first `/`.
    pub fn sent_by(mut self, program: impl Into<String>) -> Self {
        self.sender = Some(program.into());
        self
    }

    /// Only the nth of them, counted from 1 and from now.
    ///
    /// # Panics
    ///
    /// When the number is 0, since no request would ever match.
    #[track_caller]
    pub fn nth(mut self, number: u64) -> Self {
        assert!(number > 0, "there is no request 0: they are counted from 1");
        self.calls = Some((number, number));
        self
    }

    /// Only the first `count` of them, from now on.
    pub fn first(mut self, count: u64) -> Self {
        self.calls = Some((1, count));
        self
    }

    pub(super) fn matches(&self, request: &RecordedRequest) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| found == Some(wanted.as_str()))
        };
        is(&self.verb, request.verb)
            && self
                .resource
                .as_ref()
                .is_none_or(|(group, plural)| *group == request.group && *plural == request.resource)
            && is(&self.subresource, request.subresource.as_deref())
            && is(&self.namespace, request.namespace.as_deref())
            && is(&self.sender, request.user_agent.split('/').next())
            // Last, since it may have to read the body.
            && (self.name.is_none() || is(&self.name, request.object_name()))
    }
}

/// What happens to a request instead of what should.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// It is answered with a Status of this code, reason and message. Nothing is done.
    Refuse(StatusCode, String, String),
    /// It is answered with this code and body. Nothing is done.
    Answer(StatusCode, Value),
    /// It is answered with a text that is not JSON. Nothing is done.
    Garbage,
    /// Nothing is done before this time has passed; then it is answered as usual.
    Delay(Duration),
    /// The connection breaks before anything is done.
    DropRequest,
    /// The connection breaks when it has been done: whoever sent it does not know.
    DropAnswer,
    /// A get or a list is answered with what there was so many writes ago, as a server may do that has not heard of
    /// them yet.
    StaleRead(u64),
    /// A watch ends after this time, as if its connection broke.
    CutWatch(Duration),
}

impl Fault {
    /// It is answered with a Status. A number that is not a status code of HTTP counts as 500.
    pub fn refuse(code: u16, reason: impl Into<String>, message: impl Into<String>) -> Self {
        let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::Refuse(code, reason.into(), message.into())
    }

    /// It is answered with `410 Expired`: what it asks for is forgotten.
    pub fn expired() -> Self {
        Self::refuse(410, "Expired", "The resourceVersion for the provided watch is too old.")
    }
}

/// The faults that are still to come.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Planned>);

#[derive(Debug)]
struct Planned {
    filter: RequestFilter,
    fault: Fault,
    /// How many requests it was for so far, had they all been meant.
    seen: u64,
}

/// What a request met.
#[derive(Debug, Default)]
pub(crate) struct Met {
    pub(crate) delay: Duration,
    pub(crate) fault: Option<Fault>,
}

impl Faults {
    /// What happens to a request: all delays, and the first of the other faults.
    pub(crate) fn meet(&mut self, request: &RecordedRequest) -> Met {
        let mut met = Met::default();
        for planned in &mut self.0 {
            if !planned.filter.matches(request) {
                continue;
            }
            planned.seen += 1;
            let is_meant = planned.filter.calls.is_none_or(|(first, last)| (first..=last).contains(&planned.seen));
            match &planned.fault {
                Fault::Delay(delay) if is_meant => met.delay += *delay,
                fault if is_meant && met.fault.is_none() => met.fault = Some(fault.clone()),
                _ => {}
            }
        }
        // What can happen no more is not looked at again.
        self.0.retain(|planned| planned.filter.calls.is_none_or(|(_, last)| planned.seen < last));
        met
    }
}

impl FakeServer {
    /// Makes requests go wrong from now on. A request meets all delays that are for it, and of other faults the one
    /// that was injected first.
    pub fn inject(&self, filter: RequestFilter, fault: Fault) {
        self.state().faults.0.push(Planned { filter, fault, seen: 0 });
    }

    /// Takes back all faults: nothing goes wrong any more.
    pub fn clear_faults(&self) {
        self.state().faults.0.clear();
    }
}

impl Failure {
    /// The refusal that a test asked for.
    pub(crate) fn injected(code: StatusCode, reason: &str, message: &str) -> Value {
        let mut status = Self::new(code, "", message).status();
        status["reason"] = reason.into();
        status
    }
}
