//! Logs that go on. No socket is involved, and time is paused.

use std::{
    convert::Infallible,
    future::ready,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::Response;
use http_body_util::StreamBody;
use k8s_client_runtime::{
    ErrorKind, RestClient,
    machine::Process,
    resource::{FollowLogs, LogEvent, LogFollower, Logs},
    rest::{Body, BoxError},
};
use tokio::time::{Instant, sleep};

use crate::{json, nowhere, pods};

/// What a request for the log is answered with.
#[derive(Clone)]
enum Log {
    /// These bytes, and the end of the answer.
    Ends(&'static str),
    /// These bytes, and then the connection is lost.
    Breaks(&'static str),
    /// These bytes, and nothing more for now.
    Stays(&'static str),
    /// So many chunks of a line each, as fast as they are read.
    Lines(usize),
    Refused(u16),
}

use Log::{Breaks, Ends, Lines, Refused, Stays};

/// The states of the pod, in the words of the tests.
fn pod(state: &str) -> Response<Body> {
    let running = |id: &str, restarts: u32, last: &str| {
        format!(r#"{{"name":"main","containerID":"{id}","restartCount":{restarts},"state":{{"running":{{}}}}{last}}}"#)
    };
    let last = |id: &str| format!(r#","lastState":{{"terminated":{{"containerID":"{id}"}}}}"#);
    let ended = r#"{"name":"main","containerID":"a","state":{"terminated":{"containerID":"a"}}}"#;
    let waiting = r#"{"name":"main","state":{"waiting":{"reason":"ContainerCreating"}}}"#;
    let (phase, uid, status) = match state {
        "waiting" => ("Pending", "u", waiting.to_owned()),
        "running" => ("Running", "u", running("a", 0, "")),
        "restarted" => ("Running", "u", running("b", 1, &last("a"))),
        "restarted twice" => ("Running", "u", running("c", 2, &last("b"))),
        "stopped" => ("Running", "u", ended.to_owned()),
        "over" => ("Succeeded", "u", ended.to_owned()),
        "another" => ("Running", "v", running("a", 0, "")),
        "forbidden" => return json(403, "{}"),
        "unauthorized" => return json(401, "{}"),
        "gone" => return json(404, r#"{"kind":"Status","apiVersion":"v1","reason":"NotFound","code":404}"#),
        "away" => return json(503, "{}"),
        other => panic!("no pod is {other}"),
    };
    let text = format!(
        r#"{{"metadata":{{"uid":"{uid}"}},"spec":{{"containers":[{{"name":"main"}}]}},"status":{{"phase":"{phase}","containerStatuses":[{status}]}}}}"#
    );
    Response::builder().header("content-type", "application/json").body(Body::from(text)).expect("a valid answer")
}

fn log(answer: &Log) -> Response<Body> {
    let chunk = |text: &'static str| Ok(http_body::Frame::data(Bytes::from_static(text.as_bytes())));
    let body = match *answer {
        Ends(text) => Body::from(text),
        Breaks(text) => {
            let lost = Err(io::Error::from(io::ErrorKind::ConnectionReset));
            Body::new(StreamBody::new(stream::iter([chunk(text), lost])))
        }
        Stays(text) => Body::new(StreamBody::new(
            stream::iter([chunk(text)]).map(|it: Result<_, io::Error>| it).chain(stream::pending()),
        )),
        Lines(count) => Body::new(StreamBody::new(stream::iter((0..count).map(|number| {
            let line = format!("2026-11-27T10:00:00.{number:09}Z line {number}\n");
            Ok::<_, Infallible>(http_body::Frame::data(Bytes::from(line)))
        })))),
        Refused(code) => return json(code, "{}"),
    };
    Response::builder().header("content-type", "text/plain").body(body).expect("a valid answer")
}

/// A server with these answers, each in its turn; the last one is given again and again. The pod as it is before the
/// log is asked for does not count.
struct Server {
    client: RestClient,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(logs: &[Log], states: &[&'static str]) -> Self {
        Self::with_before(states[0], logs, states)
    }

    /// The same, where the pod has been in another state before the log was asked for.
    fn with_before(before: &'static str, logs: &[Log], states: &[&'static str]) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        let (logs, states) = (logs.to_vec(), states.to_vec());
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let uri = request.uri().to_string();
            let uri = uri.strip_prefix("http://nowhere/api/v1/namespaces/ns/pods/web").expect("of the pod").to_owned();
            let mut seen = seen.lock().expect("nobody panics");
            let is_log = uri.starts_with("/log");
            if seen.is_empty() && !is_log {
                return ready(Ok(pod(before)));
            }
            let number = seen.iter().filter(|before: &&String| before.starts_with("/log") == is_log).count();
            seen.push(uri);
            let answer =
                if is_log { log(&logs[number.min(logs.len() - 1)]) } else { pod(states[number.min(states.len() - 1)]) };
            ready(Ok::<_, BoxError>(answer))
        });
        let client = RestClient::from_service(&nowhere(), service).expect("a valid configuration");
        Self { client, requests }
    }

    fn logs(&self) -> Logs {
        pods(&self.client).logs("web").container("main")
    }

    async fn follow(&self) -> LogFollower {
        self.logs().follow_on().await.expect("the log begins")
    }

    /// What was asked for since the last time, without what all requests for the log have.
    fn asked(&self) -> Vec<String> {
        let requests = std::mem::take(&mut *self.requests.lock().expect("nobody panics"));
        let shown = |request: &String| match request.strip_prefix("/log?container=main") {
            Some(rest) => format!("log{}", rest.replace("&timestamps=true", "").replace("2026-11-27T10%3A00%3A", "")),
            None => "pod".to_owned(),
        };
        requests.iter().map(shown).collect()
    }
}

/// Everything up to the end, a line each.
async fn all(mut log: LogFollower) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        match log.try_next().await {
            Ok(Some(LogEvent::Line(line))) => all.push(line.to_string()),
            Ok(Some(LogEvent::Message(text))) => all.push(format!("!{text}")),
            Ok(Some(LogEvent::Incomplete { reason })) => {
                // Of errors their code.
                let code = ["400", "404"].into_iter().find(|code| reason.contains(code));
                all.push(format!("…{}", code.unwrap_or(&reason)));
            }
            Ok(Some(other)) => all.push(format!("{other:?}")),
            Ok(None) => return all,
            Err(error) => all.push(error.code().map_or_else(|| error.to_string(), |code| code.to_string())),
        }
    }
}

/// Chooses where a log begins.
type Options = fn(Logs) -> Logs;

const A: &str = "2026-11-27T10:00:05.1Z a\n";
const AB: &str = "2026-11-27T10:00:05.1Z a\n2026-11-27T10:00:05.2Z b\n";
const A_HALF: &str = "2026-11-27T10:00:05.1Z a\n2026-11-27T10:00:05.2Z";
const BC: &str = "2026-11-27T10:00:05.2Z b\n2026-11-27T10:00:07Z c\n";
const CD: &str = "2026-11-27T10:00:07Z c\n2026-11-27T10:00:08Z d";
const ABCD: &str = "2026-11-27T10:00:05.1Z a\n2026-11-27T10:00:05.2Z b\n2026-11-27T10:00:07Z c\n2026-11-27T10:00:08Z d";

#[tokio::test(start_paused = true)]
async fn log_goes_on_through_lost_connections_and_answers_that_end() {
    let logs = [Breaks(A_HALF), Ends(AB), Refused(500), Refused(404), Ends(BC), Ends(CD)];
    let states = ["running", "running", "away", "running", "running", "running", "over"];
    let server = Server::new(&logs, &states);
    assert_eq!(all(server.follow().await).await, ["a", "b", "c", "d"]);
    // A second before that of the last line; at last without waiting for more.
    let since = |second: u32| format!("log&follow=true&sinceTime=0{second}Z");
    let asked: Vec<_> = server.asked().into_iter().filter(|request| request != "pod").collect();
    let expected =
        ["log&follow=true".to_owned(), since(4), since(4), since(4), since(4), "log&sinceTime=06Z".to_owned()];
    assert_eq!(asked, expected);
}

#[tokio::test(start_paused = true)]
async fn options_choose_the_beginning_only() {
    let server = Server::new(&[Breaks(A), Ends(A)], &["running", "running", "over"]);
    let log = server.logs().tail_lines(7).since_seconds(60).follow_on();
    assert_eq!(all(log.await.expect("a log")).await, ["a"]);
    let asked = server.asked();
    assert_eq!(asked[0], "log&follow=true&sinceSeconds=60&tailLines=7");
    assert_eq!(asked[3], "log&follow=true&sinceTime=04Z");
}

#[tokio::test(start_paused = true)]
async fn before_the_first_line_the_beginning_stays_where_it_was() {
    let since = |logs: Logs| logs.since_time("2026-11-27T10:00:00Z".parse().expect("a time"));
    let silent = [Ends(""), Ends(""), Ends(""), Ends("")];
    let options: [(Options, &str); 6] = [
        (|logs| logs, "log&follow=true"),
        (|logs| logs.tail_lines(3), "log&follow=true"),
        (|logs| logs.tail_lines(3).since_seconds(60), "log&follow=true&sinceSeconds=62"),
        // A moment that was 60 seconds ago is 62 seconds ago now, if not quite.
        (|logs| logs.since_seconds(60), "log&follow=true&sinceSeconds=62"),
        (|logs| logs.tail_lines(0), "log&follow=true&sinceSeconds=2"),
        (since, "log&follow=true&sinceTime=00Z"),
    ];
    for (choose, expected) in options {
        let server = Server::new(&silent, &["running", "running", "running", "running", "running", "over"]);
        assert_eq!(all(choose(server.logs()).follow_on().await.expect("a log")).await, [""; 0]);
        let asked: Vec<_> = server.asked().into_iter().filter(|request| request != "pod").collect();
        assert!(asked.len() > 3, "{asked:?}");
        // Up to two seconds have passed.
        let third = asked[2].replace("sinceSeconds=61", "sinceSeconds=62").replace("sinceSeconds=1", "sinceSeconds=2");
        assert_eq!(third, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn last_lines_do_not_become_the_whole_log_if_the_first_connection_breaks() {
    let server = Server::new(&[Breaks(""), Refused(500), Breaks(""), Ends(A), Ends(A)], &["running"; 9]);
    let mut log = server.logs().tail_lines(3).follow_on().await.expect("a log");
    assert!(matches!(log.try_next().await, Ok(Some(LogEvent::Line(line))) if line == "a"));
    let asked: Vec<_> = server.asked().into_iter().filter(|request| request != "pod").collect();
    assert_eq!(asked[..4], [(); 4].map(|()| "log&follow=true&tailLines=3".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn end_of_the_answer_is_the_end_only_if_nobody_may_look() {
    let server = Server::new(&[Breaks(A_HALF), Breaks(""), Ends(ABCD)], &["forbidden"]);
    assert_eq!(all(server.follow().await).await, ["a", "b", "c", "d"]);
    assert_eq!(server.asked().iter().filter(|request| *request != "pod").count(), 3);
    // What answers that there is no such pod does not break off.
    let server = Server::new(&[Breaks(A), Refused(404)], &["forbidden"]);
    assert_eq!(all(server.follow().await).await, ["a", "…404"]);
}

#[tokio::test(start_paused = true)]
async fn log_ends_with_its_pod() {
    for state in ["gone", "another"] {
        let server = Server::new(&[Ends(ABCD)], &["running", state]);
        assert_eq!(all(server.follow().await).await, ["a", "b", "c", "d"], "{state}");
        assert_eq!(server.asked(), ["log&follow=true", "pod", "pod"], "{state}");
        // What was cut off may have had more.
        let server = Server::new(&[Breaks(A)], &["running", state]);
        let [line, incomplete] = &all(server.follow().await).await[..] else { panic!("two events") };
        assert!(line == "a" && incomplete.starts_with("…"), "{state}: {incomplete}");
    }
}

#[tokio::test(start_paused = true)]
async fn log_of_another_pod_of_the_same_name_is_not_taken() {
    let opened = |server: &Server| server.asked().iter().filter(|request| *request != "pod").count();
    // Before it is opened, and after. The pod as it is at first does not count.
    for (before, states, events) in [("another", &["another"][..], 0), ("running", &["another"], 1)] {
        let server = Server::with_before(before, &[Stays(A)], states);
        let log = server.logs().follow_on().of_instance("u", "a").await.expect("a log");
        let all = all(log).await;
        assert!(all.len() == events && !all.contains(&"a".to_owned()), "{all:?}");
        assert_eq!(opened(&server), events);
    }
    let server = Server::with_before("running", &[Stays(A)], &["another"]);
    assert_eq!(all(server.follow().await).await, ["…another pod got the name while the log was opened"]);
    // One that was removed since was the one whose log was opened.
    let server = Server::with_before("running", &[Ends(ABCD)], &["gone"]);
    assert_eq!(all(server.follow().await).await, ["a", "b", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn instance_that_is_known_is_waited_for_through_errors_of_the_first_try() {
    let server = Server::new(&[Refused(500), Refused(403), Refused(404), Ends(ABCD)], &["running"; 5]);
    let mut log = server.logs().tail_lines(4).follow_on().of_instance("u", "a").await.expect("a log");
    for expected in ["a", "b", "c"] {
        assert!(matches!(log.try_next().await, Ok(Some(LogEvent::Line(line))) if line == expected));
    }
    // Its beginning is chosen each time.
    let asked: Vec<_> = server.asked().into_iter().filter(|request| request != "pod").collect();
    assert_eq!(asked[..4], [(); 4].map(|()| "log&follow=true&tailLines=4".to_owned()));
    // Who may not read it is told.
    let server = Server::new(&[Refused(403)], &["running"]);
    assert_eq!(all(server.logs().follow_on().of_instance("u", "a").await.expect("a log")).await, ["403"]);
}

#[tokio::test(start_paused = true)]
async fn rest_of_a_container_that_has_ended_is_read() {
    for (state, query) in [("stopped", ""), ("over", ""), ("restarted", "&previous=true")] {
        let logs = [Breaks(A_HALF), Refused(500), Breaks(AB), Ends(ABCD)];
        let server = Server::new(&logs, &["running", state]);
        assert_eq!(all(server.follow().await).await, ["a", "b", "c", "d"], "{state}");
        let asked = server.asked();
        assert_eq!(asked[3], format!("log{query}&sinceTime=04Z"), "{asked:?}");
    }
    // What the runtime has removed cannot be read, and that is told.
    let server = Server::new(&[Breaks(A), Refused(400)], &["running", "stopped"]);
    assert_eq!(all(server.follow().await).await, ["a", "…400"]);
    let server = Server::new(&[Breaks(A)], &["running", "restarted twice"]);
    let lost = "…the container has been started again since, more than once";
    assert_eq!(all(server.follow().await).await, ["a", lost]);
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn rest_of_a_log_is_read_for_as_long_as_more_of_it_comes() {
    let line = |second: usize| format!("2026-11-27T10:00:{second:02}Z {second}\n");
    // Each answer begins a second before what is known, and breaks off a line later.
    let lines = |last: usize| -> &'static str { (last.max(3) - 2..=last).map(line).collect::<String>().leak() };
    let logs: Vec<_> = (1..=12).map(|last| Breaks(lines(last))).chain([Ends(lines(13))]).collect();
    let server = Server::new(&logs, &["running", "stopped"]);
    let expected: Vec<_> = (1..=13).map(|second| second.to_string()).collect();
    assert_eq!(all(server.follow().await).await, expected);
    // Not for ever if nothing comes.
    let server = Server::new(&[Breaks(A)], &["running", "stopped"]);
    let all = all(server.follow().await).await;
    assert!(all.len() == 2 && server.asked().len() < 20, "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn next_instance_is_followed_if_that_is_wanted() {
    let logs = [Ends(A), Ends(AB), Ends(A), Ends(AB), Ends(AB)];
    let restarted = ["restarted"; 4];
    let states = [&["running", "stopped", "stopped", "stopped"][..], &restarted, &["restarted twice"]].concat();
    let server = Server::new(&logs, &states);
    let log = server.logs().tail_lines(1).since_seconds(5).follow_on().through_restarts();
    let mut log = log.await.expect("a log");
    let mut events = Vec::new();
    while events.len() < 6 {
        match log.try_next().await.expect("no error").expect("no end") {
            LogEvent::Line(line) => events.push(line.to_string()),
            LogEvent::Restarted { restart_count } => events.push(format!("restart {restart_count}")),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(events, ["a", "b", "restart 1", "a", "b", "restart 2"]);
    let asked: Vec<_> = server.asked().into_iter().filter(|request| request != "pod").collect();
    let expected = ["log&follow=true&sinceSeconds=5&tailLines=1", "log&sinceTime=04Z", "log&follow=true"];
    assert_eq!(asked[..3], expected);
    assert_eq!(asked[3], "log&follow=true&sinceTime=04Z");
}

#[tokio::test(start_paused = true)]
async fn log_of_the_next_instance_is_not_taken_for_that_of_the_last() {
    // The pod is said to run for a moment after its container has been started again.
    const NEXT: &str = "2026-11-27T10:00:06Z next\n";
    for lines in [NEXT, ""] {
        let logs = [Ends(A), Stays(lines), Ends(AB), Stays(NEXT)];
        let states = ["running", "running", "restarted"];
        let server = Server::new(&logs, &states);
        assert_eq!(all(server.follow().await).await, ["a", "b"]);
        let asked: Vec<_> = server.asked().into_iter().filter(|request| request != "pod").collect();
        let since = "&sinceTime=04Z";
        let expected =
            ["log&follow=true".to_owned(), format!("log&follow=true{since}"), format!("log&previous=true{since}")];
        assert_eq!(asked, expected);
    }
    // What can be read of a file that was rotated meanwhile is given out after a moment.
    let server = Server::new(&[Breaks(A), Stays(NEXT)], &["running"]);
    let mut log = server.follow().await;
    for expected in ["a", "next"] {
        assert!(matches!(log.try_next().await, Ok(Some(LogEvent::Line(line))) if line == expected));
    }
}

#[tokio::test(start_paused = true)]
async fn instance_is_the_one_from_before_the_log_was_asked_for() {
    // The container is started again while its log is opened, so nobody knows whose log it is.
    for before in ["running", "stopped"] {
        let logs = [Stays("2026-11-27T10:00:06Z next\n"), Ends(AB), Stays(A)];
        let server = Server::with_before(before, &logs, &["restarted"]);
        assert_eq!(all(server.follow().await).await, ["a", "b"]);
        assert_eq!(server.asked(), ["log&follow=true", "pod", "pod", "log&previous=true", "pod"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_over_starts_nothing_again() {
    let server = Server::new(&[Ends(A)], &["running", "stopped", "over"]);
    assert_eq!(all(server.logs().follow_on().through_restarts().await.expect("a log")).await, ["a"]);
}

#[tokio::test(start_paused = true)]
async fn container_that_has_not_started_is_an_error_or_waited_for() {
    let server = Server::new(&[Refused(400)], &["waiting"]);
    assert!(server.logs().follow_on().await.expect_err("nothing to read").is_bad_request());
    assert_eq!(server.asked(), ["log&follow=true"]);

    let logs = [Refused(400), Refused(400), Stays(A)];
    let server = Server::new(&logs, &["waiting", "running", "running"]);
    let mut log = server.logs().follow_on().wait_for_start().await.expect("it starts");
    assert!(matches!(log.try_next().await, Ok(Some(LogEvent::Line(line))) if line == "a"));

    let server = Server::new(&[Refused(400)], &["waiting", "gone"]);
    assert!(server.logs().follow_on().wait_for_start().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_the_server_says_itself_is_no_line() {
    const LOST: &str = "failed to open log file \"/var/log/pods/x/0.log\": no such file\u{1b}[2J";
    let server = Server::new(&[Ends(A), Ends(LOST), Ends(LOST), Ends(AB)], &["running"; 4]);
    let mut log = server.follow().await;
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(log.try_next().await.expect("no error").expect("no end"));
    }
    assert!(matches!(&events[0], LogEvent::Line(line) if *line == "a" && line.timestamp().is_some()), "{events:?}");
    let message = r#"failed to open log file "/var/log/pods/x/0.log": no such file\u{1b}[2J"#;
    assert_eq!(events[1], LogEvent::Message(message.to_owned()));
    assert!(matches!(&events[2], LogEvent::Line(line) if *line == "b"), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn refusal_of_what_was_allowed_ends_it_if_it_lasts() {
    // A server that has just been started does not know its rules yet.
    let server = Server::new(
        &[Breaks(A), Refused(403), Refused(401), Ends(AB)],
        &["running", "running", "running", "running", "over"],
    );
    assert_eq!(all(server.follow().await).await, ["a", "b"]);
    let server = Server::new(&[Breaks(A), Refused(403)], &["running"]);
    assert_eq!(all(server.follow().await).await, ["a", "403"]);
    // Credentials that have ended are refused for the pod, too, which is asked for first.
    let server = Server::new(&[Breaks(A), Refused(401)], &["running", "unauthorized"]);
    assert_eq!(all(server.follow().await).await, ["a", "401"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_from_the_beginning_is_told_at_once() {
    for code in [401, 403, 404, 422, 500] {
        let server = Server::new(&[Refused(code)], &["running"]);
        assert_eq!(server.logs().follow_on().await.expect_err("refused").code(), Some(code));
        assert_eq!(server.asked().len(), 1);
    }
    let wrong: [fn(Logs) -> FollowLogs; 2] =
        [|logs| logs.previous().follow_on(), |logs| logs.limit_bytes(10).follow_on()];
    for follow in wrong {
        let server = Server::new(&[Ends(A)], &["running"]);
        let error = follow(server.logs()).await.expect_err("it would end by itself");
        assert!(error.kind() == ErrorKind::Request && error.to_string().contains("ends by itself"), "{error}");
        assert_eq!(server.asked(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn server_that_is_away_is_asked_with_growing_pauses() {
    let server = Server::new(&[Breaks(A), Refused(500)], &["running"]);
    let mut log = server.follow().await;
    assert!(log.try_next().await.expect("a line").is_some());
    let started = Instant::now();
    tokio::select! {
        event = log.try_next() => panic!("{event:?}"),
        () = sleep(Duration::from_secs(600)) => {}
    }
    // At most each 10 seconds and the half of it by chance, and at least each 15.
    let asked = server.asked().iter().filter(|request| *request != "pod").count();
    assert!((40..=70).contains(&asked), "{asked} in {:?}", started.elapsed());
    // Nobody follows for a reader that has gone.
    drop(log);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(server.asked(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn log_is_read_ahead_up_to_the_buffer() {
    let server = Server::new(&[Lines(100_000), Ends("")], &["running", "over"]);
    let mut log = server.logs().follow_on().buffer_bytes(4000).await.expect("a log");
    sleep(Duration::from_secs(1)).await;
    // The answer has not been read to its end, so nobody has looked at the pod a second time.
    assert_eq!(server.asked(), ["log&follow=true", "pod"]);
    let mut count = 0;
    while let Some(event) = log.try_next().await.expect("no error") {
        assert!(matches!(&event, LogEvent::Line(line) if *line == *format!("line {count}")), "{event:?}");
        count += 1;
    }
    assert_eq!(count, 100_000);
}

#[tokio::test]
async fn a_very_long_line_comes_in_pieces_and_bytes_are_as_they_were() {
    const PIECE: usize = 16 << 20;
    let content: Vec<u8> =
        (0..20_000_000_u32).map(|number| (number % 251) as u8).map(|it| if it == 10 { 255 } else { it }).collect();
    for (stamp, follows) in [("", false), ("2026-11-27T10:00:05.1Z ", true)] {
        let mut text = stamp.as_bytes().to_vec();
        text.extend(&content);
        text.extend(b"\n\xff\r\n");
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let chunks: Vec<_> = text.chunks(60_001).map(Bytes::copy_from_slice).collect();
            let is_log = request.uri().path().ends_with("/log");
            async move {
                let chunks = chunks.into_iter().map(|chunk| Ok::<_, Infallible>(http_body::Frame::data(chunk)));
                let body = Body::new(StreamBody::new(stream::iter(chunks)));
                Ok::<_, BoxError>(if is_log { Response::new(body) } else { pod("forbidden") })
            }
        });
        let client = RestClient::from_service(&nowhere(), service).expect("a valid configuration");
        let logs = pods(&client).logs("web");
        let mut pieces = Vec::new();
        if follows {
            let mut log = logs.follow_on().await.expect("a log");
            while let Some(event) = log.try_next().await.expect("no error") {
                match event {
                    LogEvent::Line(line) => pieces.push(line),
                    // The second line has no stamp.
                    other => assert_eq!(other, LogEvent::Message("\u{fffd}".to_owned())),
                }
            }
        } else {
            let mut lines = logs.lines().await.expect("a log");
            while let Some(line) = lines.try_next().await.expect("no error") {
                pieces.push(line);
            }
            let last = pieces.pop().expect("a line");
            assert_eq!(
                (&last.bytes()[..], last.to_string().as_str(), last.ends()),
                (&b"\xff\r"[..], "\u{fffd}\r", true)
            );
        }
        let lengths: Vec<_> = pieces.iter().map(|piece| (piece.bytes().len(), piece.ends())).collect();
        assert_eq!(lengths, [(PIECE - stamp.len(), false), (content.len() + stamp.len() - PIECE, true)]);
        assert!(pieces.iter().flat_map(|piece| piece.bytes().iter()).eq(&content), "the bytes are others");
    }
}

#[tokio::test(start_paused = true)]
async fn log_is_not_followed_by_a_program_that_was_killed() {
    let server = Server::new(&[Ends("2026-11-27T10:00:00Z a\n")], &["running"]);
    let process = Arc::<Process>::default();
    let _log = process.clone().run(server.follow()).await;
    sleep(Duration::from_secs(60)).await;
    assert!(server.asked().len() > 2, "it asks again and again");
    process.kill();
    sleep(Duration::from_secs(600)).await;
    assert_eq!(server.asked(), [""; 0]);
}
