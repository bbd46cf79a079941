//! Dropping what may be a long chain without recursion.
//!
//! A graph may be a chain of millions of nodes, each holding the one before, through an edge, a saved tensor, a
//! retained gradient, a hook or something in the operation itself; leaves hold gradients, and these graphs, in turn.
//! Dropped by the language's own rule they would recurse as deep. So what holds others that way is handed to [`fall`]
//! when it is dropped: while something is falling already it is only put into a queue, which whoever began the fall
//! empties.

use std::any::Any;
use std::cell::RefCell;
use std::mem::ManuallyDrop;

use chainrule_kernels::memory::Counted;

use crate::Tensor;
use crate::autograd::Node;

/// What may hold long chains.
#[allow(dead_code, reason = "all is held for its drop")]
pub(crate) enum Falling {
    Node(Counted<Node>),
    /// A stored gradient, with its graph.
    Gradient(Tensor),
    /// Anything else.
    Other(Box<dyn Any>),
}

thread_local! {
    /// What is still to be dropped; absent while nothing is falling. It needs no destructor, so that it is there for
    /// tensors in other thread-locals, whenever these are destroyed.
    static QUEUE: RefCell<ManuallyDrop<Option<Vec<Falling>>>> = const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Drops something: now, together with all that it holds, or, where something is falling already, after that.
pub(crate) fn fall(falling: Falling) {
    let first = QUEUE.with_borrow_mut(|queue| match &mut **queue {
        Some(queue) => {
            queue.push(falling);
            None
        }
        None => {
            **queue = Some(Vec::new());
            Some(falling)
        }
    });
    if let Some(first) = first {
        let _end = EndOfFall;
        drop(first);
        while let Some(next) = QUEUE.with_borrow_mut(|queue| queue.as_mut().and_then(Vec::pop)) {
            drop(next);
        }
    }
}

/// Drops a value that may hold others like it, any number deep: those drop themselves by this function too.
#[doc(hidden)]
pub fn drop_in_turn(value: impl Any) {
    fall(Falling::Other(Box::new(value)));
}

/// Takes the queue away, also where the drop of something in it panics.
struct EndOfFall;

impl Drop for EndOfFall {
    fn drop(&mut self) {
        let rest = QUEUE.with_borrow_mut(|queue| queue.take());
        drop(rest);
    }
}
