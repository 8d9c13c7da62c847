//! The functions of this module: tables of what they do, and random writes beside Kubernetes' own libraries.

mod apply;
mod libraries;
mod lists;
mod objects;
mod ownership;
mod patches;
mod scale;
mod schemas;
mod sequences;
mod server;
