//! What kubectl does with pods, for programs.
//!
//! * [`FollowPodLogs`]: the logs of all pods that a selector chooses, as one stream: those that are there, and those to
//!   come.

mod logs;

pub use logs::{FollowPodLogs, PodLogEntry, PodLogEvent, PodLogs, PodLogsBuilder};

/// The examples of README.md, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
