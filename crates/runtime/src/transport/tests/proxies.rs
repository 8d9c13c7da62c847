//! The ways through proxies, each of them real, and what they do wrong.

#[path = "../../../tests/support/proxies.rs"]
mod support;

use std::sync::Mutex;

use tokio::{net::TcpStream, sync::oneshot};
use tokio_rustls::TlsConnector;

use self::support::{Protocol, TestProxy};
use super::{dial::Dialer, *};
use crate::config::{Proxy, ProxyUrl, TlsConfig};

/// `user:password` in Basic.
const BASIC: &str = "Basic dXNlcjpwYXNzd29yZA==";

fn through(config: &mut Config, url: &str) {
    config.proxy = Proxy::Url(ProxyUrl::parse(url).unwrap());
}

#[tokio::test]
async fn servers_with_tls_are_reached_by_a_tunnel_and_speak_http2_in_it() {
    let authority = Authority::new();
    let server = Server::start(Some(authority.server(&["localhost"], None))).await;
    let mut config = server.config("https", "localhost");
    config.tls.ca = Some(authority.pem());
    let port = server.address.port();
    for (protocol, scheme, login, url_login, asked) in [
        (Protocol::Http, "http", None, "", format!("CONNECT localhost:{port}")),
        (Protocol::Http, "http", Some(BASIC), "user:password@", format!("CONNECT localhost:{port}")),
        (Protocol::Socks5, "socks5", None, "", format!("name localhost:{port}")),
        (Protocol::Socks5, "socks5h", Some("user:password"), "user:pass%77ord@", format!("name localhost:{port}")),
        // A proxy that wants no login is told none.
        (Protocol::Socks5, "socks5", None, "user:password@", format!("name localhost:{port}")),
    ] {
        let proxy = TestProxy::start(protocol, login).await;
        through(&mut config, &format!("{scheme}://{url_login}{}", proxy.address));
        let transport = connected(&config).unwrap();
        for _ in 0..3 {
            let answer = get(&transport, &config, "/").await.unwrap();
            assert!(answer.starts_with("HTTP/2.0 none sni=localhost"), "{answer}");
        }
        assert_eq!(proxy.asked(), [asked], "one connection for all, by {scheme}");
    }
}

#[tokio::test]
async fn requests_for_servers_without_tls_are_sent_on_by_http_proxies_and_tunnelled_by_socks() {
    let server = Server::start(None).await;
    let mut config = server.config("http", "localhost");
    let address = format!("localhost:{}", server.address.port());
    for (protocol, scheme, login, asked) in [
        (Protocol::Http, "http", Some(BASIC), format!("GET http://{address}/one")),
        (Protocol::Socks5, "socks5", Some("user:password"), format!("name {address}")),
    ] {
        let proxy = TestProxy::start(protocol, login).await;
        through(&mut config, &format!("{scheme}://user:password@{}", proxy.address));
        let transport = connected(&config).unwrap();
        for path in ["/one", "/two"] {
            let answer = get(&transport, &config, path).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 none sni=none"), "{answer}");
        }
        assert_eq!(proxy.asked(), [asked]);
    }
}

#[tokio::test]
async fn addresses_are_given_to_a_socks_proxy_as_addresses() {
    let server = Server::start(None).await;
    let mut config = server.config("http", "127.0.0.1");
    let proxy = TestProxy::start(Protocol::Socks5, None).await;
    through(&mut config, &format!("socks5://{}", proxy.address));
    ask(&config).await.unwrap();
    assert_eq!(proxy.asked(), [format!("address {}", server.address)]);
}

#[tokio::test]
async fn proxy_authorization_is_for_the_proxy_alone() {
    let server = Server::start(None).await;
    let proxy = TestProxy::start(Protocol::Http, None).await;
    let mut config = server.config("http", "127.0.0.1");
    config.credentials = Credentials::Bearer(SecretString::from("abc"));
    // The proxy would answer 407 to a login that it does not know.
    through(&mut config, &format!("http://{}", proxy.address));
    assert!(ask(&config).await.unwrap().contains(" Bearer abc "));
}

#[tokio::test]
async fn wrong_or_missing_logins_are_explained_without_showing_them() {
    let server = Server::start(None).await;
    for (protocol, scheme, login, url_login, words) in [
        (Protocol::Http, "http", Some(BASIC), "", "wants a login"),
        (Protocol::Http, "http", Some(BASIC), "user:hunter2@", "refuses the user name or the password"),
        (Protocol::Socks5, "socks5", Some("user:password"), "", "wants a login"),
        (Protocol::Socks5, "socks5", Some("user:password"), "user:hunter2@", "refuses the user name or the password"),
    ] {
        let proxy = TestProxy::start(protocol, login).await;
        let mut config = server.config("https", "localhost");
        through(&mut config, &format!("{scheme}://{url_login}{}", proxy.address));
        let error = ask(&config).await.unwrap_err();
        let text = error.to_string();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Connect, false), "{text}");
        let place =
            format!("cannot connect to localhost:{} through proxy {scheme}://{}", server.address.port(), proxy.address);
        assert!(text.contains(&place) && text.contains(words) && !text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_the_proxy_does_not_reach_is_explained() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    for (protocol, scheme, words, refused) in [
        (Protocol::Http, "http", "answers 502 Bad Gateway", false),
        (Protocol::Socks5, "socks5", "the proxy does not reach the server: connection refused", true),
    ] {
        let proxy = TestProxy::start(protocol, None).await;
        let mut config = Config::new(&format!("https://{closed}")).unwrap();
        through(&mut config, &format!("{scheme}://{}", proxy.address));
        let error = ask(&config).await.unwrap_err();
        assert_eq!((error.is_transient(), error.is_connection_refused()), (true, refused), "{error}");
        assert!(error.to_string().contains(words) && error.to_string().contains("through proxy"), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    for scheme in ["http", "https", "socks5"] {
        let mut config = Config::new("https://server.example").unwrap();
        through(&mut config, &format!("{scheme}://{closed}"));
        let error = ask(&config).await.unwrap_err();
        assert!(error.is_connection_refused(), "{error}");
        let error = error.to_string();
        let words =
            format!("cannot connect to server.example:443 through proxy {scheme}://{closed}: Connection refused");
        assert!(error.contains(&words), "{error}");
    }
}

/// A proxy that reads a little, says this, and then either closes the connection or says nothing more.
async fn saying(answer: Vec<u8>, close: bool) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(&answer).await;
                if !close {
                    // Until the client goes.
                    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_proxy_that_says_nothing_is_given_up_after_the_time_for_connecting() {
    for (scheme, answer) in
        [("http", &b""[..]), ("http", b"HTTP/1.1 200 O"), ("socks5", b""), ("socks5", b"\x05\x00\x05")]
    {
        let address = saying(answer.to_vec(), false).await;
        let mut config = Config::new("https://server.example").unwrap();
        config.connect_timeout = Duration::from_millis(100);
        through(&mut config, &format!("{scheme}://{address}"));
        let error = ask(&config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert!(error.to_string().contains("through proxy") && error.to_string().contains("100ms"), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_that_breaks_off_or_talks_nonsense_is_an_error() {
    let endless = [b"HTTP/1.1 200 OK\r\nendless: ".to_vec(), vec![b'.'; 1 << 20]].concat();
    for (scheme, answer) in [
        ("http", b"".to_vec()),
        ("http", b"HTTP/1.1 200 OK\r\nhalf: a he".to_vec()),
        ("http", b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()),
        ("http", endless),
        ("https", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("socks5", b"".to_vec()),
        ("socks5", b"\x05\x00\x05\x00\x00\x01\x7f".to_vec()),
        ("socks5", b"\x05\x07".to_vec()),
        ("socks5", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
    ] {
        let address = saying(answer, true).await;
        let mut config = Config::new("https://server.example").unwrap();
        through(&mut config, &format!("{scheme}://{address}"));
        let error = ask(&config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        assert!(error.to_string().contains("server.example:443 through proxy"), "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_on_the_way_through_a_proxy_is_worth_another_try() {
    for (scheme, answer) in [
        ("http", &b""[..]),
        ("http", b"HTTP/1.1 200 OK\r\nhalf: a he"),
        ("https", b""),
        ("socks5", b""),
        ("socks5", b"\x05\x00\x05\x00\x00\x01\x7f"),
    ] {
        for reset in [true, false] {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer).await;
                if reset {
                    stream.set_zero_linger().unwrap();
                }
            });
            let mut config = Config::new("https://server.example").unwrap();
            through(&mut config, &format!("{scheme}://{address}"));
            let error = ask(&config).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.delivery()),
                (ErrorKind::Connect, Delivery::Lost),
                "{scheme} {reset} {error}"
            );
            assert!(error.is_transient() && !error.to_string().contains("must trust"), "{error}");
        }
    }
}

#[tokio::test]
async fn what_a_proxy_answers_tells_whether_another_try_is_worth_it() {
    for (status, transient) in [("502 a", true), ("503 b", true), ("504 c", true), ("403 d", false), ("500 e", false)] {
        let address = saying(format!("HTTP/1.1 {status}\r\n\r\n").into(), true).await;
        let mut config = Config::new("https://server.example").unwrap();
        through(&mut config, &format!("http://{address}"));
        let error = ask(&config).await.unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Connect, transient), "{error}");
    }
}

#[tokio::test]
async fn a_socks_proxy_says_why_it_does_not_connect() {
    for (answer, words, transient) in [
        (&b"\x05\xff"[..], "wants a login", false),
        (b"\x05\x01", "a login of a kind that is not supported", false),
        (b"\x04\x00", "does not speak SOCKS5", false),
        (b"\x05\x00\x05\x01\x00\x01", "general failure (SOCKS5 reply 1)", false),
        (b"\x05\x00\x05\x02\x00\x01", "do not allow", false),
        (b"\x05\x00\x05\x03\x00\x01", "network unreachable", true),
        (b"\x05\x00\x05\x04\x00\x01", "host unreachable", true),
        (b"\x05\x00\x05\x06\x00\x01", "TTL expired", true),
        (b"\x05\x00\x05\x08\x00\x01", "kind of address", false),
        (b"\x05\x00\x05\x00\x00\x07", "does not speak SOCKS5", false),
        (b"\x05\x00\x05\x00\x00\x03\x04ab", "closed the connection before", true),
    ] {
        let address = saying(answer.to_vec(), true).await;
        let mut config = Config::new("https://server.example").unwrap();
        through(&mut config, &format!("socks5://{address}"));
        let error = ask(&config).await.unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Connect, transient), "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}

#[tokio::test]
async fn what_is_too_long_for_socks_is_not_sent() {
    let long = "x".repeat(256);
    for (login, host, words) in [
        (format!("{long}:p@"), "server.example".to_owned(), "the user name in the proxy's URL is longer"),
        (format!("u:{long}@"), "server.example".to_owned(), "the password in the proxy's URL is longer"),
        (String::new(), vec!["x"; 129].join("."), "the server's name is longer"),
    ] {
        let method = if login.is_empty() { 0 } else { 2 };
        let address = saying(vec![5, method], false).await;
        let mut config = Config::new(&format!("http://{host}")).unwrap();
        through(&mut config, &format!("socks5://{login}{address}"));
        let error = ask(&config).await.unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains("xx"), "{error}");
    }
}

#[tokio::test]
async fn the_answer_of_a_socks_proxy_may_have_any_kind_of_address() {
    for bound in [&b"\x01\x7f\x00\x00\x01"[..], b"\x04aaaaaaaaaaaaaaaa", b"\x03\x04name", b"\x03\x00"] {
        let answer = [b"\x05\x00\x05\x00\x00", bound, b"\x1f\x90first words"].concat();
        let mut config = Config::new("https://[fd00::1]").unwrap();
        through(&mut config, &format!("socks5://{}", saying(answer, true).await));
        let mut tunnel = Dialer::new(&config).unwrap().dial(&config.server_url().unwrap()).await.unwrap();
        let mut words = String::new();
        tunnel.read_to_string(&mut words).await.unwrap();
        assert_eq!(words, "first words");
    }
}

#[tokio::test]
async fn an_https_proxy_is_authenticated_before_it_sees_the_login() {
    let proxies = Authority::named("proxies");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(proxies.server(&["127.0.0.1"], None)));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, seen) = (acceptor.clone(), seen.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    let _ = support::http(stream, Some(BASIC), &seen).await;
                }
            });
        }
    });

    let authority = Authority::new();
    let server = Server::start(Some(authority.server(&["localhost"], None))).await;
    let mut config = server.config("https", "localhost");
    config.tls.ca = Some(authority.pem());
    through(&mut config, &format!("https://user:password@{address}"));
    // The CA of the configuration is the server's.
    let error = ask(&config).await.unwrap_err().to_string();
    assert!(error.contains("TLS with the proxy") && error.contains("the system must trust"), "{error}");
    assert!(asked.lock().unwrap().is_empty());

    let trust = TlsConfig { ca: Some(proxies.pem()), ..TlsConfig::default() };
    let dialled = Dialer::trusting(&config, &trust).unwrap().dial(&config.server).await.unwrap();
    let tls = super::super::tls::Handshake::of(&config.tls, false).unwrap().any_http;
    let name = rustls_pki_types::ServerName::try_from("localhost").unwrap();
    let inner = TlsConnector::from(tls).connect(name, dialled).await.unwrap();
    assert_eq!(inner.get_ref().1.alpn_protocol(), Some(super::super::tls::HTTP_2));
    assert_eq!(*asked.lock().unwrap(), [format!("CONNECT localhost:{}", server.address.port())]);

    // For a server without TLS the requests themselves go to the proxy.
    let server = Server::start(None).await;
    config.server = server.config("http", "localhost").server;
    let dialer = Dialer::trusting(&config, &trust).unwrap();
    assert!(dialer.forwards());
    let mut proxy = dialer.clone().dial(&config.server).await.unwrap();
    let login = dialer.forward_authorization().unwrap();
    let (host, login) = (config.server.authority().unwrap(), login.to_str().unwrap());
    let request = format!("GET http://{host}/ HTTP/1.0\r\nproxy-authorization: {login}\r\n\r\n");
    proxy.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = proxy.read_to_string(&mut answer).await;
    assert!(answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn what_the_server_says_first_is_not_lost_in_the_tunnel() {
    let address = saying(b"HTTP/1.1 200 OK\r\n\r\nfirst words".to_vec(), true).await;
    let mut config = Config::new("https://server.example").unwrap();
    through(&mut config, &format!("http://{address}"));
    let mut tunnel = Dialer::new(&config).unwrap().dial(&config.server).await.unwrap();
    let mut words = String::new();
    tunnel.read_to_string(&mut words).await.unwrap();
    assert_eq!(words, "first words");
}

#[tokio::test]
async fn dropping_the_transport_ends_its_tunnel() {
    let (sent, mut ended) = oneshot::channel();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::start(None).await;
    let target = server.address;
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(target).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        let _ = sent.send(());
    });
    let mut config = server.config("http", "localhost");
    through(&mut config, &format!("http://{address}"));
    let transport = connected(&config).unwrap();
    get(&transport, &config, "/").await.unwrap();
    assert!(ended.try_recv().is_err());
    drop(transport);
    tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap().unwrap();
}
