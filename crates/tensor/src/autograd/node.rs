//! [`Node`]: what an operation leaves behind in the graph; [`Backward`]: how to go back through it.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

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
///         let x = ctx.saved(0);
///         Ok(vec![Some(ctx.grad().mul(&x.mul(x)?.mul(3.0)?)?)])
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
    /// A gradient may have the shape that the input was broadcast to: the engine sums it down.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>>;

    /// The same numbers by one fast kernel, for a backward pass that is not itself recorded.
    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        self.backward(ctx)
    }
}

/// What a [`Backward`] has to work with.
pub struct Context<'a> {
    pub(super) grads: &'a [Option<Tensor>],
    pub(super) saved: &'a [Tensor],
    pub(super) needs: &'a [bool],
}

impl Context<'_> {
    /// The gradient of the operation's only output.
    ///
    /// # Panics
    /// When the operation has several outputs of which the first got no gradient: ask
    /// [`grad_of`](Context::grad_of) there.
    pub fn grad(&self) -> &Tensor {
        self.grads[0].as_ref().expect("the gradient of a single output is there when its node is visited")
    }

    /// The gradient of output `i`, if it got any.
    pub fn grad_of(&self, i: usize) -> Option<&Tensor> {
        self.grads[i].as_ref()
    }

    /// The `i`-th of the tensors that were saved.
    pub fn saved(&self, i: usize) -> &Tensor {
        &self.saved[i]
    }

    /// Whether the gradient of input `i` is wanted.
    pub fn needs(&self, i: usize) -> bool {
        self.needs[i]
    }

    /// Computes the gradient of input `i` if it is wanted.
    pub fn when_needed(&self, i: usize, f: impl FnOnce() -> Result<Tensor>) -> Result<Option<Tensor>> {
        if self.needs[i] { f().map(Some) } else { Ok(None) }
    }
}

/// Where a gradient goes.
#[derive(Clone)]
pub(crate) enum Edge {
    /// Into the slot of a leaf.
    Leaf(Arc<Leaf>),
    /// On to the operation that computed the tensor as its output of this number.
    Output(Arc<Node>, usize),
}

impl Edge {
    pub(crate) fn hooks(&self) -> &Hooks {
        match self {
            Edge::Leaf(leaf) => &leaf.hooks,
            Edge::Output(node, i) => &node.outputs[*i].hooks,
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

/// A recorded operation.
pub(crate) struct Node<B: ?Sized = dyn Backward> {
    /// Grows with time: an operation's inputs have smaller numbers than it has.
    pub(super) sequence: u64,
    pub(super) location: &'static Location<'static>,
    pub(super) inputs: Box<[Option<Input>]>,
    pub(super) outputs: Box<[Output]>,
    saved: Mutex<SavedState>,
    pub(super) operation: B,
}

impl<B: Backward> Node<B> {
    pub(super) fn new(
        operation: B,
        location: &'static Location<'static>,
        inputs: Box<[Option<Input>]>,
        outputs: Box<[Output]>,
        saved: Vec<Saved>,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Node {
            sequence: NEXT.fetch_add(1, Relaxed),
            location,
            inputs,
            outputs,
            saved: Mutex::new(SavedState::Kept(saved)),
            operation,
        }
    }
}

impl Node {
    pub(super) fn saved(&self) -> MutexGuard<'_, SavedState> {
        self.saved.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Saved {
    /// The saved tensor, in its place in the graph.
    pub(super) fn to_tensor(&self, node: &Arc<Node>) -> Tensor {
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

type Remains = (Box<[Option<Input>]>, Vec<Saved>);

thread_local! {
    static DROPPING: Cell<bool> = const { Cell::new(false) };
    static REMAINS: RefCell<Vec<Remains>> = const { RefCell::new(Vec::new()) };
}

/// A graph may be a chain of millions of nodes, each holding the one before: dropping it by the language's
/// own rule would recurse as deep. Instead the first node to be dropped empties a queue into which those
/// that fall with it put what they hold.
impl<B: ?Sized> Drop for Node<B> {
    fn drop(&mut self) {
        let saved = match self.saved.get_mut().unwrap_or_else(|e| e.into_inner()) {
            SavedState::Kept(saved) => std::mem::take(saved),
            SavedState::Released => Vec::new(),
        };
        let mut remains = (std::mem::take(&mut self.inputs), saved);
        if DROPPING.try_with(Cell::get).unwrap_or(false) {
            let queued = REMAINS.try_with(|queue| queue.borrow_mut().push(std::mem::take(&mut remains)));
            debug_assert!(queued.is_ok() || remains.0.is_empty());
            return;
        }
        let _ = DROPPING.try_with(|dropping| dropping.set(true));
        drop(remains);
        while let Some(next) = REMAINS.try_with(|queue| queue.borrow_mut().pop()).ok().flatten() {
            drop(next);
        }
        let _ = DROPPING.try_with(|dropping| dropping.set(false));
    }
}
