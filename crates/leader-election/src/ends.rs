//! How terms end.

use std::{fmt, sync::Arc};

use k8s_client_runtime::Error;

/// How a term ended, or that there was none.
#[derive(Debug)]
#[must_use = "a lost term usually ends the program, or begins another campaign"]
pub enum Ends<T> {
    /// The work has returned this. The lease was released.
    Work(T),
    /// The lease was lost and the work was dropped.
    Lost(Loss),
    /// The program asked to stop, before there was a term or before the work had ended. In the latter case it was
    /// dropped when its time was over, and the lease was released.
    Stopped,
}

/// Why a lease was lost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Loss {
    /// It was not renewed within the deadline: the server did not answer or refused it, or the program or its machine
    /// stood still.
    NotRenewed {
        /// The error of the last try, unless that succeeded.
        last: Option<Arc<Error>>,
    },
    /// The lease has another holder now, or none. Somebody must have changed it by hand, or two candidates have the
    /// same identity.
    Taken {
        /// Who holds it. It is empty if nobody does.
        holder: String,
    },
    /// The control plane prefers another candidate. It happens in coordinated elections only.
    Unwanted {
        /// Who is to lead.
        preferred: String,
    },
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRenewed { last: Some(error) } => write!(f, "the lease was not renewed in time: {error}"),
            Self::NotRenewed { last: None } => {
                f.write_str("the lease was not renewed in time; the program or its machine may have stood still")
            }
            Self::Taken { holder } if holder.is_empty() => f.write_str("somebody took the lease away; nobody holds it"),
            Self::Taken { holder } => write!(f, "the lease is held by {holder:?}"),
            Self::Unwanted { preferred } => write!(f, "the control plane prefers {preferred:?} as the leader"),
        }
    }
}
