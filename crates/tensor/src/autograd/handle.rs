//! [`NodeRef`]: a handle to a node, whose graph falls without recursion when it is let go of.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::ops::Deref;

use chainrule_kernels::memory::Counted;

use super::node::Node;

/// A counted handle to a node.
///
/// A graph may be a chain of millions of nodes, each holding the one before, through an edge, a saved tensor, a
/// retained gradient, a hook or something in the operation itself: dropped by the language's own rule it would
/// recurse as deep. All of these hold tensors, and these hold their node by such a handle. So the last handle to a
/// node, when it is dropped while another node is falling, only puts its node into a queue, and the handle with
/// which the fall began empties the queue.
#[derive(Clone)]
pub(crate) struct NodeRef(
    /// There until the handle is dropped.
    Option<Counted<Node>>,
);

thread_local! {
    /// The nodes still to be dropped; absent while none is falling. It needs no destructor, so that it is there
    /// for tensors in other thread-locals, whenever these are destroyed.
    static FALLING: RefCell<ManuallyDrop<Option<Vec<Counted<Node>>>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

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
        if !node.is_only_handle() {
            // Not the last handle. (Where another thread lets go of the others just now, the node falls here and
            // its inputs into the queue.)
            return;
        }
        let first = FALLING.with_borrow_mut(|falling| match &mut **falling {
            Some(queue) => {
                queue.push(node);
                None
            }
            None => {
                **falling = Some(Vec::new());
                Some(node)
            }
        });
        if let Some(first) = first {
            let _end = EndOfFall;
            drop(first);
            while let Some(next) = FALLING.with_borrow_mut(|falling| falling.as_mut().and_then(Vec::pop)) {
                drop(next);
            }
        }
    }
}

/// Takes the queue away, also where the drop of something in a node panics.
struct EndOfFall;

impl Drop for EndOfFall {
    fn drop(&mut self) {
        let rest = FALLING.with_borrow_mut(|falling| falling.take());
        drop(rest);
    }
}
