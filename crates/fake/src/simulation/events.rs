//! What happens by itself: what controllers do, and what goes wrong with the server, the programs and their clocks.

use std::{sync::Arc, time::Duration};

use k8s_client_runtime::machine::{self, Process, Simulated};
use tokio::time::{Instant, sleep, sleep_until};

use super::{FaultKind, world::World};
use crate::FakeServer;

/// How long it takes controllers and kubelets at most to see what there is to do.
const CONTROLLERS: Duration = Duration::from_secs(20);
/// How often etcd forgets what happened, and how much of the last it keeps: as an API server has it do.
const COMPACTION: Duration = Duration::from_secs(300);
/// The time between two things that go wrong: this at least, and as much more as that at most.
const TROUBLE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(110));
/// How long a server is away at most.
const AWAY: Duration = Duration::from_secs(60);
/// How long a program stands still at most.
const PAUSE: Duration = Duration::from_secs(120);
/// By how much a clock is set at most.
const STEP: Duration = Duration::from_secs(3600);

/// What controllers, the garbage collector and kubelets do in a cluster.
pub(super) async fn controllers(world: Arc<World>) {
    let mut seen = 0;
    loop {
        sleep(world.draw_time(CONTROLLERS)).await;
        let revision = world.server.revision();
        if seen != revision && !world.presence().0 {
            for step in [FakeServer::run_controllers, FakeServer::start_pods, FakeServer::finish_job_pods] {
                step(&world.server);
            }
            world.server.collect_garbage_after(seen);
            world.server.end_terminating_pods();
            seen = world.server.revision();
        }
    }
}

/// What an API server has etcd forget from time to time.
pub(super) async fn compaction(world: Arc<World>) {
    let mut last = 0;
    loop {
        sleep(COMPACTION).await;
        world.server.compact(last);
        last = world.server.revision();
    }
}

/// What goes wrong beside requests, one thing after the other.
pub(super) async fn trouble(world: Arc<World>) {
    loop {
        sleep(TROUBLE.0 + world.draw_time(TROUBLE.1)).await;
        let kinds =
            [FaultKind::Compaction, FaultKind::Restart, FaultKind::Crash, FaultKind::Pause, FaultKind::ClockStep];
        let kind = kinds[usize::try_from(world.draw(0..5)).unwrap_or_default()];
        let (time, forwards) = (world.draw_time(STEP), world.draw(0..2) == 0);
        let (away, pause, chosen) = (world.draw_time(AWAY), world.draw_time(PAUSE), world.draw(0..u64::MAX));
        if !world.happens(kind, 1000, || true) {
            continue;
        }
        match kind {
            FaultKind::Compaction => {
                world.note("what happened is forgotten".to_owned());
                world.take_away(away / 10);
                sleep(away / 10).await;
                world.server.compact_all();
            }
            FaultKind::Restart => {
                world.note(format!("the server is away for {away:?}"));
                world.take_away(away);
            }
            FaultKind::Crash => world.kill_one(chosen),
            FaultKind::Pause => {
                if let Some((name, process)) = world.one_program(chosen) {
                    world.note(format!("{name} stands still for {pause:?}"));
                    process.stop();
                    tokio::spawn(go_on_after(pause, name, process, world.clone()));
                }
            }
            _ => {
                let direction = if forwards { "forward" } else { "back" };
                world.note(format!("clocks are set {direction} by {time:?}"));
                let now = machine::system_time();
                let set = if forwards { now.checked_add(time) } else { now.checked_sub(time) };
                Simulated::set_clock(set.unwrap_or(now));
                if forwards {
                    world.server.set_clock_forward(time);
                } else {
                    world.server.set_clock_back(time);
                }
            }
        }
    }
}

/// Lets a program go on that stands still. What it does as soon as it can is part of the check.
async fn go_on_after(pause: Duration, name: String, process: Arc<Process>, world: Arc<World>) {
    sleep(pause).await;
    world.note(format!("{name} goes on"));
    process.go_on();
    sleep(Duration::from_millis(1)).await;
    world.check_alone();
}

/// Waits until nothing is written for a while, and says whether that came to be.
pub(super) async fn quiet(world: &World, limit: Duration) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        let since = world.last_write().max(begun);
        if since.elapsed() >= world.quiet {
            return true;
        }
        sleep_until(since + world.quiet.min(limit)).await;
    }
    false
}
