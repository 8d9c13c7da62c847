//! Informers on a real server.

mod following;
