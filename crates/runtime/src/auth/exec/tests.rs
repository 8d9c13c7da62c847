//! Plugins are small shell scripts that count their runs. Their answer is a file, which tests change.

use std::{fs, path::Path, sync::Weak};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header::AUTHORIZATION};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::sleep;

use super::*;
use crate::{
    auth::{Auth, Granted, Source},
    config::{Credentials, PemSource, Proxy, ProxyUrl},
    metrics::recording::Recording,
};

/// A plugin's folder and the configuration that names the plugin.
struct Script {
    folder: TempDir,
    config: Config,
}

impl Script {
    /// Does this before it answers.
    fn new(before: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("cd \"$FOLDER\"\necho run >> runs\n{before}\ncat answer\n");
        fs::write(folder.path().join("plugin"), text).unwrap();
        let mut exec = ExecConfig::new("sh");
        exec.args = vec![folder.path().join("plugin").display().to_string(), "argument".to_owned()];
        let path = folder.path().display().to_string();
        exec.env = vec![("FOLDER".to_owned(), path.into()), ("SECRET".to_owned(), "of the environment".into())];
        exec.interactive_mode = InteractiveMode::Never;
        let mut config = Config::new("https://kubernetes.example:6443/").unwrap();
        config.credentials = Credentials::Exec(exec);
        let script = Self { folder, config };
        script.answers(&json!({ "token": "first" }));
        script
    }

    fn exec(&mut self) -> &mut ExecConfig {
        match &mut self.config.credentials {
            Credentials::Exec(exec) => exec,
            _ => unreachable!("it was made with exec"),
        }
    }

    fn answers(&self, status: &Value) {
        self.answers_in("v1", status);
    }

    fn answers_in(&self, version: &str, status: &Value) {
        let api_version = format!("client.authentication.k8s.io/{version}");
        let answer = json!({ "kind": "ExecCredential", "apiVersion": api_version, "status": status });
        fs::write(self.path("answer"), answer.to_string()).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.path("runs")).unwrap_or_default().lines().count()
    }

    fn auth(&self) -> Auth {
        auth(&self.config).unwrap()
    }
}

fn auth(config: &Config) -> Result<Auth> {
    Auth::new(config, |_, _| unreachable!("plugins fetch for themselves"))
}

/// The header and what was granted.
async fn ask(auth: &Auth) -> Result<(String, Granted)> {
    let mut headers = HeaderMap::new();
    let granted = auth.authorize(&mut headers).await?;
    let header = headers.get(AUTHORIZATION).map_or("none", |header| header.to_str().unwrap());
    Ok((header.to_owned(), granted))
}

async fn header(auth: &Auth) -> String {
    ask(auth).await.unwrap().0
}

async fn until_exists(path: &Path) {
    while !path.exists() {
        sleep(Duration::from_millis(10)).await;
    }
}

/// Paused time would run ahead of a plugin, so the clock is moved by hand.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn hundred_requests_of_several_clients_wait_for_one_run() {
    let script = Script::new("sleep 0.3");
    let clients = [script.auth(), auth(&script.config.clone()).unwrap()];
    let requests = (0..100).map(|index| {
        let auth = clients[index % 2].clone();
        tokio::spawn(async move { header(&auth).await })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap(), "Bearer first");
    }
    assert_eq!(script.runs(), 1);
    assert_eq!(header(&script.auth()).await, "Bearer first", "a client made later shares it too");
    assert_eq!(script.runs(), 1);
}

#[tokio::test]
async fn a_changed_clone_of_a_configuration_runs_the_plugin_for_itself() {
    let mut script = Script::new("");
    let old = script.auth();
    assert_eq!(header(&old).await, "Bearer first");
    script.answers(&json!({ "token": "second" }));
    script.exec().env[1].1 = "another".into();
    assert_eq!(header(&script.auth()).await, "Bearer second");
    assert_eq!(header(&old).await, "Bearer first");
    assert_eq!(script.runs(), 2);
}

#[tokio::test]
async fn a_request_that_gives_up_does_not_end_the_run_for_the_others() {
    let script = Script::new("touch started; while [ ! -e go ]; do sleep 0.02; done");
    let auth = script.auth();
    let request = |auth: Auth| tokio::spawn(async move { header(&auth).await });
    let (first, second) = (request(auth.clone()), request(auth.clone()));
    until_exists(&script.path("started")).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    fs::write(script.path("go"), "").unwrap();
    assert_eq!(second.await.unwrap(), "Bearer first");
    assert_eq!(script.runs(), 1);
}

#[tokio::test]
async fn a_run_whose_only_request_gave_up_serves_the_next_one() {
    let script = Script::new("touch started; while [ ! -e go ]; do sleep 0.02; done");
    let auth = script.auth();
    let started = script.path("started");
    tokio::select! {
        _ = ask(&auth) => panic!("the plugin waits"),
        () = until_exists(&started) => {}
    }
    fs::write(script.path("go"), "").unwrap();
    assert_eq!(header(&auth).await, "Bearer first");
    assert_eq!(script.runs(), 1);
}

#[tokio::test]
async fn a_refused_credential_is_renewed_once_for_the_next_request() {
    let script = Script::new("");
    let auth = script.auth();
    let (_, first) = ask(&auth).await.unwrap();
    script.answers(&json!({ "token": "second" }));
    auth.refused(&first).await;
    auth.refused(&first).await;
    assert_eq!(script.runs(), 1, "nobody asks for it yet");
    let (now, second) = ask(&auth).await.unwrap();
    assert_eq!(now, "Bearer second");
    // Many requests with the first token were under way.
    auth.refused(&first).await;
    assert_eq!(header(&auth).await, "Bearer second");
    assert_eq!(script.runs(), 2);
    auth.refused(&second).await;
    header(&auth).await;
    assert_eq!(script.runs(), 3);
}

#[tokio::test]
async fn an_answer_is_used_until_its_end_and_for_ever_without_one() {
    let script = Script::new("");
    let auth = script.auth();
    script.answers(&json!({ "token": "first", "expirationTimestamp": "2999-01-01T00:00:00Z" }));
    header(&auth).await;
    pass(Duration::from_secs(100_000)).await;
    header(&auth).await;
    assert_eq!(script.runs(), 1);

    let (_, granted) = ask(&auth).await.unwrap();
    auth.refused(&granted).await;
    script.answers(&json!({ "token": "second", "expirationTimestamp": null }));
    header(&auth).await;
    pass(Duration::from_secs(100_000)).await;
    assert_eq!(header(&auth).await, "Bearer second");
    assert_eq!(script.runs(), 2);
}

#[tokio::test]
async fn an_answer_that_seems_to_be_over_on_arrival_is_used_for_some_seconds() {
    let script = Script::new("");
    let auth = script.auth();
    script.answers(&json!({ "token": "first", "expirationTimestamp": "2001-01-01T00:00:00Z" }));
    for _ in 0..5 {
        assert_eq!(header(&auth).await, "Bearer first");
    }
    assert_eq!(script.runs(), 1);
    script.answers(&json!({ "token": "second", "expirationTimestamp": "2001-01-01T00:00:00Z" }));
    pass(Duration::from_secs(11)).await;
    assert_eq!(header(&auth).await, "Bearer second");
    assert_eq!(script.runs(), 2);
}

#[tokio::test]
async fn the_version_of_the_answer_must_be_the_configured_one() {
    let mut script = Script::new("echo \"$KUBERNETES_EXEC_INFO\" > info; echo \"$1 $SECRET\" > given");
    script.answers_in("v1beta1", &json!({ "token": "abc" }));
    let error = ask(&script.auth()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    let text = error.to_string();
    assert!(
        text.contains("executable sh") && text.contains("apiVersion is client.authentication.k8s.io/v1beta1"),
        "{text}"
    );

    script.exec().api_version = ExecApiVersion::V1Beta1;
    assert_eq!(header(&script.auth()).await, "Bearer abc");
    let info: Value = serde_json::from_slice(&fs::read(script.path("info")).unwrap()).unwrap();
    let expected = json!({
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "spec": { "interactive": false },
    });
    assert_eq!(info, expected);
    assert_eq!(fs::read_to_string(script.path("given")).unwrap(), "argument of the environment\n");
}

#[tokio::test]
async fn the_plugin_is_told_about_the_cluster_where_it_wants_to_be() {
    let mut script = Script::new("echo \"$KUBERNETES_EXEC_INFO\" > info");
    let exec = script.exec();
    exec.provide_cluster_info = true;
    exec.cluster_extension = Some(json!({ "audience": "staging" }));
    script.config.tls.server_name = Some("kubernetes".to_owned());
    script.config.tls.ca = Some(PemSource::text("the authority"));
    script.config.tls.insecure_skip_verify = true;
    script.config.disable_compression = true;
    script.config.proxy = Proxy::Url(ProxyUrl::parse("http://me%40work:pass%2Fword@proxy.example:3128").unwrap());
    let asked = script.auth();
    header(&asked).await;
    let info: Value = serde_json::from_slice(&fs::read(script.path("info")).unwrap()).unwrap();
    let expected = json!({
        "interactive": false,
        "cluster": {
            "server": "https://kubernetes.example:6443",
            "tls-server-name": "kubernetes",
            "insecure-skip-tls-verify": true,
            "certificate-authority-data": BASE64_STANDARD.encode("the authority"),
            "proxy-url": "http://me%40work:pass%2Fword@proxy.example:3128",
            "disable-compression": true,
            "config": { "audience": "staging" },
        },
    });
    assert_eq!(info["spec"], expected);

    script.config.server = "https://other.example".parse().unwrap();
    header(&script.auth()).await;
    assert_eq!(script.runs(), 2, "what is for one cluster is not for another");
}

#[tokio::test]
async fn standard_input_is_given_as_the_interactive_mode_says() {
    let terminal: fn() -> bool = || true;
    let none: fn() -> bool = || false;
    for (mode, stdin, unavailable, expected) in [
        (InteractiveMode::Never, terminal, None, Ok(false)),
        (InteractiveMode::IfAvailable, terminal, None, Ok(true)),
        (InteractiveMode::IfAvailable, none, None, Ok(false)),
        (InteractiveMode::IfAvailable, terminal, Some("it is a manifest"), Ok(false)),
        (InteractiveMode::Always, terminal, None, Ok(true)),
        (InteractiveMode::Always, none, None, Err("standard input is not a terminal")),
        (
            InteractiveMode::Always,
            terminal,
            Some("it is a manifest"),
            Err("standard input is unavailable: it is a manifest"),
        ),
    ] {
        let mut script = Script::new("echo \"$KUBERNETES_EXEC_INFO\" > info");
        let exec = script.exec();
        exec.interactive_mode = mode;
        exec.stdin_unavailable = unavailable.map(str::to_owned);
        let exec = exec.clone();
        let answer = Plugin::with_terminal(&exec, &script.config, stdin).unwrap().credential().await;
        match (answer, expected) {
            (Ok(_), Ok(interactive)) => {
                let info: Value = serde_json::from_slice(&fs::read(script.path("info")).unwrap()).unwrap();
                assert_eq!(info["spec"]["interactive"], interactive, "{mode:?}");
            }
            (Err(error), Err(expected)) => {
                assert!(error.to_string().contains(expected), "{error}");
                assert_eq!(script.runs(), 0);
            }
            (answer, _) => panic!("{mode:?}: {:?}", answer.err()),
        }
    }
}

#[tokio::test]
async fn a_plugin_without_standard_input_reads_its_end_at_once() {
    let script = Script::new("cat > read");
    header(&script.auth()).await;
    assert_eq!(fs::read(script.path("read")).unwrap(), b"");
}

#[tokio::test]
async fn a_missing_program_is_an_error_with_the_hint_how_to_install_it() {
    let mut config = Config::new("https://kubernetes.example").unwrap();
    let mut exec = ExecConfig::new("/nonexistent/plugin");
    config.credentials = Credentials::Exec(exec.clone());
    let error = ask(&auth(&config).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.to_string().starts_with("exec: executable /nonexistent/plugin not found; "), "{error}");

    exec.install_hint = Some("run \u{1b}[1minstall.sh\u{7}\nand go on".to_owned());
    config.credentials = Credentials::Exec(exec);
    let error = ask(&auth(&config).unwrap()).await.unwrap_err().to_string();
    assert!(error.ends_with("not found; run \\u{1b}[1minstall.sh\\u{7}\nand go on"), "{error}");
}

#[tokio::test]
async fn a_failing_plugin_is_an_error_for_all_who_waited_and_is_run_again_for_the_next() {
    let script = Script::new("while [ ! -e go ]; do sleep 0.02; done; [ -e mended ] || { echo secret; exit 7; }");
    let auth = script.auth();
    let requests: Vec<_> = (0..10)
        .map(|_| {
            let auth = auth.clone();
            tokio::spawn(async move { ask(&auth).await.unwrap_err() })
        })
        .collect();
    until_exists(&script.path("runs")).await;
    tokio::task::yield_now().await;
    fs::write(script.path("go"), "").unwrap();
    for request in requests {
        assert_eq!(request.await.unwrap().to_string(), "exec: executable sh failed with exit code 7");
    }
    assert_eq!(script.runs(), 1);
    fs::write(script.path("mended"), "").unwrap();
    assert_eq!(header(&auth).await, "Bearer first");
}

#[tokio::test]
async fn what_a_plugin_answers_is_not_shown_and_not_read_without_end() {
    let script = Script::new("");
    for (answer, words) in [("secret", "not an object of JSON or YAML"), ("{secret", "neither JSON")] {
        fs::write(script.path("answer"), answer).unwrap();
        let error = ask(&script.auth()).await.unwrap_err().to_string();
        let words = format!("executable sh printed no valid ExecCredential: {words}");
        assert!(error.contains(&words) && !error.contains("secret"), "{error}");
    }
    let endless = Script::new("exec yes");
    let error = ask(&endless.auth()).await.unwrap_err().to_string();
    assert!(error.contains("more than 1048576 bytes"), "{error}");
    let killed = Script::new("kill -9 $$");
    let error = ask(&killed.auth()).await.unwrap_err().to_string();
    assert!(error.contains("was ended by a signal"), "{error}");
}

#[tokio::test]
async fn a_plugin_that_hangs_without_a_terminal_is_ended() {
    let mut script = Script::new("exec sleep 600");
    let exec = script.exec().clone();
    let error = run::run(&exec, "{}", false, Some(Duration::from_millis(200))).await.unwrap_err().error.to_string();
    assert!(error.contains("executable sh did not answer within"), "{error}");
}

#[tokio::test]
async fn the_certificate_is_the_same_as_long_as_its_text_is() {
    let script = Script::new("");
    let auth = script.auth();
    let new = || {
        let certified = rcgen::generate_simple_self_signed(Vec::new()).unwrap();
        let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
        json!({ "clientCertificateData": certificate, "clientKeyData": key })
    };
    script.answers(&new());
    let (header, first) = ask(&auth).await.unwrap();
    assert_eq!(header, "none");
    auth.refused(&first).await;
    let (_, second) = ask(&auth).await.unwrap();
    assert_eq!(script.runs(), 2);
    assert!(Arc::ptr_eq(first.identity().unwrap(), second.identity().unwrap()));
    auth.refused(&second).await;
    script.answers(&new());
    let (_, third) = ask(&auth).await.unwrap();
    assert!(!Arc::ptr_eq(second.identity().unwrap(), third.identity().unwrap()));

    script.answers(&json!({ "token": "abc", "clientCertificateData": "no PEM", "clientKeyData": "no PEM" }));
    auth.refused(&third).await;
    assert!(ask(&auth).await.is_err(), "a malformed certificate is not dropped in favour of the token");
}

#[tokio::test]
async fn a_request_with_its_own_authorization_does_not_run_the_plugin() {
    let script = Script::new("");
    let auth = script.auth();
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer mine"));
    let granted = auth.authorize(&mut headers).await.unwrap();
    auth.refused(&granted).await;
    assert_eq!(headers[AUTHORIZATION], "Bearer mine");
    assert_eq!(script.runs(), 0);
}

#[tokio::test]
async fn the_last_client_takes_the_answer_and_a_run_under_way_with_it() {
    let script = Script::new("echo $$ > pid.new; mv pid.new pid; exec sleep 600");
    let auth = script.auth();
    let plugin: Weak<Plugin> = match &auth.source {
        Source::Exec(plugin) => Arc::downgrade(plugin),
        _ => unreachable!("it was made with exec"),
    };
    let pid = script.path("pid");
    tokio::select! {
        _ = ask(&auth) => panic!("the plugin hangs"),
        () = until_exists(&pid) => {}
    }
    let pid = fs::read_to_string(&pid).unwrap().trim().to_owned();
    drop((auth, script));
    assert!(plugin.upgrade().is_none());
    // Where it is gone, or dead and not yet collected, there is no command line any more.
    let command_line = format!("/proc/{pid}/cmdline");
    while fs::read_to_string(&command_line).is_ok_and(|line| line.contains("sleep")) {
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn metrics_tell_how_each_run_of_a_plugin_ended() {
    let told = async |before: &str, change: fn(&mut ExecConfig)| {
        let mut script = Script::new(before);
        change(script.exec());
        let recording = Recording::default();
        script.config.metrics = Some(recording.receiver());
        let auth = script.auth();
        let _ = ask(&auth).await;
        recording.take()
    };
    assert_eq!(told("", |_| ()).await, ["sh NoError no_error"]);
    // What it printed is another matter, as in client-go.
    assert_eq!(told("echo nonsense", |_| ()).await, ["sh NoError no_error"]);
    let failed = "sh ExecutionError { exit_code: Some(3) } plugin_execution_error";
    assert_eq!(told("exit 3", |_| ()).await, [failed]);
    let killed = "sh ExecutionError { exit_code: None } plugin_execution_error";
    assert_eq!(told("kill -9 $$", |_| ()).await, [killed]);
    let missing = |exec: &mut ExecConfig| exec.command = "no-such-plugin".to_owned();
    assert_eq!(told("", missing).await, ["no-such-plugin NotFound plugin_not_found_error"]);
    let no_program = |exec: &mut ExecConfig| exec.command = "/".to_owned();
    assert_eq!(told("", no_program).await, ["/ ClientError client_internal_error"]);
    assert_eq!(told("cat /dev/zero", |_| ()).await, ["sh ClientError client_internal_error"]);
    // What was answered is good for the next request too.
    let mut script = Script::new("");
    let recording = Recording::default();
    script.config.metrics = Some(recording.receiver());
    let auth = script.auth();
    for _ in 0..3 {
        ask(&auth).await.unwrap();
    }
    assert_eq!(recording.take().len(), 1);
}
