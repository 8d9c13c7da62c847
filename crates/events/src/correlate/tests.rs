use super::*;
use crate::{Reference, occurrence::Type};
use k8s_openapi::api::core::v1::ObjectReference;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn pod(uid: &str, version: &str) -> Reference {
    Reference::from(ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        namespace: Some("default".to_owned()),
        name: Some("web".to_owned()),
        uid: Some(uid.to_owned()),
        resource_version: Some(version.to_owned()),
        field_path: None,
    })
}

fn event(reason: &str, note: &str) -> Occurrence {
    Occurrence {
        regarding: pod("1", "1"),
        related: None,
        type_: Type::Normal,
        reason: reason.to_owned(),
        action: "Act".to_owned(),
        note: note.to_owned(),
        at: Timestamp::UNIX_EPOCH,
    }
}

fn correlator() -> Correlator {
    Correlator::new(Limits::default())
}

impl Correlator {
    /// Every request that can be sent now, with what becomes of it.
    fn send_all(&mut self, now: Duration, outcome: impl Fn(&Write) -> Outcome) -> Vec<String> {
        let mut requests = Vec::new();
        while let Some(write) = self.next() {
            let verb = if write.creates { "create" } else { "patch" };
            requests.push(format!("{verb} {} {:?} x{}", write.key.reason, write.note, write.count));
            let outcome = outcome(&write);
            self.settle(&write, outcome, now);
            assert!(requests.len() < 10_000, "it does not end");
        }
        requests
    }

    fn send(&mut self, now: Duration) -> Vec<String> {
        self.send_all(now, |_| Outcome::Written)
    }

    fn lost(&mut self, why: Dropped) -> u64 {
        self.take_losses().into_iter().filter(|(lost, _)| *lost == why).map(|(_, occurrences)| occurrences).sum()
    }
}

#[test]
fn only_what_is_the_same_in_all_but_the_version_is_a_repeat() {
    let first = event("Pulled", "a");
    let cases: [(&str, Occurrence, &str); 9] = [
        ("nothing", first.clone(), "patch"),
        ("version", Occurrence { regarding: pod("1", "2"), ..first.clone() }, "patch"),
        ("time", Occurrence { at: Timestamp::MAX, ..first.clone() }, "patch"),
        ("uid", Occurrence { regarding: pod("2", "1"), ..first.clone() }, "create"),
        ("part", Occurrence { regarding: pod("1", "1").field_path("spec.containers{web}"), ..first.clone() }, "create"),
        ("related", Occurrence { related: Some(pod("2", "1")), ..first.clone() }, "create"),
        ("type", Occurrence { type_: Type::Warning, ..first.clone() }, "create"),
        ("action", Occurrence { action: "Other".to_owned(), ..first.clone() }, "create"),
        ("note", Occurrence { note: "b".to_owned(), ..first.clone() }, "create"),
    ];
    for (differs, second, verb) in cases {
        let mut correlator = correlator();
        correlator.record(&first, SECOND);
        assert_eq!(correlator.send(SECOND), [r#"create Pulled "a" x1"#], "{differs}");
        correlator.record(&second, SECOND);
        let requests = correlator.send(SECOND);
        assert!(requests.len() == 1 && requests[0].starts_with(verb), "{differs}: {requests:?}");
    }
}

#[test]
fn repeats_are_counted_and_written_once_in_a_while() {
    let mut correlator = correlator();
    let mut writes = Vec::new();
    // Once a second for 40 minutes.
    for second in 0..2400 {
        let now = Duration::from_secs(second);
        correlator.record(&event("Pulled", "a"), now);
        if second % 60 == 0 {
            correlator.tick(now);
        }
        writes.extend(correlator.send(now).into_iter().map(|request| (second, request)));
    }
    let a = |second: u64, verb: &str, count: u64| (second, format!("{verb} Pulled \"a\" x{count}"));
    assert_eq!(writes, [a(0, "create", 1), a(1, "patch", 2), a(1860, "patch", 1861)]);

    // Nothing for six minutes: the last count. Then the series is forgotten.
    let mut end = Duration::from_secs(2398) + 6 * MINUTE;
    correlator.tick(end);
    assert!(correlator.send(end).is_empty());
    end += SECOND;
    correlator.tick(end);
    assert_eq!(correlator.send(end), [r#"patch Pulled "a" x2400"#]);
    correlator.tick(end + SECOND);
    assert!(correlator.is_idle());
    correlator.record(&event("Pulled", "a"), end + MINUTE);
    assert_eq!(correlator.send(end), [r#"create Pulled "a" x1"#]);
    assert_eq!(correlator.take_losses(), []);
}

#[test]
fn repeat_in_a_slow_loop_of_core_events_stays_one_event() {
    let mut correlator = Correlator::new(Limits { series: SeriesTimes::CORE, ..Limits::default() });
    let mut writes = Vec::new();
    for minute in 0..60 {
        let now = minute * MINUTE;
        if minute % 10 == 0 {
            correlator.record(&event("Synced", "a"), now);
        }
        correlator.tick(now);
        writes.extend(correlator.send(now));
    }
    let counts: Vec<_> = writes.iter().filter_map(|write| write.split('x').next_back()).collect();
    assert_eq!(counts, ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(writes.iter().filter(|write| write.starts_with("create")).count(), 1);
}

#[test]
fn writes_that_wait_take_all_repeats_along() {
    let mut correlator = correlator();
    for _ in 0..1000 {
        correlator.record(&event("Pulled", "a"), SECOND);
    }
    assert_eq!(correlator.waiting(), 1);
    let create = correlator.next().expect("the event");
    assert_eq!((create.creates, create.count, create.occurrences), (true, 1000, 1000));
    // What comes while the request is on its way.
    for _ in 0..1000 {
        correlator.record(&event("Pulled", "a"), SECOND);
    }
    assert!(correlator.next().is_none());
    correlator.settle(&create, Outcome::Written, SECOND);
    assert_eq!(correlator.send(SECOND), [r#"patch Pulled "a" x2000"#]);
    assert_eq!(correlator.take_losses(), []);
}

#[test]
fn similar_events_are_combined_from_the_tenth_on() {
    let mut correlator = correlator();
    let mut note = 0;
    let mut record = |correlator: &mut Correlator, now| {
        note += 1;
        correlator.record(&event("Failed", &note.to_string()), now);
        correlator.send(now)
    };
    for number in 1..=9 {
        assert_eq!(record(&mut correlator, SECOND), [format!("create Failed \"{number}\" x1")]);
    }
    let combined = "(combined from similar events): ";
    assert_eq!(record(&mut correlator, SECOND), [format!("create Failed \"{combined}10\" x1")]);
    assert_eq!(record(&mut correlator, SECOND), [format!("patch Failed \"{combined}11\" x2")]);
    assert!(record(&mut correlator, SECOND).is_empty(), "counted");
    // One that has an event of its own counts there.
    correlator.record(&event("Failed", "3"), SECOND);
    assert_eq!(correlator.send(SECOND), [r#"patch Failed "3" x2"#]);
    // Others are not concerned.
    correlator.record(&event("Pulled", "13"), SECOND);
    assert_eq!(correlator.send(SECOND), [r#"create Pulled "13" x1"#]);
    // The window begins anew with each: after it, nothing is similar.
    let now = 10 * MINUTE + SECOND;
    assert!(record(&mut correlator, now).is_empty());
    let now = now + 10 * MINUTE + SECOND;
    assert_eq!(record(&mut correlator, now), [r#"create Failed "14" x1"#]);
}

#[test]
fn combined_note_fits() {
    let mut correlator = Correlator::new(Limits { similar: 1, ..Limits::default() });
    correlator.record(&event("Failed", &"x".repeat(1024)), SECOND);
    let write = correlator.next().expect("the event");
    assert!(write.note.starts_with(COMBINED) && write.note.len() <= 1024);
}

#[test]
fn one_object_has_a_budget_and_warnings_have_their_own() {
    let mut correlator = correlator();
    let record = |correlator: &mut Correlator, number: usize, change: &dyn Fn(&mut Occurrence), now| {
        let mut occurrence = event(&format!("Reason{number}"), "a");
        change(&mut occurrence);
        correlator.record(&occurrence, now);
        correlator.send(now).len()
    };
    let same = |_: &mut Occurrence| {};
    for number in 1..=25 {
        assert_eq!(record(&mut correlator, number, &same, SECOND), 1, "{number}");
    }
    assert_eq!(record(&mut correlator, 26, &same, SECOND), 0);
    assert_eq!(correlator.lost(Dropped::Spam), 1);
    // Repeats of what was written are counted, and dropped by nobody.
    assert_eq!(record(&mut correlator, 25, &same, SECOND), 0);
    assert_eq!(correlator.take_losses(), []);
    // Other budgets.
    assert_eq!(record(&mut correlator, 26, &|event| event.type_ = Type::Warning, SECOND), 1);
    assert_eq!(record(&mut correlator, 26, &|event| event.regarding = pod("2", "1"), SECOND), 1);
    // Another in five minutes; it counts what was held back.
    assert_eq!(record(&mut correlator, 26, &same, 5 * MINUTE), 0);
    correlator.record(&event("Reason26", "a"), 5 * MINUTE + SECOND);
    assert_eq!(correlator.send(5 * MINUTE + SECOND), [r#"create Reason26 "a" x3"#]);
    assert_eq!(correlator.lost(Dropped::Spam), 1);
}

#[test]
fn budget_can_be_one_for_each_reason() {
    let limits = Limits { spam_burst: 1, spam_per_reason: true, ..Limits::default() };
    let mut correlator = Correlator::new(limits);
    for (reason, note, requests) in [("A", "1", 1), ("A", "2", 0), ("B", "1", 1), ("B", "2", 0)] {
        correlator.record(&event(reason, note), SECOND);
        assert_eq!(correlator.send(SECOND).len(), requests, "{reason} {note}");
    }
}

#[test]
fn what_was_held_back_is_not_written_by_time_alone() {
    let mut correlator = Correlator::new(Limits { spam_burst: 0, ..Limits::default() });
    correlator.record(&event("Pulled", "a"), SECOND);
    for minute in 0..60 {
        correlator.tick(minute * MINUTE);
    }
    correlator.flush();
    assert!(correlator.send(SECOND).is_empty());
    assert!(correlator.is_idle(), "it is forgotten");
    assert_eq!(correlator.take_losses(), [(Dropped::Spam, 1)], "and told once");
}

/// What each answer leads to: the requests, and what is lost.
#[test]
fn answers_lead_to_requests_and_losses() {
    use Outcome::{Exists, GivenUp, Missing, Refused, Transient, Written};
    type Case = (&'static str, usize, &'static [Outcome], &'static [&'static str], &'static [Loss]);
    let cases: &[Case] = &[
        (
            "a repeat of what is gone creates it anew",
            2,
            &[Written, Missing, Written],
            &["create x1", "patch x2", "create x2"],
            &[],
        ),
        ("an answer was lost", 1, &[Transient, Exists], &["create x1", "create x1"], &[]),
        ("a create is refused", 1, &[Refused], &["create x1"], &[(Dropped::Refused, 1)]),
        (
            "so is its repeat",
            2,
            &[Refused, Refused],
            &["create x1", "create x1"],
            &[(Dropped::Refused, 1), (Dropped::Refused, 1)],
        ),
        ("a patch is refused", 3, &[Written, Refused, Written], &["create x1", "patch x2"], &[(Dropped::Refused, 1)]),
        ("three tries", 1, &[Transient; 3], &["create x1", "create x1", "create x1"], &[(Dropped::Unreachable, 1)]),
        ("no time", 1, &[GivenUp], &["create x1"], &[(Dropped::Ended, 1)]),
        (
            "gone, and then refused",
            2,
            &[Written, Missing, Refused],
            &["create x1", "patch x2", "create x2"],
            &[(Dropped::Refused, 1)],
        ),
    ];
    for (name, occurrences, outcomes, requests, losses) in cases {
        let mut correlator = Correlator::new(Limits { tries: 3, ..Limits::default() });
        let mut outcomes = outcomes.iter();
        let mut sent = Vec::new();
        for _ in 0..*occurrences {
            correlator.record(&event("Pulled", "a"), SECOND);
            while let Some(write) = correlator.next() {
                let verb = if write.creates { "create" } else { "patch" };
                sent.push(format!("{verb} x{}", write.count));
                correlator.settle(&write, *outcomes.next().expect(name), SECOND);
            }
        }
        assert_eq!(&sent, requests, "{name}");
        assert_eq!(&correlator.take_losses(), losses, "{name}");
        assert_eq!(correlator.waiting(), 0, "{name}");
    }
}

#[test]
fn event_that_exists_is_given_the_count_that_was_not_written() {
    let mut correlator = correlator();
    correlator.record(&event("Pulled", "a"), SECOND);
    let first = correlator.next().expect("the event");
    correlator.settle(&first, Outcome::Transient, SECOND);
    correlator.record(&event("Pulled", "a"), SECOND);
    let second = correlator.next().expect("the event again");
    assert_eq!(second.count, 2);
    correlator.settle(&second, Outcome::Exists, SECOND);
    assert_eq!(correlator.send(SECOND), [r#"patch Pulled "a" x2"#]);
}

#[test]
fn failed_one_goes_behind_the_others() {
    let mut correlator = correlator();
    for reason in ["A", "B"] {
        correlator.record(&event(reason, "a"), SECOND);
    }
    let tried = std::cell::Cell::new(0);
    let requests = correlator.send_all(SECOND, |_| {
        tried.set(tried.get() + 1);
        if tried.get() == 1 { Outcome::Transient } else { Outcome::Written }
    });
    assert_eq!(requests, [r#"create A "a" x1"#, r#"create B "a" x1"#, r#"create A "a" x1"#]);
}

#[test]
fn full_line_drops_what_is_new_and_counts_repeats() {
    let mut correlator = Correlator::new(Limits { waiting: 2, ..Limits::default() });
    for reason in ["A", "B", "C", "A", "B"] {
        correlator.record(&event(reason, "a"), SECOND);
    }
    assert_eq!(correlator.take_losses(), [(Dropped::Full, 1)]);
    assert_eq!(correlator.send(SECOND), [r#"create A "a" x2"#, r#"create B "a" x2"#]);
}

#[test]
fn memory_is_bounded() {
    let mut correlator = Correlator::new(Limits {
        remembered: 3,
        waiting: 10_000,
        spam_burst: u32::MAX,
        similar: 100,
        ..Limits::default()
    });
    for number in 0..100 {
        correlator.record(&event(&format!("Reason{number}"), "a"), SECOND);
    }
    assert_eq!(correlator.lost(Dropped::Full), 97, "what had to be forgotten before it was written");
    assert_eq!(correlator.waiting(), 3, "what is forgotten takes no place in the line");
    assert_eq!(correlator.send(SECOND).len(), 3);
    assert_eq!(correlator.waiting(), 0);
}

#[test]
fn what_is_dropped_does_not_displace_what_waits() {
    let mut correlator = Correlator::new(Limits { remembered: 30, similar: 1000, ..Limits::default() });
    for number in 0..1000 {
        correlator.record(&event("Pulled", &number.to_string()), SECOND);
    }
    assert_eq!(correlator.lost(Dropped::Spam), 975);
    assert_eq!(correlator.send(SECOND).len(), 25);

    let mut correlator = Correlator::new(Limits { remembered: 30, waiting: 20, ..Limits::default() });
    for number in 0..1000 {
        let regarding = pod(&number.to_string(), "1");
        correlator.record(&Occurrence { regarding, ..event("Pulled", "a") }, SECOND);
    }
    assert_eq!(correlator.lost(Dropped::Full), 980);
    assert_eq!(correlator.send(SECOND).len(), 20);
}

#[test]
fn flush_is_done_when_all_that_was_there_before_is() {
    let mut correlator = correlator();
    assert!({
        let ticket = correlator.flush();
        correlator.is_flushed(ticket)
    });
    for _ in 0..3 {
        correlator.record(&event("Pulled", "a"), SECOND);
        correlator.send(SECOND);
    }
    let create = {
        correlator.record(&event("Other", "b"), SECOND);
        correlator.next().expect("the event")
    };
    // One on its way that has been repeated since, and one whose last count is in memory.
    for _ in 0..3 {
        correlator.record(&event("Other", "b"), SECOND);
    }
    let ticket = correlator.flush();
    assert!(!correlator.is_flushed(ticket));
    correlator.settle(&create, Outcome::Written, SECOND);
    assert!(!correlator.is_flushed(ticket));
    // What comes later does not delay it.
    correlator.record(&event("Later", "c"), SECOND);
    let mut requests = Vec::new();
    while !correlator.is_flushed(ticket) {
        let write = correlator.next().expect("there is more to write");
        requests.push(format!("{} x{}", write.key.reason, write.count));
        let outcome = if requests.len() == 1 { Outcome::Transient } else { Outcome::Written };
        correlator.settle(&write, outcome, SECOND);
    }
    assert_eq!(requests, ["Other x4", "Pulled x3", "Later x1", "Other x4"]);
    assert_eq!(correlator.take_losses(), []);
}

#[test]
fn end_loses_what_is_not_written() {
    let mut correlator = correlator();
    for _ in 0..5 {
        correlator.record(&event("Pulled", "a"), SECOND);
        correlator.send(SECOND);
    }
    correlator.record(&event("Other", "b"), SECOND);
    let _on_its_way = correlator.next();
    correlator.end();
    assert_eq!(correlator.take_losses(), [(Dropped::Ended, 4)]);
    assert_eq!((correlator.waiting(), correlator.is_idle()), (0, true));
}

#[test]
fn names_differ_though_the_clock_stands_still() {
    let mut correlator = correlator();
    let mut names = Vec::new();
    for reason in ["A", "B", "C"] {
        correlator.record(&event(reason, "a"), SECOND);
        names.extend(correlator.next().map(|write| write.name));
    }
    assert_eq!(names, ["web.1", "web.2", "web.3"]);
}
