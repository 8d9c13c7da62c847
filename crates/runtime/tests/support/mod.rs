//! A server on a real socket that answers with exactly the bytes it is told to.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use k8s_client_runtime::{Config, RestClient};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What the server does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Writes these bytes and closes the connection.
    Close(Vec<u8>),
    /// Writes these pieces, one packet each, and closes the connection.
    Pieces(Vec<Vec<u8>>),
    /// Writes these bytes and says nothing more.
    Hang(Vec<u8>),
    /// Resets the connection.
    Reset,
}

/// The server: it gives each request the next answer, and the last one to all that follow.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts a server with these answers.
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            let mut answers = answers.into_iter().peekable();
            let mut hanging = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                seen.lock().expect("no test panics while it holds this").push(request);
                let Some(answer) = answers.next() else { continue };
                let answer = if answers.peek().is_none() { repeat(&mut answers, answer) } else { answer };
                let pieces = match answer {
                    Answer::Close(bytes) => vec![bytes],
                    Answer::Pieces(pieces) => pieces,
                    Answer::Reset => {
                        // A connection closed without waiting for its last bytes is reset.
                        stream.set_zero_linger().expect("the socket is open");
                        continue;
                    }
                    Answer::Hang(bytes) => {
                        let _ = stream.write_all(&bytes).await;
                        hanging.push(stream);
                        continue;
                    }
                };
                for piece in pieces {
                    let _ = stream.write_all(&piece).await;
                    let _ = stream.flush().await;
                    tokio::task::yield_now().await;
                }
                let _ = stream.shutdown().await;
            }
        });
        Self { address, requests, task }
    }

    /// Starts a server with one answer for everything: a head and a body.
    pub(crate) async fn answering(status: &str, headers: &str, body: &str) -> Self {
        Self::start(vec![Answer::Close(http(status, headers, body))]).await
    }

    /// The configuration of a client of this server.
    pub(crate) fn config(&self) -> Config {
        Config::new(&format!("http://{}", self.address)).expect("the address makes a URL")
    }

    /// A client of this server.
    pub(crate) fn client(&self) -> RestClient {
        RestClient::new(&self.config()).expect("the configuration is valid")
    }

    /// The requests so far: head and body as text.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panics while it holds this").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Puts the last answer back, so that it is given to all requests that follow.
fn repeat(answers: &mut std::iter::Peekable<std::vec::IntoIter<Answer>>, answer: Answer) -> Answer {
    *answers = vec![answer.clone()].into_iter().peekable();
    answer
}

/// An answer with a length.
pub(crate) fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}", body.len())
        .into_bytes()
}

/// The head of an answer whose body ends with the connection.
pub(crate) fn endless(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n").into_bytes()
}

/// The header of a JSON body.
pub(crate) const JSON: &str = "Content-Type: application/json\r\n";

async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or(0_usize);
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return text,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}
