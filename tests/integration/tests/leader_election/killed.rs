//! Three candidates while the server is killed and started again, and while processes stand still.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use k8s_client::{Config, leader_election::Term};
use k8s_client_integration_tests::{TestResult, eventually};
use k8s_client_test_harness::ControlPlane;
use tokio::time::{Instant, sleep};

use super::{LEASE, fence::Fence, quick};

/// A candidate in a thread with a runtime of its own, which can be made to stand still as a process does.
struct Candidate {
    identity: String,
    /// For how many milliseconds it is to stand still.
    pause: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Candidate {
    fn start(config: &Config, identity: &str, fence: &Fence) -> Self {
        let (pause, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut elector = quick(config, "default", identity).build().expect("the configuration is good");
        let (paused, stopped, fence, who) = (pause.clone(), stop.clone(), fence.clone(), identity.to_owned());
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                // Nothing else runs in this thread meanwhile.
                let standing_still = tokio::spawn(async move {
                    loop {
                        thread::sleep(Duration::from_millis(paused.swap(0, Ordering::SeqCst)));
                        sleep(Duration::from_millis(10)).await;
                    }
                });
                let stop = async {
                    while !stopped.load(Ordering::SeqCst) {
                        sleep(Duration::from_millis(20)).await;
                    }
                };
                let work = |term: Term| {
                    let (fence, who) = (fence.clone(), who.clone());
                    async move {
                        fence.begin(term.fencing_token());
                        tokio::select! {
                            () = term.stopping() => {}
                            () = async { loop {
                                fence.act(&who, term.fencing_token());
                                sleep(Duration::from_millis(20)).await;
                            } } => {}
                        }
                    }
                };
                let ended = elector.campaign_until(stop, work).await;
                assert!(ended.is_none_or(|()| stopped.load(Ordering::SeqCst)), "the work ends only when it is to stop");
                standing_still.abort();
            });
        });
        Self { identity: identity.to_owned(), pause, stop, thread }
    }
}

/// Waits until somebody works who is not this one, and returns who.
async fn leader_other_than(fence: &Fence, not: Option<&str>) -> String {
    eventually("somebody leads", || async { fence.worker().filter(|worker| Some(worker.as_str()) != not) }).await
}

#[tokio::test]
async fn three_candidates_never_lead_at_once_while_the_server_is_killed_and_they_stand_still() -> TestResult {
    let mut plane = ControlPlane::start_new()?;
    let config = Config::from_kubeconfig(plane.kubeconfig())?;
    let fence = Fence::default();
    let mut candidates: Vec<_> =
        ["a", "b", "c"].iter().map(|identity| Candidate::start(&config, identity, &fence)).collect();

    // A leader that stands still for longer than its lease loses it, and does no more work when it goes on.
    let first = leader_other_than(&fence, None).await;
    let frozen = candidates.iter().find(|candidate| candidate.identity == first).ok_or("it is one of them")?;
    let still = LEASE + Duration::from_secs(4);
    frozen.pause.store(u64::try_from(still.as_millis())?, Ordering::SeqCst);
    let frozen = Instant::now();
    leader_other_than(&fence, Some(&first)).await;
    sleep((still + Duration::from_secs(2)).saturating_sub(frozen.elapsed())).await;
    let leader = leader_other_than(&fence, None).await;
    assert_ne!(leader, first, "whoever wakes up does not take the lease back");
    fence.check();

    // The server is killed for as long as it takes to start again. Whoever leads after that, it is one.
    plane.kill_kube_apiserver()?;
    let killed = Instant::now();
    let plane = tokio::task::spawn_blocking(move || plane.restart_kube_apiserver().map(|()| plane)).await??;
    println!("kube-apiserver was away for {:?}", killed.elapsed());
    let mut plane = plane;
    leader_other_than(&fence, None).await;
    fence.check();

    // For longer than the lease: nobody leads for a while.
    plane.kill_kube_apiserver()?;
    let killed = Instant::now();
    sleep(LEASE + Duration::from_secs(2)).await;
    assert_eq!(fence.worker(), None, "nobody can win it");
    let worked = fence.last_work().map(|last| last.saturating_duration_since(killed));
    assert!(worked < Some(LEASE), "the deadline has passed, and there was work for {worked:?}");
    let plane = tokio::task::spawn_blocking(move || plane.restart_kube_apiserver().map(|()| plane)).await??;
    let leader = leader_other_than(&fence, None).await;
    let token = fence.token();
    fence.check();

    // A leader that stops has a successor within a retry period, and the time that the requests take; and not only when
    // its lease is over.
    let position = candidates.iter().position(|candidate| candidate.identity == leader).ok_or("it is one of them")?;
    let stopped = candidates.remove(position);
    stopped.stop.store(true, Ordering::SeqCst);
    tokio::task::spawn_blocking(move || stopped.thread.join()).await?.expect("no panic");
    let released = Instant::now();
    leader_other_than(&fence, Some(&leader)).await;
    assert!(released.elapsed() < LEASE * 4 / 5, "{:?}", released.elapsed());
    assert!(fence.token() > token);

    for candidate in candidates {
        candidate.stop.store(true, Ordering::SeqCst);
        tokio::task::spawn_blocking(move || candidate.thread.join()).await?.expect("no panic");
    }
    fence.check();
    plane.stop()?;
    Ok(())
}
