//! What a script has of its simulation.

use std::{fmt, future::Future, ops::Range, sync::Arc, time::Duration};

use k8s_client_runtime::{RestClient, machine::Process};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, sleep},
};

use super::{events, line::Line, run::text_of_panic, world::World};
use crate::{FakeServer, Write};

/// How long a program is away at most when it has ended or was killed.
const RESTART: Duration = Duration::from_secs(60);
/// How long programs may take at most to come to rest.
const REST: Duration = Duration::from_secs(4 * 3600);

/// A simulation that runs: what its script works with. A clone is the same simulation.
#[derive(Clone)]
pub struct Sim(Arc<World>);

impl Sim {
    pub(super) fn new(world: Arc<World>) -> Self {
        Self(world)
    }

    /// The server, without anything that goes wrong: for the script itself, its objects and its checks.
    pub fn server(&self) -> &FakeServer {
        &self.0.server
    }

    /// A client of the server whose requests meet what goes wrong. The program calls itself so, for the record.
    ///
    /// # Panics
    ///
    /// When the program's name cannot be part of a header.
    pub fn client(&self, program: &str) -> RestClient {
        client(&self.0, program, None)
    }

    /// Starts a program: a future that is given a client and runs until the end of the simulation. When it ends, or is
    /// killed by a [crash](super::FaultKind::Crash), it is started again after a while. A program that panics has
    /// failed, and the simulation with it.
    ///
    /// A task that it spawns without keeping it, and that is none of this library's, runs on when the program is
    /// [stopped](super::FaultKind::Pause) or killed, as it would not in a process. But its requests wait until the
    /// program goes on; those of one that was killed wait for ever. Copies of a program have names of their own.
    pub fn start<A>(&self, name: &str, program: impl Fn(RestClient) -> A + Send + 'static)
    where
        A: Future + Send + 'static,
    {
        let (world, name) = (Arc::clone(&self.0), name.to_owned());
        tokio::spawn(async move {
            loop {
                let mut life = JoinSet::new();
                let (process, killed) = world.add_program(&name);
                let running = program(client(&world, &name, Some(process.clone())));
                life.spawn(process.run(async move {
                    running.await;
                }));
                tokio::select! {
                    biased;
                    ended = life.join_next() => match ended.transpose().map_err(JoinError::try_into_panic) {
                        Err(Ok(panic)) => world.fail(format!("{name} panicked: {}", text_of_panic(&*panic))),
                        _ => world.note(format!("{name} has ended")),
                    },
                    () = killed.notified() => world.note(format!("{name} is killed")),
                }
                world.remove_program(&name);
                drop(life);
                sleep(world.draw_time(RESTART)).await;
                world.note(format!("{name} starts again"));
            }
        });
    }

    /// Waits for a while, between no time and a minute, and says whether the simulation goes on: `false` once its
    /// minutes are over.
    pub async fn turn(&self) -> bool {
        let longest = match self.random(0..4) {
            0 => 10,
            1 => 2_000,
            _ => 60_000,
        };
        sleep(Duration::from_millis(self.random(0..longest))).await;
        Instant::now() < self.0.end
    }

    /// A number that the script decides by. It follows from the seed.
    pub fn random(&self, range: Range<u64>) -> u64 {
        self.0.scripted(range)
    }

    /// Ends all faults, and waits until nothing has been written for [a while](super::Simulation::quiet), leases and
    /// events aside. Then what is there must be what is wanted.
    ///
    /// The simulation fails when that does not come to be within four hours: something is written again and again.
    pub async fn calm(&self) {
        self.0.end_faults();
        if !events::quiet(&self.0, REST).await {
            self.fail(format!("the programs did not come to rest within {REST:?}: they go on writing"));
            std::future::pending::<()>().await;
        }
    }

    /// Checks each write from now on, when it has been done. A panic of this function, as by `assert!`, fails the
    /// simulation. It may read the server, and must not write.
    pub fn on_write(&self, mut check: impl FnMut(&Write) + Send + 'static) {
        let world = Arc::downgrade(&self.0);
        self.0.server.on_write(move |write| {
            let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(write)));
            if let (Err(panic), Some(world)) = (checked, world.upgrade()) {
                world.fail(format!("{write}: {}", text_of_panic(&*panic)));
            }
        });
    }

    /// Says that something is worked on, until the value is dropped. The simulation fails when it is worked on twice at
    /// the same time. A program that [stands still](super::FaultKind::Pause) does not work, and must have dropped this
    /// as soon as it goes on, if somebody else has taken over.
    #[must_use = "the work ends when this is dropped"]
    pub fn alone(&self, work: &str) -> Alone {
        Alone { world: Arc::clone(&self.0), work: work.to_owned(), number: self.0.take_alone(work) }
    }

    /// Fails the simulation, from wherever it is found that something is wrong.
    pub fn fail(&self, reason: impl Into<String>) {
        self.0.fail(reason.into());
    }
}

/// A client whose requests meet what goes wrong, of a process if it is one's.
fn client(world: &Arc<World>, program: &str, process: Option<Arc<Process>>) -> RestClient {
    let client = world.server.config().and_then(|mut config| {
        config.user_agent = Some(program.to_owned());
        RestClient::from_service(&config, Line { world: Arc::clone(world), process })
    });
    client.unwrap_or_else(|error| panic!("the program {program:?} has no client: {error}"))
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("server", &self.0.server).finish_non_exhaustive()
    }
}

/// Work that nobody else may do at the same time: see [`Sim::alone`].
#[must_use = "the work ends when this is dropped"]
pub struct Alone {
    world: Arc<World>,
    work: String,
    number: u64,
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.world.give_back(&self.work, self.number);
    }
}

impl fmt::Debug for Alone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alone").field(&self.work).finish()
    }
}
