//! TLS in all its shapes.

use super::*;

#[tokio::test]
async fn http2_is_negotiated_and_http1_where_the_server_has_no_other() {
    let authority = Authority::new();
    let server = Server::start(Some(authority.server(&["localhost"], None))).await;
    let mut config = server.config("https", "localhost");
    config.tls.ca = Some(authority.pem());
    assert!(ask(&config).await.unwrap().starts_with("HTTP/2.0 none sni=localhost"));
    config.disable_http2 = true;
    assert!(ask(&config).await.unwrap().starts_with("HTTP/1.1 none"));

    let mut old = authority.server(&["localhost"], None);
    old.alpn_protocols = vec![b"http/1.1".to_vec()];
    let server = Server::start(Some(old)).await;
    let mut config = server.config("https", "localhost");
    config.tls.ca = Some(authority.pem());
    assert!(ask(&config).await.unwrap().starts_with("HTTP/1.1 none"));
}

#[tokio::test]
async fn an_unknown_authority_is_refused_with_the_host_and_what_to_check() {
    let server = Server::start(Some(Authority::new().server(&["localhost"], None))).await;
    let mut config = server.config("https", "localhost");
    for other in [Authority::named("other CA"), Authority::new()] {
        config.tls.ca = Some(other.pem());
        let error = ask(&config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        let text = error.to_string();
        assert!(text.contains(&format!("localhost:{}", server.address.port())), "{text}");
        assert!(text.contains("check certificate-authority"), "{text}");
    }
}

#[tokio::test]
async fn a_server_is_known_by_its_address_or_by_the_given_name() {
    let authority = Authority::new();
    let server = Server::start(Some(authority.server(&["127.0.0.1"], None))).await;
    let mut config = server.config("https", "127.0.0.1");
    config.tls.ca = Some(authority.pem());
    ask(&config).await.unwrap();

    let server = Server::start(Some(authority.server(&["kubernetes.example"], None))).await;
    let mut config = server.config("https", "127.0.0.1");
    config.tls.ca = Some(authority.pem());
    let error = ask(&config).await.unwrap_err().to_string();
    assert!(error.contains("tls-server-name"), "{error}");
    config.tls.server_name = Some("kubernetes.example".to_owned());
    assert!(ask(&config).await.unwrap().contains("sni=kubernetes.example"));
}

#[tokio::test]
async fn skipping_verification_accepts_any_certificate_but_not_together_with_a_ca() {
    let authority = Authority::new();
    let server = Server::start(Some(authority.server(&["elsewhere"], None))).await;
    let mut config = server.config("https", "localhost");
    config.tls.insecure_skip_verify = true;
    ask(&config).await.unwrap();
    config.tls.ca = Some(authority.pem());
    assert_eq!(connected(&config).unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_missing_or_foreign_client_certificate_is_explained() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = Server::start(Some(authority.server(&["localhost"], Some(&clients)))).await;
    let mut config = server.config("https", "localhost");
    config.tls.ca = Some(authority.pem());
    let error = ask(&config).await.unwrap_err();
    assert!(error.to_string().contains("requires a client certificate"), "{error}");

    config.tls.identity = Some(authority.client());
    let error = ask(&config).await.unwrap_err();
    assert!(error.to_string().contains("check client-certificate"), "{error}");
}

#[test]
fn a_key_of_another_certificate_or_a_malformed_one_is_refused_before_anything_is_sent() {
    let authority = Authority::new();
    let key = KeyPair::generate().unwrap();
    let certificate = PemSource::text(authority.sign(&key, &["me"]).pem());
    let other = KeyPair::generate().unwrap().serialize_pem();
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (key, words) in [
        (other.as_str(), "does not belong"),
        ("", "no private key"),
        (encrypted, "encrypted"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "private key cannot be used"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n", "-----END line is missing"),
    ] {
        let mut config = Config::new("https://localhost").unwrap();
        config.tls.ca = Some(authority.pem());
        config.tls.identity = Some(ClientIdentity { certificate: certificate.clone(), key: PemSource::text(key) });
        let error = connected(&config).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_explained() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
    });
    let mut config = Config::new(&format!("https://{address}")).unwrap();
    config.tls.insecure_skip_verify = true;
    let error = ask(&config).await.unwrap_err().to_string();
    assert!(error.contains("begins with http://"), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_the_handshake_is_given_up() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut config = Config::new(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
    config.tls.insecure_skip_verify = true;
    config.tls_handshake_timeout = Duration::from_millis(50);
    let error = ask(&config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("no handshake within 50ms"), "{error}");
}

#[tokio::test]
async fn a_connection_that_is_lost_in_the_handshake_is_worth_another_try() {
    for reset in [true, false] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            if reset {
                stream.set_zero_linger().unwrap();
            }
        });
        let mut config = Config::new(&format!("https://{address}")).unwrap();
        config.tls.insecure_skip_verify = true;
        let error = ask(&config).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Connect, Delivery::Lost), "{error}");
        assert!(error.is_transient() && error.to_string().contains("TLS with"), "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_without_the_notice_of_tls_is_told_in_our_words() {
    for (protocol, begun) in
        [(&b"h2"[..], ""), (b"http/1.1", ""), (b"http/1.1", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")]
    {
        let (acceptor, listener, config) = tls_listener(protocol).await;
        tokio::spawn(async move {
            let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            stream.write_all(begun.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        });
        let error = ask(&config).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (ErrorKind::Transport, Delivery::Lost), "{error}");
        let text = error.to_string();
        assert!(text.contains("the server, or something on the way, closed the connection without notice"), "{text}");
        assert!(!format!("{error:?}").contains("docs.rs"), "{error:?}");
    }
}

#[tokio::test]
async fn the_time_for_the_handshake_begins_when_the_server_is_reached() {
    let authority = Authority::new();
    let server = Server::start(Some(authority.server(&["localhost"], None))).await;
    let proxy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut config = server.config("https", "localhost");
    config.tls.ca = Some(authority.pem());
    config.tls_handshake_timeout = Duration::from_secs(3);
    let url = format!("http://{}", proxy.local_addr().unwrap());
    config.proxy = crate::config::Proxy::Url(crate::config::ProxyUrl::parse(&url).unwrap());
    tokio::spawn(async move {
        let mut client = proxy.accept().await.unwrap().0;
        let _ = client.read(&mut [0; 1024]).await;
        tokio::time::sleep(Duration::from_millis(3500)).await;
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut server = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    });
    assert!(ask(&config).await.unwrap().starts_with("HTTP/2.0"));
}

#[tokio::test]
async fn a_host_that_cannot_be_a_name_is_refused_before_anything_is_sent() {
    let mut config = Config::new("https://a..b:6443").unwrap();
    config.tls.insecure_skip_verify = true;
    let error = ask(&config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("a..b:6443: the host is not a name for TLS"), "{error}");
    config.tls.server_name = Some("a..b".to_owned());
    let error = connected(&config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("tls-server-name \"a..b\" is not a host name"), "{error}");
}
