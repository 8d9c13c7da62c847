//! Programs of a simulation, which can be made to stand still.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::with_other;

thread_local! {
    /// The process whose code runs.
    static CURRENT: RefCell<Option<Arc<Process>>> = const { RefCell::new(None) };
}

/// A program of a simulation, from its start to its end. While it is stopped, as by SIGSTOP, none of its futures is
/// polled, and time goes on. Once it is killed, none is polled ever again.
#[derive(Debug, Default)]
pub struct Process(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// Those that were to be polled meanwhile, in their order.
    waiting: Vec<Waker>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Running,
    Stopped,
    Killed,
}

/// Makes the future part of the process that calls this; without one, it stays as it is. For futures that become tasks.
pub fn own<F: Future>(future: F) -> impl Future<Output = F::Output> + use<F> {
    let process = Process::current();
    async move {
        match process {
            Some(process) => process.run(future).await,
            None => future.await,
        }
    }
}

impl Process {
    /// The process whose code calls this.
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Makes a future part of this process.
    pub async fn run<F: Future>(self: Arc<Self>, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(move |context| self.poll(future.as_mut(), context)).await
    }

    /// Lets it stand still from now on.
    pub fn stop(&self) {
        let mut state = self.state();
        if state.phase == Phase::Running {
            state.phase = Phase::Stopped;
        }
    }

    /// Lets it go on, if it was not killed meanwhile.
    pub fn go_on(&self) {
        let waiting = {
            let mut state = self.state();
            if state.phase != Phase::Stopped {
                return;
            }
            state.phase = Phase::Running;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Ends it. What is left of it stands still for ever.
    pub fn kill(&self) {
        self.state().phase = Phase::Killed;
    }

    /// Whether it is neither stopped nor killed.
    pub fn is_running(&self) -> bool {
        self.state().phase == Phase::Running
    }

    fn poll<F: Future>(self: &Arc<Self>, future: Pin<&mut F>, context: &mut Context<'_>) -> Poll<F::Output> {
        {
            let mut state = self.state();
            if state.phase != Phase::Running {
                if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                    state.waiting.push(context.waker().clone());
                }
                return Poll::Pending;
            }
        }
        with_other(&CURRENT, Some(Arc::clone(self)), || future.poll(context))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        task::JoinSet,
        time::{Instant, sleep},
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn stopped_process_does_nothing_until_it_goes_on_and_no_longer_when_it_does() {
        let second = Duration::from_secs(1);
        let (process, started) = (Arc::<Process>::default(), Instant::now());
        let ticks = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let ticking = move |ticks: Arc<Mutex<Vec<Duration>>>| async move {
            for _ in 0..3 {
                sleep(second).await;
                ticks.lock().unwrap().push(started.elapsed());
            }
        };
        let given = ticks.clone();
        // A task of a task belongs to the same process.
        tasks.spawn(process.clone().run(async move { tokio::spawn(own(ticking(given))).await.unwrap() }));
        sleep(second + second / 2).await;
        process.stop();
        sleep(10 * second).await;
        assert_eq!(*ticks.lock().unwrap(), [second]);
        process.go_on();
        tasks.join_all().await;
        assert_eq!(*ticks.lock().unwrap(), [second, 11 * second + second / 2, 12 * second + second / 2]);
        assert!(Process::current().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn killed_process_does_not_go_on() {
        let process = Arc::<Process>::default();
        let task = tokio::spawn(process.clone().run(sleep(Duration::from_secs(1))));
        process.stop();
        process.kill();
        process.go_on();
        assert!(!process.is_running());
        tokio::time::timeout(Duration::from_secs(60), task).await.expect_err("it does nothing any more");
    }
}
