//! What a program takes from its machine: the time of day, and randomness. Not part of the API: for the crates of this
//! library only.
//!
//! A simulation gives the thread that it runs on a machine of its own, so that all that happens there follows from its
//! seed. What is random by [`fastrand`] comes from that seed as well.

mod process;

use std::{
    cell::{Cell, RefCell},
    hash::{BuildHasher, DefaultHasher, Hasher as _, RandomState},
    marker::PhantomData,
    thread::LocalKey,
    time::SystemTime,
};

pub use process::{Process, own};
use tokio::time::Instant;

/// A clock that goes with tokio's.
#[derive(Clone, Copy)]
struct Clock {
    /// What it showed at `since`.
    shown: SystemTime,
    since: Instant,
}

thread_local! {
    static SIMULATED: Cell<Option<Clock>> = const { Cell::new(None) };
}

/// The time of day.
pub fn system_time() -> SystemTime {
    SIMULATED.get().map_or_else(SystemTime::now, |clock| clock.shown + clock.since.elapsed())
}

/// A number that nobody can guess; in a simulation the next one of its seed.
pub fn random() -> u64 {
    // The standard library's only source of the system's randomness.
    if SIMULATED.get().is_some() { fastrand::u64(..) } else { RandomState::new().build_hasher().finish() }
}

/// Makes hashes that nobody can guess, as [`RandomState`] does, for maps in whose order something is done: in a
/// simulation that order follows from the seed.
#[derive(Clone, Copy, Debug)]
pub struct Hashes(u64);

impl Default for Hashes {
    fn default() -> Self {
        Self(random())
    }
}

impl BuildHasher for Hashes {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher
    }
}

/// Runs this while the thread has another value here. Afterwards it has the one before again, also after a panic.
pub(crate) fn with_other<T, R>(place: &'static LocalKey<RefCell<T>>, other: T, run: impl FnOnce() -> R) -> R {
    struct Before<T: 'static>(&'static LocalKey<RefCell<T>>, Option<T>);
    impl<T> Drop for Before<T> {
        fn drop(&mut self) {
            if let Some(before) = self.1.take() {
                self.0.set(before);
            }
        }
    }
    let _before = Before(place, Some(place.replace(other)));
    run()
}

/// A machine that is simulated, until this is dropped.
#[derive(Debug)]
#[must_use = "the machine is simulated for as long as this lives"]
pub struct Simulated {
    /// Where the thread's random numbers go on afterwards.
    seed_before: u64,
    /// It stays with its thread.
    _thread: PhantomData<*const ()>,
}

/// Gives this thread a machine whose clock shows this time now, and whose random numbers follow from the seed. In a
/// runtime of tokio, so that its clock goes as tokio's does.
pub fn simulate(seed: u64, time: SystemTime) -> Simulated {
    let simulated = Simulated { seed_before: fastrand::get_seed(), _thread: PhantomData };
    fastrand::seed(seed);
    SIMULATED.set(Some(Clock { shown: time, since: Instant::now() }));
    simulated
}

impl Simulated {
    /// Sets the machine's clock.
    pub fn set_clock(time: SystemTime) {
        if SIMULATED.get().is_some() {
            SIMULATED.set(Some(Clock { shown: time, since: Instant::now() }));
        }
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        SIMULATED.set(None);
        fastrand::seed(self.seed_before);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        time::{Duration, UNIX_EPOCH},
    };

    use super::*;

    /// What a program can see of the machine: the time, numbers, and the order of a map.
    fn seen() -> (SystemTime, u64, u64, Vec<u32>) {
        let mut set: HashSet<u32, Hashes> = HashSet::default();
        set.extend(0..100);
        (system_time(), random(), fastrand::u64(..), set.into_iter().collect())
    }

    #[tokio::test(start_paused = true)]
    async fn all_that_a_simulated_machine_shows_follows_from_its_seed() {
        let time = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let [first, again, other] = [1, 1, 2].map(|seed| {
            let _machine = simulate(seed, time);
            seen()
        });
        assert_eq!(first, again);
        assert_eq!(first.0, time);
        assert_ne!(first.1, other.1);
        assert_ne!(first.3, other.3, "the order differs, so that one that matters is found");
        let (outside, later) = (seen(), seen());
        assert_ne!(outside.1, later.1);
        assert!(outside.0 > time + Duration::from_secs(1_000_000), "it is the machine's own time again");
    }

    #[tokio::test(start_paused = true)]
    async fn simulated_clock_goes_with_tokio_and_can_be_set() {
        let minute = Duration::from_secs(60);
        let _machine = simulate(1, UNIX_EPOCH + minute);
        tokio::time::advance(minute).await;
        assert_eq!(system_time(), UNIX_EPOCH + 2 * minute);
        Simulated::set_clock(UNIX_EPOCH);
        tokio::time::advance(minute).await;
        assert_eq!(system_time(), UNIX_EPOCH + minute);
    }
}
