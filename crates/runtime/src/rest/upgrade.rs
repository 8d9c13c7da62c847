//! Requests whose connection is taken over: exec, attach and port-forward.

use http::{StatusCode, header};

use crate::{
    error::{Error, ErrorKind, Result},
    rest::{CallFuture, Request},
    transport::Upgraded,
};

impl Request {
    /// Sends the request over HTTP/1.1 and gives out its connection once the server has switched to another protocol.
    ///
    /// Which one is said by the header `Upgrade`; by default it is `websocket`. All other headers of the protocol's
    /// handshake are the caller's, and so is what is then spoken. It is a [streaming](Self::streaming) request that the
    /// server may never begin twice. The server must answer within 30 seconds, or within the request's own
    /// [`timeout`](Self::timeout); nothing limits what follows.
    ///
    /// ```no_run
    /// # async fn example(client: k8s_client_runtime::RestClient) -> Result<(), k8s_client_runtime::Error> {
    /// let connection = client
    ///     .get()
    ///     .group_version("", "v1")
    ///     .namespace("default")
    ///     .resource("pods")
    ///     .name("web")
    ///     .subresource("exec")
    ///     .query("command", "date")
    ///     .query("stdout", "true")
    ///     .header("Sec-WebSocket-Version", "13")
    ///     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    ///     .header("Sec-WebSocket-Protocol", "v5.channel.k8s.io")
    ///     .upgrade()
    ///     .await?;
    /// println!("{:?}", connection.headers().get("Sec-WebSocket-Protocol"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send); every answer but 101 is one.
    pub async fn upgrade(self) -> Result<Upgraded> {
        self.upgrading().await
    }

    /// Boxed for the reason that sending is.
    fn upgrading(self) -> CallFuture<Upgraded> {
        // What runs behind such a request must not run twice, GET or not.
        let mut request = self.streaming();
        for (name, value) in [(header::CONNECTION, "Upgrade"), (header::UPGRADE, "websocket")] {
            if !request.headers().contains_key(&name) {
                request = request.header(name.as_str(), value);
            }
        }
        Box::pin(async move {
            let (method, url) = (request.method().clone(), request.shown_url());
            let response = request.send().await?;
            let upgraded = match response.status_code() {
                StatusCode::SWITCHING_PROTOCOLS => Upgraded::of(response.into_http()).await,
                code => Err(Error::new(
                    ErrorKind::Decode,
                    format!("the server answered {code} in place of switching the connection to another protocol"),
                )),
            };
            upgraded.map_err(|error| error.with_request(&method, url))
        })
    }
}
