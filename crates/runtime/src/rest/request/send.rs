//! Sending a request: the last checks, the call that it becomes, and the ways to take the answer.

use std::{future::poll_fn, time::Duration};

use http::{HeaderValue, Method, Uri, header};
use tokio::time::Instant;

use super::Request;
use crate::{
    codec::{self, MediaType},
    error::{Error, ErrorKind, Result},
    rest::{CallFuture, CallKind, ListBody, Response, WholeBody, answer::Target, attempts::Call, poll_turn, trace},
};

/// Makes JSON of a body in another form.
pub(super) type AsJson = fn(&[u8]) -> codec::Result<Vec<u8>>;

impl Request {
    /// client-go's checks before a request goes out.
    pub(crate) fn check(&self) -> std::result::Result<(), String> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        if self.namespace.as_deref() == Some("") {
            if self.method == Method::POST {
                return Err("an empty namespace may not be set during creation".to_owned());
            }
            if self.name.is_some() {
                return Err("an empty namespace may not be set when a resource name is provided".to_owned());
            }
        }
        if self.subresource.is_some() && self.name.is_none() {
            return Err("a subresource needs the name of its resource".to_owned());
        }
        Ok(())
    }

    /// Sends the request and returns once the answer's headers are there.
    ///
    /// It is sent again, by client-go's rules,
    ///
    /// * when the server asks for it: an answer of 429 or from 500 on with a `Retry-After` in seconds;
    /// * when the server certainly did not process it: it refused the stream, it went away and says that it had not
    ///   come to this request, or the connection was closed before the request was written;
    /// * when it is a GET and its connection was lost, unless it is [`CallKind::Streaming`]; one that opens a watch
    ///   also when a time limit passed. [`Response::bytes`] and [`Response::json`] do the same when the connection is
    ///   lost inside of the answer; what is read as it comes is not sent again.
    ///
    /// A server that refuses connections is not asked again, nor is a change ever sent again of which it is not known
    /// whether the server made it. There are pauses in between, and limits by number and by time:
    /// [`RetryPolicy`](crate::config::RetryPolicy). Bodies are held in memory, so each of them can be sent again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Request`] when the request is wrong in itself; [`ErrorKind::Api`] for every answer outside 2xx;
    /// otherwise what hindered the transport.
    pub async fn send(self) -> Result<Response> {
        self.sending().await
    }

    /// Sends the request and reads the whole answer.
    pub(crate) fn whole_body(self) -> CallFuture<WholeBody> {
        Box::pin(async move { self.sending().await?.collect().await })
    }

    /// Sends the request and gives the body of the answer as it comes, within the call's time limit.
    pub(crate) fn list_body(self) -> CallFuture<ListBody> {
        Box::pin(async move { self.sending().await?.list_body() })
    }

    /// The same for an answer that is read to its end, and so is traced as any other.
    pub(crate) fn traced_list_body(self) -> CallFuture<ListBody> {
        Box::pin(async move { self.sending().await?.traced().await?.list_body() })
    }

    /// Boxed, since an async function is compiled in each crate that awaits it, and a boxed future in this crate once:
    /// so neither group crates nor programs compile the way through the transport again.
    fn sending(self) -> CallFuture<Response> {
        Box::pin(async move {
            // Also of a call that is never sent, because it is wrong in itself.
            poll_fn(poll_turn).await;
            // Only what may have to be said again in JSON is kept.
            let again = self.as_json.map(|as_json| (self.clone(), as_json));
            match (self.into_call()?.run().await, again) {
                (Err(error), Some((request, as_json))) if error.is_unsupported_media_type() => {
                    request.in_json(as_json).into_call()?.run().await
                }
                (result, _) => result,
            }
        })
    }

    /// The same request for a server that refused its body unread, because it is not JSON.
    fn in_json(self, as_json: AsJson) -> Self {
        self.client.write_json_only(self.resource_key());
        let body = as_json(&self.body);
        self.encoded(MediaType::Json.as_str(), body)
    }

    /// How long the server is told that the call may take: by the call's own limit, and by `timeoutSeconds`, of which
    /// kube-apiserver takes note in watches only. client-go sends both too.
    fn server_timeout(&self) -> Option<String> {
        let seconds = self.query.get("timeoutSeconds").filter(|_| self.kind == CallKind::Ordinary);
        let seconds = seconds.and_then(|seconds| seconds.parse().ok()).filter(|seconds| *seconds > 0);
        let shortest = self.timeout.into_iter().chain(seconds.map(Duration::from_secs)).min();
        shortest.filter(|_| self.query.get("timeout").is_none()).and_then(go_duration)
    }

    /// The request as it is sent, if nothing is wrong with it.
    fn into_call(self) -> Result<Call> {
        let mut url = self.url();
        let wrong =
            |error: Error, url: String| Err(error.with_request(&self.method, trace::shown_url(self.kind, &url)));
        if let Err(problem) = self.check() {
            return wrong(Error::new(ErrorKind::Request, problem), url);
        }
        if let Some(timeout) = self.server_timeout() {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str("timeout=");
            url.push_str(&timeout);
        }
        let uri = match Uri::try_from(&url) {
            Ok(uri) => uri,
            Err(error) => return wrong(Error::new(ErrorKind::Request, "not a valid URL").with_source(error), url),
        };
        let mut headers = self.headers;
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json, */*"));
        Ok(Call {
            longest: self.kind.longest(self.query.get("timeoutSeconds")),
            target: Target { resource: self.resource, namespace: self.namespace, name: self.name },
            client: self.client,
            method: self.method,
            uri,
            headers,
            body: self.body,
            kind: self.kind,
            proxied: self.proxied,
            timeout: self.timeout,
            max_retries: self.max_retries,
            started: Instant::now(),
        })
    }
}

/// A duration in a form that Go reads: seconds with their fraction. One that Go cannot hold is none.
fn go_duration(duration: Duration) -> Option<String> {
    i64::try_from(duration.as_nanos()).ok().map(|_| format!("{}s", duration.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_for_go() {
        for (duration, text) in [
            (Duration::from_secs(30), Some("30s")),
            (Duration::from_millis(1500), Some("1.5s")),
            (Duration::from_nanos(1), Some("0.000000001s")),
            (Duration::from_nanos(u64::MAX), None),
            (Duration::MAX, None),
        ] {
            assert_eq!(go_duration(duration).as_deref(), text, "{duration:?}");
        }
    }
}
