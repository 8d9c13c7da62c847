//! Leader election on Leases: of several copies of a program, one works at a time.
//!
//! An [`Elector`] is a candidate. It waits until it holds the lease, runs the work while it does, and stops the work
//! before anybody else can hold it:
//!
//! ```no_run
//! use k8s_client_leader_election::{ElectionError, Elector, Ends};
//! use k8s_client_runtime::Config;
//!
//! # async fn reconcile() {}
//! # async fn example() -> Result<(), ElectionError> {
//! let config = Config::infer()?;
//! let mut elector = Elector::new(&config, "default", "my-operator")?;
//! match elector.lead(|_term| reconcile()).await {
//!     Ends::Work(()) => println!("done"),
//!     Ends::Lost(loss) => eprintln!("{loss}"),
//!     Ends::Stopped => {}
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The program needs the verbs `get`, `create` and `update` on `leases` of `coordination.k8s.io` in the lease's
//! namespace.
//!
//! # What is promised
//!
//! **Never two terms at once**, as long as nobody writes the lease by hand or deletes it, all candidates have
//! identities of their own, and no clock runs so fast or slow that the difference between
//! [`lease_duration`](ElectorBuilder::lease_duration) and [`renew_deadline`](ElectorBuilder::renew_deadline) is used
//! up.
//!
//! * The work is a future. It is dropped when the deadline has passed since the last renewal was *sent*; and it is not
//!   even polled when it is late, as after the program was stopped for a while or the machine was suspended.
//! * What other machines' clocks show never counts. A candidate takes a lease that it has not seen changing for the
//!   lease's duration.
//! * The lease is released only after the work has ended, and only if it is still this candidate's.
//! * [`Term::fencing_token`] is higher in each term, for systems that can refuse changes of an earlier one. Nothing
//!   else protects from a program that stands still between [`Term::is_valid`] and what it does next.
//! * A system clock that is set back, at most one retry period before the machine is suspended, hides how long that
//!   took.
//!
//! # Where this differs from client-go
//!
//! * The work is stopped before the lease is released, and the program can take part again after a loss
//!   ([`Elector::campaign`]). In client-go the lease is released while the work runs, and who lost once must restart.
//! * A release changes nothing if the lease has another holder. In client-go it may take away a successor's.
//! * The deadline counts from when the last successful renewal was sent, and the limit of a request is part of it. In
//!   client-go a leader may go on for the deadline, a retry period and the time of a request.
//! * A term ends at once when the lease has another holder, or none.
//! * Every term has a new number (`leaseTransitions`), also when its holder is that of the term before.
//! * Any new version of the lease counts as a sign of life; client-go compares the record.
//! * A lease that is deleted is not taken earlier than it would have been otherwise.
//! * Candidates look after half to all of a retry period, not after 1 to 2.2 of them, so a lease that was released has
//!   a new holder within one.
//! * A lease duration that is not whole seconds is rounded up in the record. client-go cuts it off.

mod builder;
mod candidacy;
mod clock;
#[cfg(feature = "coordinated")]
mod coordinated;
mod elector;
mod ends;
mod error;
mod identity;
mod lock;
mod metrics;
mod observer;
mod stop;
mod term;
#[cfg(test)]
mod tests;
mod timing;
mod work;

pub use builder::ElectorBuilder;
#[cfg(feature = "coordinated")]
pub use coordinated::Coordination;
pub use elector::Elector;
pub use ends::{Ends, Loss};
pub use error::ElectionError;
pub use metrics::Metrics;
pub use observer::Observer;
pub use term::Term;

/// The examples of README.md, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
