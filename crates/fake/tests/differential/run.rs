//! Sequences sent to both servers, step by step.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    TestResult, known,
    normal::{Drawn, difference, newest_time},
    server::{Fake, Real, Started, Watch},
    step::Sequence,
};

/// How long the real server may take to send what the fake one has sent.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it is waited for what the real server sends and the fake one does not.
const QUIET: Duration = Duration::from_millis(60);

/// What a real server answered to a sequence, as it is compared.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) sequence: Sequence,
    namespace: String,
    /// When it began.
    begun: u64,
    /// The answers by step, and the time of each.
    answers: Vec<(Value, u64)>,
    /// The events of watches, by step.
    events: Vec<(usize, Value)>,
    order: Vec<usize>,
}

/// Where the servers part.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) sequence: Sequence,
    pub(crate) step: Option<usize>,
    pub(crate) what: &'static str,
    pub(crate) real: Value,
    pub(crate) fake: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.sequence)?;
        match self.step {
            Some(step) => writeln!(f, "{} of step {step}", self.what)?,
            None => writeln!(f, "{}", self.what)?,
        }
        write!(f, "{}", difference(&self.real, &self.fake))
    }
}

/// One server's side of a sequence.
#[derive(Default)]
struct Side {
    /// The bodies of answers as they came.
    bodies: Vec<Value>,
    drawn: Drawn,
    watches: Vec<(usize, Watch)>,
}

impl Side {
    /// Takes an answer; what it is like on any server, the body and the date.
    fn take(&mut self, number: usize, started: Started) -> (Value, u64) {
        let answer = match started {
            Started::Answer(answer) => answer,
            Started::Watch(watch) => {
                let head = watch.head.clone();
                self.watches.push((number, *watch));
                head
            }
        };
        let normal = self.drawn.answer(&answer);
        self.bodies.push(answer.body);
        (normal, answer.date)
    }

    fn leave_out(&mut self) {
        self.bodies.push(Value::Null);
    }

    fn events(&mut self) -> Vec<(usize, Value)> {
        let drawn = &mut self.drawn;
        let normal = |(number, watch): &(usize, Watch)| {
            let events: Vec<Value> = watch.events.iter().map(|event| drawn.value(event)).collect();
            (*number, json!({"events": events, "over": watch.is_over}))
        };
        self.watches.iter().map(normal).collect()
    }
}

/// Sends a sequence to both servers: what the real one answered, or where they part.
async fn compare(real: &Real, sequence: &Sequence, namespace: &str) -> TestResult<Result<Recording, Box<Difference>>> {
    let mut time = real.make(namespace).await?;
    let mut fake = Fake::beginning(namespace, time).await?;
    let (mut of_real, mut of_fake) = (Side::default(), Side::default());
    let mut recording = Recording {
        sequence: sequence.clone(),
        namespace: namespace.to_owned(),
        begun: time,
        answers: Vec::new(),
        events: Vec::new(),
        order: Vec::new(),
    };
    let different =
        |step, what, real, fake| Ok(Err(Box::new(Difference { sequence: sequence.clone(), step, what, real, fake })));
    for (number, step) in sequence.steps.iter().enumerate() {
        if step.is_left_out {
            of_real.leave_out();
            of_fake.leave_out();
            recording.answers.push((Value::Null, time));
            continue;
        }
        let started = real.send(step, namespace, &of_real.bodies).await?;
        let (expected, date) = of_real.take(number, started);
        time = newest_time(of_real.bodies.last().unwrap_or(&Value::Null), time.max(date.saturating_sub(2)), date)
            .unwrap_or(date);
        fake.set_clock(time);
        let started = fake.send(step, namespace, &of_fake.bodies).await?;
        let (answered, _) = of_fake.take(number, started);
        let (expected, answered) = known::without(expected, answered);
        if expected != answered {
            return different(Some(number), "the answers", expected, answered);
        }
        recording.answers.push((expected, time));
    }
    read_watches(&mut of_real, &mut of_fake).await;
    let (expected, events) = (of_real.events(), of_fake.events());
    for ((number, expected), (_, events)) in expected.iter().zip(&events) {
        let (expected, events) = known::without(expected.clone(), events.clone());
        if expected != events {
            return different(Some(*number), "the events", expected, events);
        }
    }
    recording.events = expected;
    recording.order = of_real.drawn.order();
    if recording.order != of_fake.drawn.order() {
        return different(None, "the order of versions", json!(recording.order), json!(of_fake.drawn.order()));
    }
    Ok(Ok(recording))
}

async fn read_watches(real: &mut Side, fake: &mut Side) {
    for ((_, real), (_, fake)) in real.watches.iter_mut().zip(&mut fake.watches) {
        // All that it sends is there.
        fake.read(0, Duration::ZERO, Duration::from_millis(1)).await;
        real.read(fake.events.len() + usize::from(fake.is_over), PATIENCE, QUIET).await;
    }
}

/// Sends a sequence to a fake server alone: whether it answers as the real one did.
pub(crate) async fn is_same_again(recording: &Recording) -> TestResult<bool> {
    let Recording { sequence, namespace, .. } = recording;
    let mut fake = Fake::beginning(namespace, recording.begun).await?;
    let mut side = Side::default();
    for (number, (step, (expected, time))) in sequence.steps.iter().zip(&recording.answers).enumerate() {
        fake.set_clock(*time);
        let started = fake.send(step, namespace, &side.bodies).await?;
        let (answered, _) = side.take(number, started);
        let (expected, answered) = known::without(expected.clone(), answered);
        if expected != answered {
            return Ok(false);
        }
    }
    for (_, watch) in &mut side.watches {
        watch.read(0, Duration::ZERO, Duration::from_millis(1)).await;
    }
    let events = side.events();
    let same = |((_, expected), (_, events)): (&(usize, Value), &(usize, Value))| {
        let (expected, events) = known::without(expected.clone(), events.clone());
        expected == events
    };
    let is_same = events.len() == recording.events.len() && recording.events.iter().zip(&events).all(same);
    Ok(is_same && side.drawn.order() == recording.order)
}

/// The sequence with as little as still differs.
pub(crate) async fn smallest(real: &Real, difference: Box<Difference>) -> TestResult<Box<Difference>> {
    let mut smallest = difference;
    for number in (0..smallest.sequence.steps.len()).rev() {
        let mut less = smallest.sequence.clone();
        less.steps[number].is_left_out = true;
        if let Err(difference) = compare_again(real, &less).await? {
            smallest = difference;
        }
    }
    Ok(smallest)
}

/// How often a sequence is sent again that differs. A second may pass in the middle of a request of the real server,
/// which then has two times where the fake one has one.
const AGAIN: usize = 2;

/// Compares a sequence, in a new namespace each time, and again if it differs.
pub(crate) async fn compare_again(real: &Real, sequence: &Sequence) -> TestResult<Result<Recording, Box<Difference>>> {
    let mut compared = compare(real, sequence, &namespace()).await?;
    for _ in 0..AGAIN {
        if compared.is_ok() {
            break;
        }
        compared = compare(real, sequence, &namespace()).await?;
    }
    Ok(compared)
}

fn namespace() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("n{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
