//! What kubectl does with pods, for programs.
//!
//! * [`FollowPodLogs`]: the logs of all pods that a selector chooses, as one stream: those that are there, and those to
//!   come.
//! * [`DebugPods`]: debug containers, added to a running pod and attached to.
//! * `CopyFiles`, with the feature `copy`: files to and from containers.

#[cfg(feature = "copy")]
mod copy;
mod debug;
mod logs;

#[cfg(all(feature = "copy", any(test, fuzzing)))]
#[doc(hidden)]
pub use copy::fuzzing;
#[cfg(feature = "copy")]
pub use copy::{Copied, CopyError, CopyFiles, Download, ReadFile, Upload, WriteFile};
pub use debug::{DebugContainer, DebugContainerBuilder, DebugOutput, DebugPods};
pub use logs::{FollowPodLogs, PodLogEntry, PodLogEvent, PodLogs, PodLogsBuilder};

/// The examples of README.md, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
