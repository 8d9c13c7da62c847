//! What the rest of the program sees of an election.

use std::{
    future::pending,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tokio::time::{sleep, timeout};

use super::{
    Candidate, SECOND,
    server::{Fate, Server},
};

#[tokio::test(start_paused = true)]
async fn observer_sees_each_leader_once_and_the_end() {
    let server = Server::default();
    server.change(&json!({ "holderIdentity": "first", "leaseDurationSeconds": 15 }));
    let candidate = Candidate::new(&server, "me");
    let mut elector = candidate.elector();
    let mut observer = elector.observer();
    assert_eq!(observer.leader(), None, "nothing was seen yet");
    let by_hand = server.clone();
    let task = tokio::spawn(async move {
        let lead = elector.lead(|_| async move {
            sleep(SECOND).await;
            by_hand.change(&json!({ "holderIdentity": "third" }));
            pending::<()>().await;
        });
        let _ = lead.await;
    });
    let mut leaders = Vec::new();
    while let Some(leader) = observer.next_leader().await {
        leaders.push(leader.to_string());
    }
    assert_eq!(leaders, ["first", "me", "third"]);
    assert_eq!(observer.leader().as_deref(), Some("third"));
    task.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn observers_learn_of_a_leader_in_the_order_in_which_they_wait() {
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    let mut elector = candidate.elector();
    let order = Arc::new(Mutex::new(Vec::new()));
    for number in 0..50 {
        let (mut observer, order) = (elector.observer(), Arc::clone(&order));
        tokio::spawn(async move {
            observer.next_leader().await;
            order.lock().unwrap().push(number);
        });
    }
    tokio::task::yield_now().await;
    let _ = elector.lead(|_| sleep(SECOND)).await;
    assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn observer_has_the_error_of_the_last_try_until_one_succeeds() {
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    candidate.line.set(Fate::error(403));
    let mut elector = candidate.elector();
    let observer = elector.observer();
    let seen = observer.clone();
    let lead = elector.lead(|_| async move {
        sleep(3 * SECOND).await;
        seen.last_error().is_none()
    });
    let mut lead = std::pin::pin!(lead);
    assert!(timeout(10 * SECOND, lead.as_mut()).await.is_err());
    assert_eq!(observer.last_error().and_then(|error| error.code()), Some(403));
    assert!(server.requests() == 0 && observer.term().is_none());
    candidate.line.set(Fate::GOOD);
    assert!(matches!(lead.await, crate::Ends::Work(true)));
}

#[tokio::test(start_paused = true)]
async fn check_complains_of_a_leader_whose_task_stands_still() {
    let server = Server::default();
    let candidate = Candidate::new(&server, "me");
    let mut elector = candidate.elector();
    let observer = elector.observer();
    observer.check(SECOND).expect("it does not lead");
    let seen = observer.clone();
    let lead = elector.lead(|_| async move {
        sleep(10 * SECOND).await;
        seen.check(SECOND).expect("all is well");
        pending::<()>().await;
    });
    let mut lead = std::pin::pin!(lead);
    assert!(timeout(20 * SECOND, lead.as_mut()).await.is_err());
    // Nobody polls it any more.
    sleep(14 * SECOND).await;
    observer.check(SECOND).expect("the lease has not expired for so long");
    sleep(3 * SECOND).await;
    let error = observer.check(SECOND).expect_err("it has expired");
    assert!(error.to_string().starts_with("the leader election stands still: the lease lasts for 15s"), "{error}");
    assert!(matches!(lead.await, crate::Ends::Lost(_)));
}
