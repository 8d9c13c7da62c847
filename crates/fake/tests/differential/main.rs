//! The fake server beside the real one: random sequences of requests, of which both must make the same.
//!
//! `K8S_CLIENT_FAKE_SEQUENCES` sets how many, `K8S_CLIENT_FAKE_SEED` with which seed they begin. What fails prints its
//! seed; that seed and a count of 1 send the same requests again.

mod draw;
mod faulty;
mod kinds;
mod known;
mod normal;
mod run;
mod server;
mod step;

use std::{
    env,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use k8s_client_fake::breaks::{self, Break};
use k8s_client_test_harness::ControlPlane;

use run::{Difference, Recording, compare_again, is_same_again, smallest};
use server::Real;

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How many sequences are under way at a time.
const AT_A_TIME: usize = 6;

/// How many differences are shown.
const SHOWN: u64 = 5;

fn number(name: &str, default: u64) -> TestResult<u64> {
    Ok(env::var(name).map_or(Ok(default), |text| text.parse())?)
}

/// A real server, with nothing that writes into it beside us; `None` where there are no programs, and no Go that makes
/// them.
async fn real_server() -> TestResult<Option<(ControlPlane, Real)>> {
    let plane = match ControlPlane::start_server_alone() {
        Ok(plane) => plane,
        Err(error) if error.to_string().contains("Go") => {
            println!("skipped: {error}");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let real = Real::of(&plane).await?;
    Ok(Some((plane, real)))
}

/// Sends sequences to both servers, several at a time: what was the same, and what was not.
async fn compare_all(real: &Real, seeds: Range<u64>) -> TestResult<(Vec<Recording>, Vec<Box<Difference>>)> {
    let next = Arc::new(AtomicU64::new(seeds.start));
    let tasks: Vec<_> = (0..AT_A_TIME)
        .map(|_| {
            let (real, next, end) = (real.clone(), Arc::clone(&next), seeds.end);
            tokio::spawn(async move {
                let (mut recordings, mut differences) = (Vec::new(), Vec::new());
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return Ok::<_, Box<dyn std::error::Error + Send + Sync>>((recordings, differences));
                    }
                    match compare_again(&real, &draw::sequence(seed)).await? {
                        Ok(recording) => recordings.push(recording),
                        Err(difference) => differences.push(difference),
                    }
                }
            })
        })
        .collect();
    let (mut recordings, mut differences) = (Vec::new(), Vec::new());
    for task in tasks {
        let (same, different) = task.await??;
        recordings.extend(same);
        differences.extend(different);
    }
    Ok((recordings, differences))
}

#[tokio::test]
async fn answers_random_sequences_as_the_real_server_does() -> TestResult {
    let (count, seed) = (number("K8S_CLIENT_FAKE_SEQUENCES", 800)?, number("K8S_CLIENT_FAKE_SEED", 0)?);
    let Some((_plane, real)) = real_server().await? else { return Ok(()) };
    let start = Instant::now();
    let (same, different) = compare_all(&real, seed..seed + count).await?;
    let steps: usize = same.iter().map(|recording| recording.sequence.steps.len()).sum();
    let (same, time) = (same.len(), start.elapsed());
    println!("{same} of {count} sequences ({steps} requests) are the real server's own, in {time:?}");
    if different.is_empty() {
        return Ok(());
    }
    let seeds: Vec<u64> = different.iter().map(|difference| difference.sequence.seed).collect();
    println!("the others are those of the seeds {seeds:?}");
    let count = different.len();
    for difference in different.into_iter().take(usize::try_from(number("K8S_CLIENT_FAKE_SHOWN", SHOWN)?)?) {
        println!("{}\n", smallest(&real, difference).await?);
    }
    Err(format!("{count} sequences differ").into())
}

/// How many sequences are to notice breaks.
const WITNESSES: u64 = 400;

#[tokio::test]
async fn every_break_of_the_fake_server_is_noticed() -> TestResult {
    let Some((_plane, real)) = real_server().await? else { return Ok(()) };
    let (witnesses, different) = compare_all(&real, 0..WITNESSES).await?;
    assert!(different.is_empty(), "before anything was broken:\n{}", different[0]);
    let mut unnoticed = Vec::new();
    for &broken in Break::ALL {
        breaks::set(Some(broken));
        let mut noticed_by = None;
        for witness in &witnesses {
            // A broken server may also be none that a sequence can be begun on.
            if !is_same_again(witness).await.unwrap_or(false) {
                noticed_by = Some(witness.sequence.seed);
                break;
            }
        }
        breaks::set(None);
        match noticed_by {
            Some(seed) => println!("{broken:?} is noticed by sequence {seed}"),
            None => unnoticed.push(broken),
        }
    }
    for witness in witnesses.iter().take(20) {
        assert!(is_same_again(witness).await?, "what is mended is still broken:\n{}", witness.sequence);
    }
    assert!(unnoticed.is_empty(), "nobody notices {unnoticed:?}");
    Ok(())
}
