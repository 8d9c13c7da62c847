//! Programs of others on the fake API server's port, beside the same programs on a real one: kubectl and client-go.
//! They must say the same of both.

mod both;
mod client_go;
mod commands;
mod kubectl;
mod same;
