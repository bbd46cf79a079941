//! [`Node`]: what an operation leaves behind in the graph; [`Backward`]: how to go back through it.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use super::context::Context;
use super::few::Few;
use super::handle::NodeRef;
use super::hooks::Hooks;
use super::leaf::Leaf;
use super::parts::Parts;
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

    /// Where the gradient of the only input is zero but for a part, only that part; else `None`, and the formulas above
    /// are asked. The engine adds parts up in time in proportion to them. Only in a pass that is not recorded.
    #[doc(hidden)]
    fn partial(&self, _: &Context<'_>) -> Result<Option<Parts>> {
        Ok(None)
    }

    /// Whether [`partial`](Backward::partial) can go on with parts, as views do.
    #[doc(hidden)]
    fn takes_parts(&self) -> bool {
        false
    }

    /// What the engine calls: the first of the two where the pass is `recorded`, else the second. The forms of
    /// element-wise operations give their one or two gradients here without a `Vec`.
    #[doc(hidden)]
    fn gradients(&self, ctx: &Context<'_>, recorded: bool) -> Result<Few<Option<Tensor>>> {
        if recorded { self.backward(ctx) } else { self.backward_fused(ctx) }.map(Few::from)
    }
}

/// Where a gradient goes.
#[derive(Clone)]
pub(crate) enum Edge {
    /// Into the slot of a leaf.
    Leaf(Arc<Leaf>),
    /// On to the operation that computed the tensor as its output of this number.
    Output(NodeRef, u32),
}

impl Edge {
    /// Lets go of the gradient that is collected there, of an owner who is counted among its owners.
    pub(crate) fn disown(&self) {
        match self {
            Edge::Leaf(leaf) => leaf.disown(),
            // Of an output's gradient, where it is retained, the tensor that was computed is the owner.
            Edge::Output(node, i) => {
                node.outputs[*i as usize].retained().into_iter().for_each(|leaf| leaf.disown());
            }
        }
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        match self {
            Edge::Leaf(leaf) => &leaf.hooks,
            Edge::Output(node, i) => &node.outputs[*i as usize].watch().hooks,
        }
    }
}

/// An edge to a tracked input with what a gradient must look like to go there.
pub(super) struct Input {
    pub(super) edge: Edge,
    pub(super) shape: Shape,
    pub(super) dtype: DType,
}

/// What is registered on an output, if anything is.
#[derive(Default)]
pub(crate) struct Output(OnceLock<Box<Watchers>>);

#[derive(Default)]
pub(crate) struct Watchers {
    pub(super) hooks: Hooks,
    /// Where `retain_grad` collects the gradient, once asked for.
    pub(super) retained: OnceLock<Arc<Leaf>>,
}

impl Output {
    pub(super) fn watchers(&self) -> Option<&Watchers> {
        self.0.get().map(|watchers| &**watchers)
    }

    /// To register something.
    pub(super) fn watch(&self) -> &Watchers {
        self.0.get_or_init(Box::default)
    }

    /// Where the gradient is collected, if it was asked for.
    pub(super) fn retained(&self) -> Option<&Arc<Leaf>> {
        self.watchers()?.retained.get()
    }
}

/// Where a saved tensor comes from.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// An output of the operation itself. It is saved as a value alone: a node that keeps its own output would own
    /// itself.
    Output(u32),
    /// From elsewhere, and saved in its place in the graph if it has one.
    Elsewhere,
}

/// A recorded operation.
pub(crate) struct Node {
    /// Grows with time: an operation's inputs have smaller numbers than it has. No other node of the process has it.
    pub(super) sequence: u64,
    pub(super) location: &'static Location<'static>,
    pub(super) operation: Box<dyn Backward>,
    pub(super) inputs: Few<Option<Input>>,
    pub(super) outputs: Few<Output>,
    /// What each saved tensor is.
    pub(super) origins: Few<Origin>,
    /// The saved tensors. `None` where a backward pass has been here and let go.
    pub(super) saved: Mutex<Option<Few<Tensor>>>,
}

impl Node {
    pub(super) fn saved(&self) -> MutexGuard<'_, Option<Few<Tensor>>> {
        self.saved.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Names the node in messages: the operation and where it was called.
impl fmt::Display for NodeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.location;
        write!(f, "{} called at {}:{}:{}", self.operation.name(), at.file(), at.line(), at.column())
    }
}

impl Origin {
    /// A tensor that this node saved, in its place in the graph.
    ///
    /// What is recorded with it may come to be the graph of a gradient that the tensor itself retains. So the node goes
    /// on with a handle that owns no gradient in the place of one that its user may own.
    pub(super) fn place(self, saved: &mut Tensor, node: &NodeRef) -> Tensor {
        match self {
            Origin::Output(i) => saved.with_edge(Some(Edge::Output(node.clone(), i))),
            Origin::Elsewhere => {
                if saved.is_owner() {
                    *saved = saved.with_edge(saved.edge().cloned());
                }
                saved.clone()
            }
        }
    }
}
