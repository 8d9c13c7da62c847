//! A server on real sockets that does what a test tells it, a thread for each connection.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use k8s_client_runtime::{
    Config, RestClient,
    resource::{Namespaced, ResourceClient},
};
use k8s_openapi::api::core::v1::Pod;
use socket2::SockRef;
use tungstenite::{Message, WebSocket, handshake::derive_accept_key, protocol::Role};

pub(crate) type Pods = ResourceClient<Pod, Namespaced>;

/// How a process ends well.
pub(crate) const SUCCESS: &str = r#"{"metadata":{},"status":"Success"}"#;

/// How a process ends with an exit code.
pub(crate) fn exit(code: i32) -> String {
    format!(
        r#"{{"metadata":{{}},"status":"Failure","message":"command terminated with non-zero exit code","reason":
        "NonZeroExitCode","details":{{"causes":[{{"reason":"ExitCode","message":"{code}"}}]}}}}"#
    )
}

/// What an API server answers when it refuses.
pub(crate) fn refusal(code: u16, reason: &str, message: &str) -> String {
    let body = format!(
        r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"{reason}","code":{code},"message":"{message}"}}"#
    );
    http(code, &body)
}

pub(crate) fn http(code: u16, body: &str) -> String {
    format!("HTTP/1.1 {code} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

/// A connection whose request was read.
pub(crate) struct Connection {
    pub(crate) head: String,
    pub(crate) stream: TcpStream,
}

/// The server. Its threads end with their connections.
pub(crate) struct Server {
    pub(crate) client: RestClient,
    pub(crate) pods: Pods,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Has each connection go through the script.
    pub(crate) fn start(script: impl Fn(Connection) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (script, heads) = (Arc::new(script), Arc::new(Mutex::new(Vec::new())));
        let seen = heads.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, seen) = (script.clone(), seen.clone());
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let mut byte = [0];
                        if stream.read(&mut byte).unwrap_or(0) == 0 {
                            return;
                        }
                        head.push(byte[0]);
                    }
                    let head = String::from_utf8(head).unwrap();
                    seen.lock().unwrap().push(head.clone());
                    script(Connection { head, stream });
                });
            }
        });
        let client = RestClient::new(&Config::new(&format!("http://{address}")).unwrap()).unwrap();
        Self { pods: ResourceClient::namespaced(&client, "ns"), client, heads }
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Connection {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (given, value) = line.split_once(": ")?;
            given.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn is_websocket(&self) -> bool {
        self.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
    }

    /// Answers with these bytes, and no more.
    pub(crate) fn answer(mut self, bytes: &str) {
        self.stream.write_all(bytes.as_bytes()).unwrap();
    }

    /// Agrees to speak WebSocket.
    pub(crate) fn websocket(mut self) -> WebSocket<TcpStream> {
        let accept = derive_accept_key(self.header("sec-websocket-key").unwrap().as_bytes());
        let protocol = self.header("sec-websocket-protocol").unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \
             {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
        );
        self.stream.write_all(answer.as_bytes()).unwrap();
        WebSocket::from_raw_socket(self.stream, Role::Server, None)
    }

    /// Agrees to speak SPDY.
    pub(crate) fn spdy(mut self) -> TcpStream {
        let protocol = self.header("x-stream-protocol-version").unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\
             X-Stream-Protocol-Version: {protocol}\r\n\r\n"
        );
        self.stream.write_all(answer.as_bytes()).unwrap();
        self.stream
    }

    /// Ends as a crash does.
    pub(crate) fn reset(self) {
        reset(&self.stream);
    }
}

pub(crate) fn reset(stream: &TcpStream) {
    SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// What a server of exec does with its WebSocket.
pub(crate) trait Channels {
    fn put(&mut self, channel: u8, bytes: impl AsRef<[u8]>);
    /// Reports the end, and closes as API servers do.
    fn end(self, report: &str);
    /// Everything that comes on standard input, to its end.
    fn stdin(&mut self) -> Vec<u8>;
}

impl Channels for WebSocket<TcpStream> {
    fn put(&mut self, channel: u8, bytes: impl AsRef<[u8]>) {
        let message = [&[channel], bytes.as_ref()].concat();
        self.send(Message::Binary(message.into())).unwrap();
    }

    fn end(mut self, report: &str) {
        self.put(3, report);
        self.close(Some(tungstenite::protocol::CloseFrame {
            code: tungstenite::protocol::frame::coding::CloseCode::Normal,
            reason: "".into(),
        }))
        .unwrap();
        let _ = self.flush();
    }

    fn stdin(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            if let Message::Binary(message) = self.read().unwrap() {
                match message[0] {
                    0 => all.extend_from_slice(&message[1..]),
                    255 if message[1..] == [0] => return all,
                    _ => {}
                }
            }
        }
    }
}
