//! The verbs that connect to processes of a container: [`Exec`] and [`Attach`].

use std::{fmt, future::IntoFuture, time::Duration};

use bytes::{Bytes, BytesMut};
use http::Method;

use super::{
    ExitStatus, Output, Process, Protocol, TerminalSize,
    open::{self, Names},
    pods,
    process::{Asked, Opened},
    wire::Writer,
};
use crate::{
    error::Result,
    rest::{CallFuture, Request},
};

/// How many bytes of an output may wait for their reader by default.
const BUFFER: usize = 1 << 20;

/// How many bytes [`Exec::output`] collects by default.
const OUTPUT: usize = 64 << 20;

const EXEC: Names = Names {
    websocket: "v5.channel.k8s.io",
    spdy: "v4.channel.k8s.io",
    rights: "exec needs the verbs `get` and `create` on `pods/exec`; over SPDY, and up to Kubernetes 1.34, one of them",
};

const ATTACH: Names = Names {
    rights: "attach needs the verbs `get` and `create` on `pods/attach`; over SPDY, and up to Kubernetes 1.34, one of them",
    ..EXEC
};

/// Runs a command in a container.
///
/// Awaiting it starts the command and gives its [`Process`]. [`output`](Self::output) collects what it writes, and
/// [`status`](Self::status) waits for its end. The page of [`streams`](crate::streams) says how success is told from
/// failure, and what happens when the connection is lost.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
/// let output = pods.exec("web").container("nginx").command(["nginx", "-T"]).output().await?;
/// if output.status.success() {
///     println!("{}", String::from_utf8_lossy(&output.stdout));
/// }
///
/// // With input: what `cat` reads, it writes.
/// let echo = pods.exec("web").command(["cat"]).input("hello").output().await?;
/// assert_eq!(echo.stdout, "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request is sent when it is awaited"]
pub struct Exec(Start);

/// Attaches to the main process of a container, which runs already.
///
/// Awaiting it gives the [`Process`]. What was written before is in the logs only. Of the end of the process the server
/// reports success, whatever the exit code: read that in the pod's status. `tty` must be what the container's `tty` is,
/// and input needs its `stdin`. Where the container has `stdinOnce`, the first end of the input closes it for good.
/// Where it has neither that nor a terminal, the end of the input ends the attachment, with success; the process goes
/// on.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::Pod;
/// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Box<dyn std::error::Error>> {
/// let mut process = pods.attach("web").container("nginx").await?;
/// if let Some(mut stdout) = process.stdout.take() {
///     while let Some(chunk) = stdout.chunk().await? {
///         print!("{}", String::from_utf8_lossy(&chunk));
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request is sent when it is awaited"]
pub struct Attach(Start);

/// What is sent to a process. It may be a password, so it is not shown.
#[derive(Clone)]
struct Input(Bytes);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} bytes)", self.0.len())
    }
}

/// What both verbs have.
#[derive(Clone, Debug)]
struct Start {
    request: Request,
    names: Names,
    asked: Asked,
    default_container: bool,
    input: Option<Input>,
    size: Option<TerminalSize>,
    buffer: usize,
    output_limit: usize,
    spdy_only: bool,
}

macro_rules! starts {
    ($builder:ident) => {
        impl $builder {
            /// The container. It may be left out when the pod has only one.
            pub fn container(self, container: &str) -> Self {
                let request = self.0.request.with_query(|query| query.set("container", container));
                Self(Start { request, ..self.0 })
            }

            /// Takes the container that kubectl takes if none is named: that of the pod's annotation
            /// `kubectl.kubernetes.io/default-container`, or else the first. The pod is read for it, which needs the
            /// verb `get` on `pods`. Default: the server takes the only container, and refuses where there are several.
            pub fn default_container(self) -> Self {
                Self(Start { default_container: true, ..self.0 })
            }

            /// Whether to send input, which is then written to [`Process::stdin`]. Default: no.
            pub fn stdin(self, on: bool) -> Self {
                Self(Start { asked: Asked { stdin: on, ..self.0.asked }, ..self.0 })
            }

            /// Sends this input, and then its end: [`Process::stdin`] is not there.
            pub fn input(self, input: impl Into<Bytes>) -> Self {
                Self(Start { input: Some(Input(input.into())), ..self.0 })
            }

            /// Whether to receive standard output. Default: yes.
            pub fn stdout(self, on: bool) -> Self {
                Self(Start { asked: Asked { stdout: on, ..self.0.asked }, ..self.0 })
            }

            /// Whether to receive standard error. Default: yes, but with a terminal it is part of standard output.
            pub fn stderr(self, on: bool) -> Self {
                Self(Start { asked: Asked { stderr: on, ..self.0.asked }, ..self.0 })
            }

            /// Whether the process has a terminal. Default: no.
            pub fn tty(self, on: bool) -> Self {
                Self(Start { asked: Asked { tty: on, ..self.0.asked }, ..self.0 })
            }

            /// The size of the terminal from the beginning. [`Process::resizer`] changes it.
            pub fn terminal_size(self, size: TerminalSize) -> Self {
                Self(Start { size: Some(size), ..self.0 })
            }

            /// How many bytes of each output may wait to be read until the connection waits for the reader. Default:
            /// 1 MiB.
            pub fn buffer_size(self, bytes: usize) -> Self {
                Self(Start { buffer: bytes, ..self.0 })
            }

            /// Speaks SPDY, and no WebSocket. Default: WebSocket, and SPDY if the server refuses it.
            ///
            /// Only SPDY never takes the death of a node for the success of a process: see
            /// [`streams`](crate::streams#success).
            pub fn spdy(self) -> Self {
                Self(Start { spdy_only: true, ..self.0 })
            }

            /// Limits the time of each of the two tries, as WebSocket and as SPDY, until the server has answered; what
            /// follows takes as long as it takes. Default: 30 seconds.
            pub fn with_timeout(self, timeout: Duration) -> Self {
                Self(Start { request: self.0.request.timeout(timeout), ..self.0 })
            }

            /// The plain request, whose [`upgrade`](Request::upgrade) gives a connection: its handshake, and what is
            /// spoken over it, is then yours.
            pub fn into_request(self) -> Request {
                self.0.request()
            }
        }

        impl IntoFuture for $builder {
            type Output = Result<Process>;
            type IntoFuture = CallFuture<Process>;

            fn into_future(self) -> Self::IntoFuture {
                self.0.run()
            }
        }
    };
}

starts!(Exec);
starts!(Attach);

impl Exec {
    pub(crate) fn new(request: Request) -> Self {
        Self(Start::new(request, EXEC))
    }

    /// The program and its arguments. No shell is involved.
    pub fn command<I, T>(self, command: I) -> Self
    where
        I: IntoIterator<Item = T>,
        T: Into<String>,
    {
        let words = command.into_iter();
        let request = self.0.request.with_query(|query| words.for_each(|word| query.push("command", word)));
        Self(Start { request, ..self.0 })
    }

    /// The command of whoever speaks with the process by himself, so that nothing else may have been asked for. Not
    /// covered by semver.
    #[doc(hidden)]
    pub fn own_command<I, T>(mut self, command: I) -> Self
    where
        I: IntoIterator<Item = T>,
        T: Into<String>,
    {
        let start = &self.0;
        let has = [
            (start.request.query_value("command").is_some(), "a command"),
            (start.input.is_some(), "an input"),
            (start.asked.tty, "a terminal"),
        ];
        if let Some((_, what)) = has.into_iter().find(|(has, _)| *has) {
            let problem = format!("the exec has {what}, but the command and its input are chosen here: leave that out");
            self.0.request = self.0.request.wrong(problem);
        }
        self.command(command)
    }

    /// How many bytes [`output`](Self::output) collects at most, both outputs together. Default: 64 MiB.
    pub fn output_limit(self, bytes: usize) -> Self {
        Self(Start { output_limit: bytes, ..self.0 })
    }

    /// Runs the command, sends the [`input`](Self::input) if there is one, and collects what it writes.
    ///
    /// # Errors
    ///
    /// Those of [`Process::wait_with_output`], and those of sending the request. An exit code other than 0 is not one.
    pub async fn output(self) -> Result<Output> {
        let limit = self.0.output_limit;
        self.0.run().await?.collected(limit).await
    }

    /// Runs the command, and waits for its end. What it writes is let go.
    ///
    /// # Errors
    ///
    /// Those of [`Process::wait`], and those of sending the request. An exit code other than 0 is not one.
    pub async fn status(self) -> Result<ExitStatus> {
        self.0.run().await?.wait().await
    }
}

impl Attach {
    pub(crate) fn new(request: Request) -> Self {
        Self(Start::new(request, ATTACH))
    }
}

impl Start {
    fn new(request: Request, names: Names) -> Self {
        Self {
            request: request.streaming(),
            names,
            asked: Asked { stdin: false, stdout: true, stderr: true, tty: false },
            default_container: false,
            input: None,
            size: None,
            buffer: BUFFER,
            output_limit: OUTPUT,
            spdy_only: false,
        }
    }

    /// The channels that there are to be.
    fn asked(&self) -> Asked {
        let Asked { stdin, stdout, stderr, tty } = self.asked;
        Asked { stdin: stdin || self.input.is_some(), stdout, stderr: stderr && !tty, tty }
    }

    fn request(&self) -> Request {
        let Asked { stdin, stdout, stderr, tty } = self.asked();
        let method = if self.spdy_only { Method::POST } else { Method::GET };
        let request = self.request.clone().with_method(method).with_query(|query| {
            for (name, on) in [("stdin", stdin), ("stdout", stdout), ("stderr", stderr), ("tty", tty)] {
                query.set(name, on.to_string());
            }
        });
        if stdin || stdout || stderr {
            return request;
        }
        request.wrong("neither input nor output is asked for, which the server refuses: ask for one of them")
    }

    /// Boxed, so that it is compiled here once and not in each crate that awaits it.
    fn run(mut self) -> CallFuture<Process> {
        Box::pin(async move {
            if self.default_container {
                let container = pods::default_container(self.request.of_the_object()).await?;
                self.request = self.request.with_query(|query| query.set("container", container));
            }
            let (asked, request) = (self.asked(), self.request());
            let url = request.shown_url();
            let (upgraded, protocol) = open::open(request, self.names, self.spdy_only).await?;
            let mut output = BytesMut::new();
            let (method, writer) = match protocol {
                Protocol::WebSocket => (Method::GET, Writer::WebSocket),
                Protocol::Spdy => {
                    let (streams, frames) = open::streams(&asked.channels());
                    output = frames;
                    (Method::POST, Writer::Spdy(streams))
                }
            };
            let opened = Opened { io: Box::new(upgraded), writer, output, protocol, method, url };
            Ok(Process::start(opened, asked, self.input.map(|input| input.0), self.buffer, self.size))
        })
    }
}
