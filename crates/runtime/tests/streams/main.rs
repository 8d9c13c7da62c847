//! Exec, attach and port-forward, with servers that do what real ones do only now and then.

mod exec;
mod forward;
mod listener;
mod over_spdy;
mod refusals;
mod server;
mod spdy;
