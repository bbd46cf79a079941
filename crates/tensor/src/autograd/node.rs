//! [`Node`]: what an operation leaves behind in the graph; [`Backward`]: how to go back through it.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard};

use super::context::Context;
use super::handle::NodeRef;
use super::hooks::Hooks;
use super::leaf::Leaf;
use crate::storage::Storage;
use crate::tensor::Layout;
use crate::{DType, Result, Shape, Tensor};

/// The way back through an operation: from the gradients of its outputs to those of its inputs.
///
/// The type holds the operation's options; tensors that it needs are saved by [`record`](super::record)
/// and come back through the [`Context`]. This is how every operation of the library is written, and an
/// operation of your own is written in the same way:
///
/// ```
/// use chainrule_tensor::autograd::{Backward, Context, Save, record};
/// use chainrule_tensor::{Result, Tensor};
///
/// /// y = x³, computed in one pass.
/// struct Cube;
///
/// impl Backward for Cube {
///     fn name(&self) -> &'static str {
///         "cube"
///     }
///     // Written with tensor operations, so that it can be differentiated again.
///     fn backward(&self, ctx: &Context) -> Result<Vec<Option<Tensor>>> {
///         let x = ctx.saved(0)?;
///         Ok(vec![Some(ctx.grad()?.mul(&x.mul(x)?.mul(3.0)?)?)])
///     }
/// }
///
/// fn cube(x: &Tensor) -> Result<Tensor> {
///     let x = x.contiguous()?;
///     let values = x.as_slice::<f32>()?;
///     let y = Tensor::build(x.shape(), |out: &mut [f32]| {
///         out.iter_mut().zip(values).for_each(|(o, v)| *o = v * v * v);
///     })?;
///     record(Cube, &[&x], &[Save::Input(0)], y)
/// }
///
/// fn main() -> Result<()> {
///     let x = Tensor::new([1.0, 2.0]).requires_grad_(true)?;
///     cube(&x)?.sum()?.backward()?;
///     assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [3.0, 12.0]);
///     Ok(())
/// }
/// ```
pub trait Backward: Send + Sync + 'static {
    /// The operation's name, for messages and printing.
    fn name(&self) -> &'static str;

    /// The gradient of each input, in order: `None` where it is zero or not needed
    /// ([`Context::needs`] tells). Written with tensor operations, so that it is differentiable itself.
    ///
    /// A gradient has the input's dtype, and its shape or one that the input's broadcasts to: the engine sums it
    /// down. Any other is an error of the backward pass.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>>;

    /// The same numbers by one fast kernel, for a backward pass that is not itself recorded.
    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        self.backward(ctx)
    }
}

/// Where a gradient goes.
#[derive(Clone)]
pub(crate) enum Edge {
    /// Into the slot of a leaf.
    Leaf(Arc<Leaf>),
    /// On to the operation that computed the tensor as its output of this number.
    Output(NodeRef, usize),
}

impl Edge {
    pub(crate) fn hooks(&self) -> &Hooks {
        match self {
            Edge::Leaf(leaf) => &leaf.hooks,
            Edge::Output(node, i) => &node.entry.outputs[*i].hooks,
        }
    }
}

/// An edge to a tracked input with what a gradient must look like to go there.
pub(super) struct Input {
    pub(super) edge: Edge,
    pub(super) shape: Shape,
    pub(super) dtype: DType,
}

/// What is known of an output, and what is registered on it.
pub(super) struct Output {
    pub(super) hooks: Hooks,
    /// Where `retain_grad` collects the gradient, once asked for.
    pub(super) retained: Mutex<Option<Arc<Leaf>>>,
}

impl Output {
    pub(super) fn retained(&self) -> MutexGuard<'_, Option<Arc<Leaf>>> {
        self.retained.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// A saved tensor. An output is kept as its value alone: keeping the tensor would make the node own itself.
pub(super) enum Saved {
    Tensor(Tensor),
    Output { storage: Storage, layout: Layout, number: usize },
}

pub(super) enum SavedState {
    Kept(Vec<Saved>),
    /// A backward pass has been here and let go.
    Released,
}

/// What the graph knows of a recorded operation, whatever operation it is.
pub(crate) struct Entry {
    /// Grows with time: an operation's inputs have smaller numbers than it has.
    pub(super) sequence: u64,
    pub(super) location: &'static Location<'static>,
    pub(super) inputs: Box<[Option<Input>]>,
    pub(super) outputs: Box<[Output]>,
    pub(super) saved: Mutex<SavedState>,
}

/// A recorded operation. Only the operation itself is of its own type, so that little code is compiled for each
/// of the many operations.
pub(crate) struct Node<B: ?Sized = dyn Backward> {
    pub(super) entry: Entry,
    pub(super) operation: B,
}

impl Entry {
    pub(super) fn saved(&self) -> MutexGuard<'_, SavedState> {
        self.saved.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Names the node in messages: the operation and where it was called.
impl fmt::Display for NodeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.entry.location;
        write!(f, "{} called at {}:{}:{}", self.operation.name(), at.file(), at.line(), at.column())
    }
}

impl Saved {
    /// The saved tensor, in its place in the graph.
    pub(super) fn to_tensor(&self, node: &NodeRef) -> Tensor {
        match self {
            Saved::Tensor(tensor) => tensor.clone(),
            Saved::Output { storage, layout, number } => Tensor {
                storage: storage.clone(),
                layout: layout.clone(),
                edge: Some(Edge::Output(node.clone(), *number)),
            },
        }
    }
}
