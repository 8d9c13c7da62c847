//! Certificates and CAs that change while a client lives.

use std::{fs, path::PathBuf};

use super::{
    super::tls::{Handshake, Rotation},
    *,
};
use crate::metrics::recording::Recording;

/// A server that asks for client certificates, and a client whose certificate, key and CA are files.
struct Fixture {
    folder: tempfile::TempDir,
    authority: Authority,
    server: Server,
    config: Config,
}

impl Fixture {
    async fn new() -> Self {
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
        let server = Server::start(Some(authority.server(&["localhost"], Some(&authority)))).await;
        let mut config = server.config("https", "localhost");
        // Pings would be in the way of paused time.
        config.http2_ping_interval = None;
        let file = |name| PemSource::File(folder.path().join(name));
        config.tls.ca = Some(file("ca"));
        config.tls.identity = Some(ClientIdentity { certificate: file("certificate"), key: file("key") });
        let fixture = Self { folder, authority, server, config };
        fixture.write("ca", &fixture.authority.0.pem());
        fixture.renew();
        fixture
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes a new certificate and key, and says how the server sees them.
    fn renew(&self) -> String {
        let key = KeyPair::generate().unwrap();
        let certificate = self.authority.sign(&key, &["me"]);
        self.write("certificate", &certificate.pem());
        self.write("key", &key.serialize_pem());
        format!("client={} ", fingerprint(certificate.der()))
    }

    fn rotation(&self) -> Arc<Rotation> {
        Arc::new(Rotation::new(&self.config).unwrap())
    }
}

/// Lets a time pass in which files are read again.
async fn pass(seconds: u64) {
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// Asks until the answer has the words: reading files takes a moment.
async fn ask_until(transport: &Transport, config: &Config, words: &str) {
    let asking = async {
        while !get(transport, config, "/").await.unwrap().contains(words) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, asking).await.expect("the new certificate is used");
}

#[tokio::test]
async fn a_new_certificate_is_used_for_new_requests_and_ends_what_runs_on_the_old_one() {
    let fixture = Fixture::new().await;
    let Fixture { server, config, .. } = &fixture;
    let old = fixture.renew();
    let transport = connected(config).unwrap();
    let mut running = watch(&transport, config).await.unwrap();
    assert!(get(&transport, config, "/").await.unwrap().contains(&old));

    let new = fixture.renew();
    assert!(get(&transport, config, "/").await.unwrap().contains(&old));
    pass(61).await;
    ask_until(&transport, config, &new).await;
    assert_eq!(server.connections(), 2);
    assert_eq!(server.watches.load(Ordering::SeqCst), 1);

    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let error = running.chunk().await.unwrap().unwrap_err();
    assert!(begun.elapsed() <= Duration::from_secs(31), "after {:?}", begun.elapsed());
    tokio::time::resume();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("the client certificate or the CA was replaced"), "{error}");
    until_zero(&server.watches).await;
    assert!(get(&transport, config, "/").await.unwrap().contains(&new));
    until_at_most(1, &server.open).await;
}

#[tokio::test]
async fn what_ends_within_the_time_of_grace_is_not_disturbed() {
    let fixture = Fixture::new().await;
    let Fixture { server, config, .. } = &fixture;
    let transport = connected(config).unwrap();
    let running = watch(&transport, config).await.unwrap();
    let new = fixture.renew();
    pass(61).await;
    ask_until(&transport, config, &new).await;
    pass(20).await;
    assert_eq!(server.watches.load(Ordering::SeqCst), 1);
    drop(running);
    until_zero(&server.watches).await;
}

#[tokio::test]
async fn a_new_connection_reads_the_files_again() {
    let fixture = Fixture::new().await;
    let transport = connected(&fixture.config).unwrap();
    let new = fixture.renew();
    pass(2).await;
    assert!(get(&transport, &fixture.config, "/").await.unwrap().contains(&new));
}

#[tokio::test]
async fn a_new_ca_is_the_only_one_from_then_on() {
    let fixture = Fixture::new().await;
    let Fixture { server, config, .. } = &fixture;
    let transport = connected(config).unwrap();
    let mut running = watch(&transport, config).await.unwrap();
    fixture.write("ca", &Authority::named("new CA").0.pem());
    pass(61).await;
    let refused = async {
        loop {
            match get(&transport, config, "/").await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(error) => break error,
            }
        }
    };
    let error = tokio::time::timeout(SOON, refused).await.expect("the new CA is used");
    assert!(error.to_string().contains("check certificate-authority"), "{error}");

    tokio::time::pause();
    assert!(running.chunk().await.unwrap().is_err());
    tokio::time::resume();
    fixture.write("ca", &format!("{}{}", Authority::new().0.pem(), fixture.authority.0.pem()));
    pass(2).await;
    get(&transport, config, "/").await.unwrap();
    until_at_most(1, &server.open).await;
}

/// What is used for the next connection, some time later.
async fn later(rotation: &Arc<Rotation>) -> Arc<Handshake> {
    pass(2).await;
    rotation.fresh().await
}

#[tokio::test]
async fn unchanged_or_unusable_files_change_nothing() {
    let fixture = Fixture::new().await;
    let rotation = fixture.rotation();
    let first = rotation.current(None).unwrap();
    let good = ["ca", "certificate", "key"].map(|name| fs::read_to_string(fixture.path(name)).unwrap());
    let restore = || ["ca", "certificate", "key"].iter().zip(&good).for_each(|(name, text)| fixture.write(name, text));
    let other = KeyPair::generate().unwrap();
    let foreign = fixture.authority.sign(&other, &["me"]).pem();
    let half = good[1][..good[1].len() / 2].to_owned();
    for (name, text) in [
        ("certificate", format!("# the same with a comment\n{}", good[1])),
        ("certificate", String::new()),
        ("certificate", half),
        // The key will follow in a moment.
        ("certificate", foreign),
        ("key", other.serialize_pem()),
        ("key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned()),
        ("ca", String::new()),
        ("ca", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()),
    ] {
        fixture.write(name, &text);
        assert!(Arc::ptr_eq(&first, &later(&rotation).await), "{name}: {text}");
        restore();
    }
    fs::remove_file(fixture.path("key")).unwrap();
    assert!(Arc::ptr_eq(&first, &later(&rotation).await));

    fixture.renew();
    let second = later(&rotation).await;
    assert!(!Arc::ptr_eq(&first, &second));
    assert!(Arc::ptr_eq(&second, &rotation.current(None).unwrap()));
}

#[tokio::test]
async fn a_ca_whose_file_is_empty_at_first_trusts_nobody_until_it_is_filled() {
    let fixture = Fixture::new().await;
    let Fixture { config, .. } = &fixture;
    for empty in ["", "\n\n"] {
        fixture.write("ca", empty);
        let transport = connected(config).unwrap();
        let error = get(&transport, config, "/").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        let words = format!("{}: the file of certificate-authority is empty", fixture.path("ca").display());
        assert!(error.to_string().contains(&words), "{error}");
        fixture.write("ca", "# nothing yet");
        assert!(get(&transport, config, "/").await.is_err());
        fixture.write("ca", &fixture.authority.0.pem());
        get(&transport, config, "/").await.unwrap();
    }
    fixture.write("ca", "# nothing");
    assert!(connected(config).unwrap_err().to_string().contains("no certificate in it"));
}

#[tokio::test]
async fn files_are_read_at_most_once_a_second() {
    let fixture = Fixture::new().await;
    let rotation = fixture.rotation();
    let first = rotation.fresh().await;
    tokio::time::pause();
    fixture.renew();
    assert!(Arc::ptr_eq(&first, &rotation.fresh().await));
}

#[tokio::test]
async fn a_dropped_client_leaves_no_task_and_no_socket() {
    let fixture = Fixture::new().await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let transport = connected(&fixture.config).unwrap();
    get(&transport, &fixture.config, "/").await.unwrap();
    assert!(tasks() > before);
    drop(transport);
    until_zero(&fixture.server.open).await;
    until("no task is left", || tasks() <= before).await;
}

#[tokio::test]
async fn credentials_bring_a_certificate_with_the_request() {
    let authority = Authority::new();
    let server = Server::start(Some(authority.server(&["localhost"], Some(&authority)))).await;
    let mut config = server.config("https", "localhost");
    config.tls.ca = Some(authority.pem());
    config.tls.identity = Some(authority.client());
    let service = connections(&config).unwrap();
    let seen = |identity: &ClientIdentity| {
        let certificate = identity.certificate.certificates().unwrap().remove(0);
        format!("client={} ", fingerprint(&certificate))
    };
    let ask = |identity: Option<&Arc<ClientIdentity>>| {
        let mut request = Request::get(config.server.clone()).body(Body::default()).unwrap();
        if let Some(identity) = identity {
            request.extensions_mut().insert(identity.clone());
        }
        let answer = service.clone().call(request);
        async { String::from_utf8(answer.await.unwrap().into_body().collect().await.unwrap().to_vec()).unwrap() }
    };
    assert!(ask(None).await.contains(&seen(config.tls.identity.as_ref().unwrap())));

    let (first, second) = (Arc::new(authority.client()), Arc::new(authority.client()));
    for _ in 0..2 {
        assert!(ask(Some(&first)).await.contains(&seen(&first)));
    }
    // The same again, from another run.
    assert!(ask(Some(&Arc::new(ClientIdentity::clone(&first)))).await.contains(&seen(&first)));
    until_at_most(1, &server.open).await;
    assert!(ask(Some(&second)).await.contains(&seen(&second)));
    // These were on their way when it was renewed, or have no opinion.
    for late in [Some(&first), None] {
        assert!(ask(late).await.contains(&seen(&second)));
    }
    until_at_most(1, &server.open).await;

    let broken = ClientIdentity { certificate: PemSource::text("nothing"), ..ClientIdentity::clone(&second) };
    let mut request = Request::get(config.server.clone()).body(Body::default()).unwrap();
    request.extensions_mut().insert(Arc::new(broken));
    let error = failure::of_service(service.clone().call(request).await.unwrap_err());
    assert!(error.to_string().contains("no certificate"), "{error}");
    assert!(ask(None).await.contains(&seen(&second)));
}

#[tokio::test]
async fn metrics_tell_of_certificates_and_of_files_that_are_read_again() {
    // As rcgen has it unless it is told otherwise: from 1975 to 4096.
    const EXPIRY: &str = "expiry 67090118400";
    let mut fixture = Fixture::new().await;
    let recording = Recording::default();
    fixture.config.metrics = Some(recording.receiver());
    let rotation = fixture.rotation();
    assert_eq!(recording.take(), [EXPIRY]);
    // Nothing has changed.
    rotation.fresh().await;
    assert!(recording.take().is_empty());

    fixture.renew();
    pass(2).await;
    rotation.fresh().await;
    let told = recording.take();
    let [age, expiry, reload] = &told[..] else { panic!("{told:?}") };
    // In minutes: half a century.
    let age: u64 = age.strip_prefix("age ").unwrap().parse().unwrap();
    assert!(age > 50 * 365 * 24 * 60, "{age}");
    assert_eq!((expiry.as_str(), reload.as_str()), (EXPIRY, "reload ok"));

    fixture.write("ca", &Authority::new().0.pem());
    pass(2).await;
    rotation.fresh().await;
    assert_eq!(recording.take(), ["reload ok"]);

    fixture.write("key", "no key");
    pass(2).await;
    rotation.fresh().await;
    assert_eq!(recording.take(), ["reload failed"]);

    let key = KeyPair::generate().unwrap();
    let certificate = PemSource::text(fixture.authority.sign(&key, &["me"]).pem());
    let granted = Arc::new(ClientIdentity { certificate, key: PemSource::text(key.serialize_pem()) });
    rotation.current(Some(&granted)).unwrap();
    let told = recording.take();
    assert!(told.len() == 2 && told[1] == EXPIRY, "{told:?}");
}

#[tokio::test]
async fn metrics_tell_of_names_and_connections() {
    let mut fixture = Fixture::new().await;
    let recording = Recording::default();
    fixture.config.metrics = Some(recording.receiver());
    ask(&fixture.config).await.unwrap();
    let told = recording.take();
    assert!(
        told.contains(&"resolved localhost".to_owned()) && told.contains(&"connection Ok(())".to_owned()),
        "{told:?}"
    );

    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let mut config = Config::new(&format!("http://{closed}")).unwrap();
    config.metrics = Some(recording.receiver());
    ask(&config).await.unwrap_err();
    // An address needs no name.
    assert_eq!(recording.take(), ["connection Err(Connect)"]);
}
