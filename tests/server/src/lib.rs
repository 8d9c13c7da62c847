//! An API server of config maps in memory, every answer of which a test decides: [`Server`]. Tests of informers,
//! controllers and the heap share it.
//!
//! `k8s-client-fake` answers as a real server does. This one answers as servers, proxies and networks do on bad days:
//! watches that are never marked, lists that break off, versions that are forgotten.

pub mod known;
mod server;

pub use server::{Ask, Fate, Server, What, event, listing, status};
