//! HTTP: what requests ask for, and how answers are written.

mod accept;
mod answer;
mod path;
mod query;
mod render;

pub(crate) use accept::{Asked, Form, JSON, Representation};
pub(crate) use answer::{Answer, Content, response, warn};
pub(crate) use path::{Path, ResourcePath};
pub(crate) use query::Query;
pub(crate) use render::{Renderer, metadata};
