//! The two servers: the real one and the fake one, asked in the same way.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use k8s_client_fake::FakeServer;
use k8s_client_runtime::{
    Config, RestClient,
    http::{HeaderMap, Request, Response, header},
    rest::{Body, HttpService},
};
use k8s_client_test_harness::ControlPlane;
use serde_json::{Value, json};
use tower_layer::Layer;
use tower_service::Service as _;

use crate::{
    TestResult,
    kinds::{DEFINITIONS, definitions},
    step::Step,
};

/// An answer whose body has been read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    /// The headers that say something to clients.
    pub(crate) headers: Value,
    /// A text if it is no JSON.
    pub(crate) body: Value,
    /// When it was sent, in seconds after 1970.
    pub(crate) date: u64,
}

/// An answer that goes on, if it is a watch.
pub(crate) enum Started {
    Answer(Answer),
    Watch(Box<Watch>),
}

/// A watch that is open.
pub(crate) struct Watch {
    pub(crate) head: Answer,
    body: Body,
    text: Vec<u8>,
    /// The events that have come.
    pub(crate) events: Vec<Value>,
    /// Whether the server has ended it.
    pub(crate) is_over: bool,
}

impl Watch {
    /// Reads what comes until there are so many events and then for as long as it is not quiet.
    pub(crate) async fn read(&mut self, count: usize, patience: Duration, quiet: Duration) {
        let start = Instant::now();
        while !self.is_over {
            let rest = if self.events.len() < count { patience.saturating_sub(start.elapsed()) } else { quiet };
            match tokio::time::timeout(rest, self.body.chunk()).await {
                Ok(Some(Ok(chunk))) => self.take(&chunk),
                Ok(_) => self.is_over = true,
                Err(_) => break,
            }
        }
    }

    fn take(&mut self, chunk: &[u8]) {
        self.text.extend_from_slice(chunk);
        while let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.text.drain(..=end).collect();
            let event = parsed(&line);
            if !comes_by_the_clock(&event) {
                self.events.push(event);
            }
        }
    }
}

/// A bookmark that ends no initial events comes by the clock: of a watch that is open for a second, because the machine
/// is busy, a real server may send one already.
fn comes_by_the_clock(event: &Value) -> bool {
    event["type"] == "BOOKMARK" && !event.to_string().contains("k8s.io/initial-events-end")
}

fn parsed(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|_| String::from_utf8_lossy(text).into())
}

/// The real server.
#[derive(Clone)]
pub(crate) struct Real {
    service: HttpService,
    origin: String,
    _client: RestClient,
}

/// Keeps the service that a client sends its requests to.
struct Keep(Arc<Mutex<Option<HttpService>>>);

impl Layer<HttpService> for Keep {
    type Service = HttpService;

    fn layer(&self, service: HttpService) -> HttpService {
        *self.0.lock().expect("nobody panics with it") = Some(service.clone());
        service
    }
}

impl Real {
    pub(crate) async fn of(plane: &ControlPlane) -> TestResult<Self> {
        let kept = Arc::new(Mutex::new(None));
        let config = Config::from_kubeconfig(plane.kubeconfig())?;
        let client = RestClient::builder(&config).layer(Keep(Arc::clone(&kept))).build()?;
        let service = kept.lock().map_err(|_| "somebody panicked")?.take().ok_or("the layer was not asked")?;
        let origin = config.server.to_string().trim_end_matches('/').to_owned();
        let real = Self { service, origin, _client: client };
        for definition in definitions() {
            let step = Step::new("POST", DEFINITIONS.to_owned()).with(definition.clone());
            real.expect(&step).await?;
            let name = definition["metadata"]["name"].as_str().unwrap_or_default();
            real.wait_until_served(&definition, name).await?;
        }
        Ok(real)
    }

    /// Custom resources are served a moment after their definition is there.
    async fn wait_until_served(&self, definition: &Value, name: &str) -> TestResult {
        let spec = &definition["spec"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let path = format!(
            "/apis/{}/{}/{}",
            text(&spec["group"]),
            text(&spec["versions"][0]["name"]),
            text(&spec["names"]["plural"])
        );
        for _ in 0..2400 {
            if self.expect(&Step::new("GET", path.clone())).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("{name} is not served").into())
    }

    async fn expect(&self, step: &Step) -> TestResult<Value> {
        match self.send(step, "default", &[]).await? {
            Started::Answer(answer) if answer.code < 300 => Ok(answer.body),
            Started::Answer(answer) => Err(format!("{step}: {} {}", answer.code, answer.body).into()),
            Started::Watch(_) => Err(format!("{step} is a watch").into()),
        }
    }

    /// Makes the namespace of a sequence; the time at which it did.
    pub(crate) async fn make(&self, namespace: &str) -> TestResult<u64> {
        let mut time = 0;
        for step in beginning(namespace) {
            let made = self.expect(&step).await?;
            time = made["metadata"]["creationTimestamp"].as_str().and_then(seconds_of_time).unwrap_or(time);
        }
        Ok(time)
    }

    pub(crate) async fn send(&self, step: &Step, namespace: &str, answers: &[Value]) -> TestResult<Started> {
        let request = request(step, &self.origin, namespace, answers)?;
        let response = self.service.clone().call(request).await?;
        started(step, response).await
    }
}

/// A fake server with a clock that is set.
pub(crate) struct Fake {
    server: FakeServer,
    started: Instant,
    /// What its clock showed at its start, after the steps that it was given.
    shows: Duration,
}

/// What the clock of a server with a seed shows when it starts.
const START: Duration = Duration::from_secs(1_767_225_600);

impl Fake {
    /// A server with what the real one has at the beginning of a sequence.
    pub(crate) async fn beginning(namespace: &str, time: u64) -> TestResult<Self> {
        let mut fake = Self { server: FakeServer::builder().seed(1).start(), started: Instant::now(), shows: START };
        fake.set_clock(time);
        let definitions = definitions();
        let definitions = definitions.iter().map(|it| Step::new("POST", DEFINITIONS.to_owned()).with(it.clone()));
        for step in definitions.chain(beginning(namespace)) {
            match fake.send(&step, namespace, &[]).await? {
                Started::Answer(answer) if answer.code < 300 => {}
                Started::Answer(answer) => return Err(format!("{step}: {} {}", answer.code, answer.body).into()),
                Started::Watch(_) => {}
            }
        }
        fake.server.compact_all();
        Ok(fake)
    }

    /// Sets its clock to the middle of a second.
    pub(crate) fn set_clock(&mut self, second: u64) {
        let wanted = Duration::from_millis(second * 1_000 + 500);
        let shown = self.shows + self.started.elapsed();
        self.server.set_clock_forward(wanted.saturating_sub(shown));
        self.server.set_clock_back(shown.saturating_sub(wanted));
        self.shows = wanted.saturating_sub(self.started.elapsed());
    }

    pub(crate) async fn send(&self, step: &Step, namespace: &str, answers: &[Value]) -> TestResult<Started> {
        let request = request(step, "http://fake", namespace, answers)?;
        let response = self.server.clone().call(request).await?;
        started(step, response).await
    }
}

/// What is there before a sequence begins: its namespace, and the account of its pods.
fn beginning(namespace: &str) -> Vec<Step> {
    let account = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
    vec![
        Step::new("POST", "/api/v1/namespaces".to_owned()).with(json!({"metadata": {"name": namespace}})),
        Step::new("POST", account).with(json!({"metadata": {"name": "default"}})),
    ]
}

fn request(step: &Step, origin: &str, namespace: &str, answers: &[Value]) -> TestResult<Request<Body>> {
    let (target, body) = step.resolved(namespace, answers);
    let mut request = Request::builder().method(step.method).uri(format!("{origin}{target}"));
    request = request.header(header::ACCEPT, step.accept).header(header::USER_AGENT, step.agent);
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, step.content_type);
    }
    Ok(request.body(Body::from(body))?)
}

async fn started(step: &Step, response: Response<Body>) -> TestResult<Started> {
    let (code, headers) = (response.status().as_u16(), headers(response.headers()));
    let date = response.headers().get(header::DATE).and_then(|date| date.to_str().ok()).map_or(0, seconds);
    if step.is_watch() && code == 200 {
        let head = Answer { code, headers, body: Value::Null, date };
        let body = response.into_body();
        let watch = Watch { head, body, text: Vec::new(), events: Vec::new(), is_over: false };
        return Ok(Started::Watch(Box::new(watch)));
    }
    let body = response.into_body().collect().await?;
    Ok(Started::Answer(Answer { code, headers, body: parsed(&body), date }))
}

fn headers(headers: &HeaderMap) -> Value {
    let mut said = json!({});
    for name in [header::CONTENT_TYPE, header::WARNING, header::RETRY_AFTER, header::CACHE_CONTROL, header::ALLOW] {
        let values: Vec<&str> = headers.get_all(&name).iter().filter_map(|value| value.to_str().ok()).collect();
        if !values.is_empty() {
            said[name.as_str()] = json!(values);
        }
    }
    said
}

/// The seconds after 1970 of a date such as `Fri, 27 Nov 2026 14:06:08 GMT`.
fn seconds(date: &str) -> u64 {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let words: Vec<&str> = date.split([' ', ':']).collect();
    let number = |index: usize| words.get(index).and_then(|word| word.parse().ok()).unwrap_or(0);
    let month = words.get(2).and_then(|month| MONTHS.find(month)).map_or(0, |place| place as u64 / 3 + 1);
    seconds_of(number(3), month, number(1)) + number(4) * 3_600 + number(5) * 60 + number(6)
}

/// The seconds from 1970 to the beginning of a day.
fn seconds_of(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year.saturating_sub(1) } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day.saturating_sub(1);
    let day_of_era = (year % 400) * 365 + (year % 400) / 4 - (year % 400) / 100 + day_of_year;
    ((year / 400) * 146_097 + day_of_era).saturating_sub(719_468) * 86_400
}

/// The seconds after 1970 of a time such as `2026-11-27T14:06:08Z`.
pub(crate) fn seconds_of_time(time: &str) -> Option<u64> {
    let time = time.strip_suffix('Z')?;
    let numbers: Vec<u64> = time.split(['-', 'T', ':']).map(str::parse).collect::<Result<_, _>>().ok()?;
    let [year, month, day, hour, minute, second] = numbers[..] else { return None };
    Some(seconds_of(year, month, day) + hour * 3_600 + minute * 60 + second)
}
