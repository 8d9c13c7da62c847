//! Records events of Kubernetes objects: what a controller has done, and why, for `kubectl describe` to show.
//!
//! [`Recorder`] has an example. Recording never waits and never fails. Events are written by a task in the background,
//! in the API `events.k8s.io/v1`, or in `core/v1` if that is asked for.
//!
//! The program needs the verbs `create` and `patch` on `events` of `events.k8s.io` (of the group `""` for `core/v1`),
//! in every namespace whose objects it reports on, and in `default` for objects of the cluster. A
//! program that lacks them logs the rule to add, once.
//!
//! # What becomes of many events
//!
//! * A repeat does not become another object. Events are the same if object (its uid included, its version not), type,
//!   reason, action, related object and note are. The second occurrence is written at once. Further ones are counted,
//!   and the count is written after 30 minutes, when nothing was repeated for 6 minutes, and by [`Recorder::flush`]. So
//!   a loop that records the same thousand times makes a handful of requests.
//! * From the 10th event that differs from others in nothing but its note, they become one: `(combined from similar
//!   events): …`.
//! * About one object there are at most 25 writes at once, and then one in 5 minutes. Warnings have a budget of their
//!   own.
//! * Memory is bounded, and so is what waits to be written.
//!
//! Events that are dropped for one of these reasons, or by errors, are counted ([`Metrics::dropped`],
//! [`Recorder::dropped`]) and logged, at most once a minute. [`RecorderBuilder`] changes the limits.
//!
//! # Where this differs from client-go
//!
//! * The same rules hold for both APIs. client-go's recorder of `events.k8s.io` has no spam filter and combines all
//!   notes into one event, which shows the first of them; that of `core/v1` writes each repeat.
//! * The key of a series has the object's uid, and not its version, which client-go's of `events.k8s.io` has: there a
//!   controller that changes the object begins a new series each time.
//! * An event that has been combined once goes on to be. In client-go, whether a note that was there before is combined
//!   is left to chance.
//! * [`Recorder::flush`] and [`Recorder::shutdown`] write what is left. client-go loses it.
//! * One request is sent at a time; one that fails does not keep the next from being tried.

mod builder;
mod correlate;
mod drops;
mod error;
mod lru;
mod metrics;
mod occurrence;
mod recorder;
mod reference;
mod shared;
mod sink;
mod task;
#[cfg(test)]
mod tests;

pub use builder::RecorderBuilder;
pub use error::FlushTimedOut;
pub use metrics::{Dropped, Metrics};
pub use recorder::{Event, Recorder};
pub use reference::Reference;

/// The examples of README.md, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
