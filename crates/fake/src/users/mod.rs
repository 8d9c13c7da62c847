//! What tests do with a server beside sending it requests: objects to begin with, the requests that came, faults.

mod faults;
mod requests;
mod seed;

pub(crate) use faults::Faults;
pub use faults::{Fault, Which};
pub use requests::RecordedRequest;
pub use seed::SeedError;
