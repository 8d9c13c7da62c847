//! How terms end by the program's own wish, and what becomes of the lease.

use std::{
    future::pending,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::json;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

use super::{
    Candidate, SECOND,
    server::{Fate, Server},
};
use crate::Ends;

#[tokio::test(start_paused = true)]
async fn campaign_ends_when_its_lease_is_lost_after_the_program_asked_to_stop() {
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    let line = candidate.line.clone();
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(async move {
        sleep(30 * SECOND).await;
        line.set(Fate::REFUSED);
        sleep(5 * SECOND).await;
        drop(stop);
    });
    let mut elector = candidate.elector();
    let mut terms = 0;
    let campaign = elector.campaign_until(stopped, |_| {
        terms += 1;
        pending::<()>()
    });
    assert_eq!(timeout(60 * SECOND, campaign).await, Ok(None));
    assert_eq!(terms, 1);
}

#[tokio::test(start_paused = true)]
async fn lease_is_released_when_the_work_has_returned() {
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    let seen = server.clone();
    let mut elector = candidate.elector();
    let ends = elector.lead(|term| async move {
        sleep(5 * SECOND).await;
        assert_eq!(seen.holder(), "me");
        term.fencing_token()
    });
    assert!(matches!(ends.await, Ends::Work(0)));
    assert_eq!(server.holder(), "");
    assert_eq!(server.field("leaseTransitions"), 0);
}

#[tokio::test(start_paused = true)]
async fn panic_of_the_work_releases_the_lease_and_goes_on() {
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    let task = tokio::spawn(async move {
        let mut elector = candidate.elector();
        elector.lead(|_| async { panic!("the work is broken") }).await
    });
    let panic = task.await.map(|ends: Ends<()>| ends).expect_err("the panic is not swallowed").into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the work is broken"));
    assert_eq!(server.holder(), "");
    drop(AssertUnwindSafe(panic));
}

#[cfg(feature = "coordinated")]
#[tokio::test(start_paused = true)]
async fn candidate_of_a_coordinated_election_is_withdrawn_however_the_work_ends() {
    for panics in [false, true] {
        let server = Server::default();
        // The control plane has chosen.
        server.change(&json!({ "holderIdentity": "me", "leaseDurationSeconds": 15 }));
        let candidate = Candidate::new(&server, "me");
        let seen = server.clone();
        let task = tokio::spawn(async move {
            let coordination = crate::Coordination::new("1.0.0");
            let mut elector = candidate.builder().coordinated(coordination).build().expect("the configuration is good");
            let work = |_| async move {
                sleep(5 * SECOND).await;
                assert!(seen.has_candidate());
                assert!(!panics, "the work is broken");
            };
            elector.lead(work).await
        });
        assert_eq!(task.await.is_err(), panics);
        assert!(!server.has_candidate(), "{panics}");
    }
}

#[tokio::test(start_paused = true)]
async fn lease_is_not_released_while_the_work_lives() {
    struct Alive(Arc<AtomicBool>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.store(false, Ordering::SeqCst);
        }
    }
    for (deaf, takes) in [(false, 3), (true, 25)] {
        let server = Server::default();
        let candidate = Candidate::new(&server, "me");
        let alive = Arc::new(AtomicBool::new(false));
        let (is_alive, holds) = (alive.clone(), server.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            sleep(30 * SECOND).await;
            drop(stop);
            // Its renewals go on, too.
            for _ in 0..takes * 10 - 1 {
                sleep(SECOND / 10).await;
                assert_eq!((holds.holder().as_str(), is_alive.load(Ordering::SeqCst)), ("me", true));
            }
        });
        let guard = alive.clone();
        let start = Instant::now();
        let mut elector = candidate.elector();
        let ends = elector.lead_until(stopped, |term| async move {
            guard.store(true, Ordering::SeqCst);
            let _alive = Alive(guard);
            term.stopping().await;
            assert!(term.is_valid(), "it leads until it has ended");
            if deaf {
                pending::<()>().await;
            }
            sleep(3 * SECOND).await;
            "ended"
        });
        let ends = ends.await;
        let ended = if deaf { matches!(ends, Ends::Stopped) } else { matches!(ends, Ends::Work("ended")) };
        assert!(ended, "{ends:?}");
        let took = start.elapsed().as_secs();
        assert_eq!(took, 30 + takes);
        assert!(!alive.load(Ordering::SeqCst));
        assert_eq!(server.holder(), "");
    }
}

#[tokio::test(start_paused = true)]
async fn release_changes_nothing_if_a_successor_holds_the_lease() {
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    let by_hand = server.clone();
    let mut elector = candidate.elector();
    let ends = elector.lead(|_| async move {
        sleep(5 * SECOND).await;
        by_hand.change(&json!({ "holderIdentity": "other", "leaseTransitions": 1 }));
    });
    assert!(matches!(ends.await, Ends::Work(())));
    assert_eq!((server.holder().as_str(), server.field("leaseTransitions")), ("other", json!(1)));
}

#[tokio::test(start_paused = true)]
async fn release_is_tried_again_and_ends_in_time() {
    for (fault, lasts, released) in [
        (Fate::REFUSED, 3, true),
        (Fate::ANSWER_LOST, 3, true),
        (Fate::error(500), 3, true),
        (Fate::HANGS, 3, true),
        (Fate::HANGS, 100, false),
    ] {
        let server = Server::default();
        let candidate = Candidate::new(&server, "me");
        let line = candidate.line.clone();
        let mut elector = candidate.elector();
        let ends = elector.lead(|_| async move {
            sleep(SECOND).await;
            line.set(fault);
            tokio::spawn(async move {
                sleep(lasts * SECOND).await;
                line.set(Fate::GOOD);
            });
        });
        let start = Instant::now();
        assert!(matches!(ends.await, Ends::Work(())));
        assert!(start.elapsed() <= 11 * SECOND + SECOND / 10, "{fault:?}: {:?}", start.elapsed());
        assert_eq!(server.holder().is_empty(), released, "{fault:?} {lasts}");
    }
}

#[tokio::test(start_paused = true)]
async fn successor_leads_within_one_retry_period_of_a_release() {
    let server = Server::default();
    let (leader, successor) = (Candidate::new(&server, "me"), Candidate::new(&server, "next"));
    let mut next = successor.elector();
    let waiting = async {
        sleep(SECOND).await;
        let Ends::Work(began) = next.lead(|_| async { Instant::now() }).await else { panic!("it leads") };
        began
    };
    let leading = async {
        let mut elector = leader.elector();
        let _ = elector.lead(|_| sleep(20 * SECOND)).await;
        Instant::now()
    };
    let (released, began) = tokio::join!(leading, waiting);
    assert!(began - released <= 2 * SECOND + SECOND / 10, "{:?}", began - released);
}

#[tokio::test(start_paused = true)]
async fn program_that_stops_before_it_leads_never_starts_the_work() {
    let server = Server::default();
    server.change(&json!({ "holderIdentity": "other", "leaseDurationSeconds": 3600 }));
    let candidate = Candidate::new(&server, "me");
    let mut elector = candidate.elector();
    let ends = elector.lead_until(sleep(30 * SECOND), |_| async { panic!("it must not run") }).await;
    assert!(matches!(ends, Ends::<()>::Stopped), "{ends:?}");
    assert_eq!(server.holder(), "other");
    // A campaign stops in the same way.
    assert_eq!(elector.campaign_until(sleep(SECOND), |_| async { panic!("it must not run") }).await, None::<()>);
}

#[tokio::test(start_paused = true)]
async fn lease_that_was_won_unknown_to_the_candidate_is_released_when_it_stops() {
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    let mut requests = 0;
    candidate.line.decide(move || {
        requests += 1;
        // The lease is created, but the answer does not come.
        if requests == 2 { Fate::ANSWER_HANGS } else { Fate::GOOD }
    });
    let mut elector = candidate.elector();
    let ends = elector.lead_until(sleep(SECOND), |_| async { panic!("it must not run") }).await;
    assert!(matches!(ends, Ends::<()>::Stopped), "{ends:?}");
    assert_eq!(server.holder(), "");
}

#[tokio::test(start_paused = true)]
async fn future_that_is_dropped_drops_the_work_and_ends_the_term() {
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    let (send, receive) = oneshot::channel();
    let mut elector = candidate.elector();
    let observer = elector.observer();
    let leading = elector.lead(|term| async move {
        let _ = send.send(term.clone());
        pending::<()>().await;
    });
    assert!(timeout(5 * SECOND, leading).await.is_err(), "it would lead for ever");
    let term = receive.await.expect("it has led");
    assert!(!term.is_valid());
    timeout(SECOND, term.ended()).await.expect("tasks of the work learn of it");
    assert!(observer.term().is_none());
    assert_eq!(server.holder(), "me", "the lease lasts until it expires");
    // The same elector may lead again, in another term.
    let ends = elector.lead(|term| async move { term.fencing_token() }).await;
    assert!(matches!(ends, Ends::Work(1)), "{ends:?}");
}
