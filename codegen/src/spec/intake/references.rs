//! References inside of a document, followed. What is stored refers to schemas alone, by their names.

use crate::{Error, spec::node::Node};

/// How many references may lead to a value.
const STEPS: usize = 16;

/// What references of a document lead to.
pub(super) struct References<'a> {
    pub(super) root: Node<'a>,
}

impl<'a> References<'a> {
    /// The value itself, or what it refers to; `None` if the document does not have that.
    pub(super) fn find(&self, node: &Node<'a>) -> Result<Option<Node<'a>>, Error> {
        let mut node = node.clone();
        for _ in 0..STEPS {
            let Some(reference) = node.get("$ref") else { return Ok(Some(node)) };
            let text = reference.string()?;
            let Some(pointer) = text.strip_prefix("#/") else {
                return Err(reference.error(format!("`{}` refers to another document", text.escape_debug())));
            };
            match self.root.pointer(pointer) {
                Some(next) => node = next,
                None => return Ok(None),
            }
        }
        Err(node.error("the references have no end"))
    }

    /// The value itself, or what it refers to, which must be there.
    pub(super) fn require(&self, node: &Node<'a>) -> Result<Node<'a>, Error> {
        self.find(node)?.ok_or_else(|| node.error("refers to something that the document does not have"))
    }
}
