//! The functions of this module beside Kubernetes' own libraries.

mod libraries;
mod objects;
mod schemas;
mod sequences;
