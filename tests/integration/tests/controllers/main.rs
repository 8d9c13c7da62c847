//! What operators are built with, on a real server.

mod events;
mod following;
mod outages;
mod reconciling;
mod sources;
