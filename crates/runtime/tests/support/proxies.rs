//! An HTTP proxy and a SOCKS5 proxy on real sockets, for the tests of this crate and those on a real API server.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Which protocol a proxy speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Protocol {
    Http,
    Socks5,
}

/// A proxy; it ends with this.
pub(crate) struct TestProxy {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl TestProxy {
    /// Starts a proxy that lets in this login only, if there is one: `user:password`, which is Basic's `Authorization`
    /// for an HTTP proxy.
    pub(crate) async fn start(protocol: Protocol, login: Option<&'static str>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = seen.clone();
                tokio::spawn(async move {
                    let _ = match protocol {
                        Protocol::Http => http(stream, login, &seen).await,
                        Protocol::Socks5 => socks5(stream, login, &seen).await,
                    };
                });
            }
        });
        Self { address, asked, task }
    }

    /// What was asked for so far, one line a connection: `CONNECT host:port`, the first line of a request to be sent
    /// on, or `name host:port` or `address host:port` for SOCKS5.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panics while it holds this").clone()
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves one connection of an HTTP proxy.
pub(crate) async fn http(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    login: Option<&str>,
    asked: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let line = text.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    let given = text.lines().find(|line| line.to_lowercase().starts_with("proxy-authorization: "));
    let given = given.map(|line| &line["proxy-authorization: ".len()..]);
    if given != login {
        return stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
    }
    asked.lock().expect("nobody panics while it holds this").push(line.clone());
    let tunnel = line.strip_prefix("CONNECT ");
    let server = tunnel.or_else(|| line.split_once("http://").and_then(|(_, rest)| rest.split('/').next()));
    let Some(server) = server else {
        return stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    };
    let Ok(mut server) = TcpStream::connect(server).await else {
        return stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
    };
    match tunnel {
        Some(_) => stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?,
        None => server.write_all(&head).await?,
    }
    copy_bidirectional(&mut stream, &mut server).await.map(drop)
}

async fn socks5(mut stream: TcpStream, login: Option<&str>, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let _version = stream.read_u8().await?;
    let methods = block(&mut stream).await?;
    match login {
        None if methods.contains(&0) => stream.write_all(&[5, 0]).await?,
        Some(login) if methods.contains(&2) => {
            stream.write_all(&[5, 2]).await?;
            let _version = stream.read_u8().await?;
            let user = block(&mut stream).await?;
            let password = block(&mut stream).await?;
            let good = [&user[..], &password[..]].join(&b':') == login.as_bytes();
            stream.write_all(&[1, u8::from(!good)]).await?;
        }
        _ => return stream.write_all(&[5, 0xff]).await,
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    let (kind, host) = match request[3] {
        1 => ("address", Ipv4Addr::from_bits(stream.read_u32().await?).to_string()),
        4 => ("address", format!("[{}]", Ipv6Addr::from_bits(stream.read_u128().await?))),
        _ => ("name", String::from_utf8_lossy(&block(&mut stream).await?).into_owned()),
    };
    let server = format!("{host}:{}", stream.read_u16().await?);
    asked.lock().expect("nobody panics while it holds this").push(format!("{kind} {server}"));
    let connected = TcpStream::connect(server).await;
    stream.write_all(&[5, if connected.is_ok() { 0 } else { 5 }, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    copy_bidirectional(&mut stream, &mut connected?).await.map(drop)
}

/// Bytes after a byte that says how many.
async fn block(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}
