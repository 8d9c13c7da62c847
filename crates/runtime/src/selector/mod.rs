//! Which objects are meant: selectors of labels and of fields, as text and as values.
//!
//! [`Selector`] chooses by labels and [`FieldSelector`] by fields. Both are parsed from Kubernetes' text, print it, and
//! can be matched without a server. Every `label_selector` and `field_selector` of this library takes a text or one of
//! these.
//!
//! ```
//! use k8s_client_runtime::selector::{FieldSelector, Selector};
//!
//! # fn main() -> Result<(), k8s_client_runtime::selector::InvalidSelector> {
//! let front: Selector = "tier in (front, edge), !legacy".parse()?;
//! assert!(front.matches([("tier", "edge"), ("app", "web")]));
//! assert!(!front.matches([("tier", "edge"), ("legacy", "")]));
//!
//! // The same, with values of a program in it.
//! let tiers = ["front", "edge"];
//! let built = Selector::everything().one_of("tier", tiers)?.absent("legacy")?;
//! assert_eq!(built.to_string(), "!legacy,tier in (edge,front)");
//! assert_eq!(built, front);
//!
//! let on_node = FieldSelector::everything().equal("spec.nodeName", "node-1");
//! assert_eq!(on_node.to_string(), "spec.nodeName=node-1");
//! # Ok(())
//! # }
//! ```

mod error;
mod field;
mod label;
mod lexer;
mod parse;
mod requirement;
#[cfg(test)]
mod tests;

pub use error::InvalidSelector;
pub use field::FieldSelector;
pub use label::Selector;
pub use requirement::{Operator, Requirement};
