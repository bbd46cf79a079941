//! [`NodeRef`]: a handle to a node, whose graph falls without recursion when it is let go of.

use std::ops::Deref;

use chainrule_kernels::memory::Counted;

use super::node::Node;
use crate::falling::{Falling, fall};

/// A counted handle to a node. Whatever holds a node does so by such a handle, of which the last lets it
/// [`fall`](crate::falling).
#[derive(Clone)]
pub(crate) struct NodeRef(
    /// There until the handle is dropped.
    Option<Counted<Node>>,
);

impl NodeRef {
    #[inline]
    pub(super) fn new(node: impl FnOnce() -> Node) -> Self {
        NodeRef(Some(Counted::with(node)))
    }
}

impl Deref for NodeRef {
    type Target = Node;
    fn deref(&self) -> &Node {
        self.0.as_deref().expect("a handle has its node until it is dropped")
    }
}

impl Drop for NodeRef {
    fn drop(&mut self) {
        let Some(node) = self.0.take() else { return };
        // Where it is not the last handle, and another thread lets go of the others just now, the node is dropped here
        // and what it holds falls.
        if node.is_only_handle() {
            fall(Falling::Node(node));
        }
    }
}
