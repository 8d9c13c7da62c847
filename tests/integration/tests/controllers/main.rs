//! What operators are built with, on a real server.

mod following;
mod reconciling;
