//! What tests do with a server beside sending it requests: objects to begin with, the requests that came, what they
//! wrote, faults.

mod assertions;
pub mod breaks;
mod cuts;
mod faults;
mod requests;
mod seed;
mod writes;

pub(crate) use cuts::{Cut, Cuts};
pub(crate) use faults::Faults;
pub use faults::{Fault, RequestFilter};
pub use requests::RecordedRequest;
pub(crate) use requests::{Requests, SentBody};
pub use seed::SeedError;
pub(crate) use writes::Observers;
pub use writes::Write;
