//! When the work runs, and when it does not.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::{
    Candidate, SECOND,
    server::{Fate, Server},
};
use crate::{Ends, Loss, Metrics, Term};

/// What the metrics say, and what the work sees when it is dropped.
#[derive(Clone, Default)]
struct Witness {
    leading: Arc<AtomicBool>,
    renewed: Arc<Mutex<Option<Instant>>>,
    dropped: Arc<Mutex<Option<Instant>>>,
}

impl Metrics for Witness {
    fn leading(&self, leading: bool) {
        self.leading.store(leading, Ordering::SeqCst);
    }

    fn renewed(&self, took: Duration) {
        *self.renewed.lock().unwrap() = Some(Instant::now() - took);
    }
}

/// A part of the work.
struct Part(Witness, Term);

impl Drop for Part {
    fn drop(&mut self) {
        assert!(!self.1.is_valid(), "the term ends before the work is dropped");
        assert!(!self.0.leading.load(Ordering::SeqCst), "the metric does, too");
        *self.0.dropped.lock().unwrap() = Some(Instant::now());
    }
}

#[tokio::test(start_paused = true)]
async fn work_is_dropped_at_the_deadline_after_the_last_renewal_was_sent_whatever_fails() {
    let slow = Fate { back: 4 * SECOND, ..Fate::GOOD };
    for (before, fault) in [
        (Fate::GOOD, Fate::REFUSED),
        (Fate::GOOD, Fate::ANSWER_LOST),
        (Fate::GOOD, Fate::HANGS),
        (Fate::GOOD, Fate::ANSWER_HANGS),
        (Fate::GOOD, Fate::error(500)),
        (Fate::GOOD, Fate::error(429)),
        (Fate::GOOD, Fate::error(403)),
        (Fate::GOOD, Fate::error(409)),
        // The time of the answer is part of the deadline.
        (slow, Fate::HANGS),
    ] {
        let server = Server::default();
        let candidate = Candidate::new(&server, "me");
        let witness = Witness::default();
        let mut elector = candidate.builder().metrics(witness.clone()).build().unwrap();
        let observer = elector.observer();
        let (line, seen) = (candidate.line.clone(), witness.clone());
        let ends = elector.lead(|term| async move {
            let _part = Part(seen.clone(), term.clone());
            assert!(term.is_valid() && seen.leading.load(Ordering::SeqCst));
            assert!(observer.term().is_some_and(|term| term.is_valid()));
            line.set(before);
            sleep(60 * SECOND).await;
            assert!(term.is_valid(), "it was renewed all the time");
            // What is on the way still comes.
            line.set(fault);
            pending::<()>().await;
        });
        let ends = timeout(120 * SECOND, ends).await.expect("the term ends");
        assert!(matches!(ends, Ends::Lost(Loss::NotRenewed { last: Some(_) })), "{fault:?}: {ends:?}");
        let renewed = witness.renewed.lock().unwrap().expect("it was renewed");
        let dropped = witness.dropped.lock().unwrap().expect("it was dropped");
        let late = (dropped - renewed).saturating_sub(10 * SECOND);
        assert!(late <= Duration::from_millis(1), "{fault:?}: dropped {late:?} too late");
        assert!(dropped - renewed > 9 * SECOND, "{fault:?}: dropped {:?} after the renewal", dropped - renewed);
        let Ends::Lost(loss) = ends else { unreachable!() };
        assert!(loss.to_string().starts_with("the lease was not renewed in time: "), "{loss}");
    }
}

#[tokio::test(start_paused = true)]
async fn leader_outlasts_slow_answers_and_single_failures() {
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    let mut elector = candidate.elector();
    let line = candidate.line.clone();
    let ends = elector
        .lead(|term| async move {
            for fault in [Fate::REFUSED, Fate::ANSWER_LOST, Fate::ANSWER_HANGS, Fate::error(500), Fate::error(409)] {
                line.set(fault);
                sleep(3 * SECOND).await;
                line.set(Fate { back: SECOND, ..Fate::GOOD });
                sleep(20 * SECOND).await;
                assert!(term.is_valid(), "{fault:?}");
            }
            line.set(Fate { back: 4 * SECOND, ..Fate::GOOD });
            sleep(60 * SECOND).await;
            term.is_valid()
        })
        .await;
    assert!(matches!(ends, Ends::Work(true)), "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn lease_that_another_took_ends_the_term_at_once() {
    for (taken, words) in [
        (json!({ "holderIdentity": "other" }), "the lease is held by \"other\""),
        (json!({ "holderIdentity": "" }), "somebody took the lease away; nobody holds it"),
        (json!({ "leaseTransitions": 9 }), "the lease is held by \"me\""),
    ] {
        let server = Server::default();
        let candidate = Candidate::new(&server, "me");
        let by_hand = server.clone();
        let start = Instant::now();
        let mut elector = candidate.elector();
        let ends = elector.lead(|_| async move {
            sleep(5 * SECOND).await;
            by_hand.change(&taken);
            pending::<()>().await;
        });
        let Ends::Lost(loss) = ends.await else { panic!("it was taken") };
        assert_eq!(loss.to_string(), words);
        assert!(start.elapsed() < 8 * SECOND, "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn deleted_lease_is_made_again_by_its_leader() {
    let server = Server::default();
    let leader = Candidate::new(&server, "me");
    let other = Candidate::new(&server, "other");
    let by_hand = server.clone();
    let mut waiting = other.elector();
    let mut elector = leader.elector();
    let leading = elector.lead(|term| async move {
        sleep(20 * SECOND).await;
        by_hand.delete();
        sleep(60 * SECOND).await;
        term.is_valid()
    });
    tokio::select! {
        ends = async { sleep(SECOND).await; waiting.lead(|_| async {}).await } => panic!("nobody else may lead: {ends:?}"),
        ends = { leading } => assert!(matches!(ends, Ends::Work(true)), "{ends:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn clock_of_the_holder_changes_nothing() {
    for renewed in ["2023-11-14T21:13:20.000000Z", "2023-11-14T22:13:20.000000Z", "2023-11-14T23:13:20.000000Z"] {
        let server = Server::default();
        server.change(&json!({ "holderIdentity": "other", "leaseDurationSeconds": 15, "renewTime": renewed }));
        let candidate = Candidate::new(&server, "me");
        let start = Instant::now();
        let mut elector = candidate.elector();
        let ends = elector.lead(|_| async { Instant::now() }).await;
        let Ends::Work(began) = ends else { panic!("{ends:?}") };
        let waited = began - start;
        assert!(waited >= 15 * SECOND && waited <= 17 * SECOND + SECOND / 10, "{renewed}: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn machine_that_was_suspended_leads_no_more() {
    for (suspended, step) in [(11, 0), (3600, 0), (0, 3600)] {
        let server = Server::default();
        let candidate = Candidate::new(&server, "me");
        let clocks = candidate.clocks.clone();
        let steps = Arc::new(AtomicUsize::new(0));
        let done = steps.clone();
        let mut elector = candidate.elector();
        let ends = elector.lead(|term| async move {
            loop {
                assert!(term.is_valid(), "no line of the work runs any more");
                done.fetch_add(1, Ordering::SeqCst);
                if done.load(Ordering::SeqCst) == 50 {
                    // The monotonic clock stands still while the test's time goes on.
                    let suspended = Duration::from_secs(suspended);
                    tokio::time::advance(suspended).await;
                    clocks.was_suspended(suspended);
                    clocks.step(step);
                    assert!(!term.is_valid());
                    assert!(term.remaining().is_zero());
                }
                sleep(SECOND / 10).await;
            }
        });
        let ends: Ends<()> = ends.await;
        assert!(matches!(ends, Ends::Lost(Loss::NotRenewed { .. })), "{ends:?}");
        assert_eq!(steps.load(Ordering::SeqCst), 50);
    }
}

#[tokio::test(start_paused = true)]
async fn campaign_leads_again_in_a_new_term_and_each_start_has_one_end() {
    struct Running(Arc<AtomicUsize>);
    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    let running = Arc::new(AtomicUsize::new(0));
    let mut tokens = Vec::new();
    let tokens_seen = Arc::new(Mutex::new(&mut tokens));
    let result = candidate
        .elector()
        .campaign(|term| {
            tokens_seen.lock().unwrap().push(term.fencing_token());
            let rounds = tokens_seen.lock().unwrap().len();
            let (line, running) = (candidate.line.clone(), running.clone());
            async move {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "it runs once at a time");
                let _running = Running(running);
                if rounds == 3 {
                    return "done";
                }
                line.set(Fate::HANGS);
                tokio::spawn(async move {
                    sleep(40 * SECOND).await;
                    line.set(Fate::GOOD);
                });
                pending().await
            }
        })
        .await;
    assert_eq!(result, "done");
    assert_eq!(running.load(Ordering::SeqCst), 0);
    // Nobody else has held the lease, and still the terms differ.
    assert_eq!(tokens, [0, 1, 2]);
    assert_eq!(server.holder(), "");
}
