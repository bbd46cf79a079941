//! [`Parameter`]: a trainable cell.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

use crate::autograd::{Gradient, Leaf, whole};
use crate::{DType, Element, Result, Shape, Tensor, TensorCell, bail};

/// A trainable value: a cell that optimizers update, with a slot that collects its gradient.
///
/// Cloning makes a second handle to the same cell; that is how weights are tied.
///
/// ```
/// # use chainrule_tensor::{Parameter, Tensor, Result};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([1.0, 2.0]))?;
/// (w.tensor() * 3.0).sum()?.backward()?;
/// assert_eq!(w.grad().unwrap().to_vec::<f32>()?, [3.0, 3.0]);
/// w.update(|values: &mut [f32]| values.iter_mut().for_each(|v| *v -= 0.5))?;
/// assert_eq!(w.tensor().to_vec::<f32>()?, [0.5, 1.5]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Parameter(Arc<Inner>);

struct Inner {
    value: TensorCell,
    leaf: Arc<Leaf>,
    requires_grad: AtomicBool,
    names: RwLock<Vec<String>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.leaf.disown();
    }
}

impl Parameter {
    /// A parameter with a first value.
    ///
    /// # Errors
    /// For integers and booleans.
    #[track_caller]
    pub fn new(value: Tensor) -> Result<Parameter> {
        if !value.dtype().is_float() {
            bail!(DType, "Parameter", "only floating-point tensors can be trained, not {}", value.dtype());
        }
        Ok(Parameter(Arc::new(Inner {
            value: TensorCell::new(&value),
            leaf: Arc::new(Leaf::new()),
            requires_grad: AtomicBool::new(true),
            names: RwLock::default(),
        })))
    }

    /// The value now, as a leaf of the graph (a constant where the parameter is frozen).
    ///
    /// Within the closure of its own [`update`](Parameter::update) there is no value: numbers that are NaN, and the
    /// update is an error.
    #[track_caller]
    pub fn tensor(&self) -> Tensor {
        self.0.value.read(|value| {
            if self.requires_grad() {
                self.0.leaf.own();
                value.with_leaf(self.0.leaf.clone())
            } else {
                value.clone()
            }
        })
    }

    /// Replaces the value.
    ///
    /// # Errors
    /// When shape or dtype differs, or within the closure of [`update`](Parameter::update); nothing changes then.
    #[track_caller]
    pub fn set(&self, value: &Tensor) -> Result<()> {
        self.0.value.set(value)
    }

    /// Changes the values in place; see [`TensorCell::update`].
    ///
    /// # Errors
    /// When `T` is not the parameter's dtype, or the closure asks for the parameter's value or changes it in another way.
    #[track_caller]
    pub fn update<T: Element, R>(&self, change: impl FnOnce(&mut [T]) -> R) -> Result<R> {
        self.0.value.update(change)
    }

    /// The gradient collected since it was last zeroed, as a whole tensor (see also
    /// [`row_gradient`](Parameter::row_gradient)).
    ///
    /// # Panics
    /// When the gradient was kept as a few rows and there is no memory for the whole of it:
    /// [`try_grad`](Parameter::try_grad) returns an error then.
    #[track_caller]
    pub fn grad(&self) -> Option<Tensor> {
        whole(&self.0.leaf)
    }

    /// As [`grad`](Parameter::grad).
    ///
    /// # Errors
    /// When the gradient was kept as a few rows and there is no memory for the whole of it.
    #[track_caller]
    pub fn try_grad(&self) -> Result<Option<Tensor>> {
        self.0.leaf.dense()
    }

    /// The slot of the gradient.
    pub(crate) fn leaf(&self) -> &Leaf {
        &self.0.leaf
    }

    /// Replaces the collected gradient, for example by a clipped one. Only its values are stored: a gradient with a graph
    /// is what a pass with `create_graph` stores.
    ///
    /// # Errors
    /// When shape or dtype is not the parameter's; nothing changes then.
    #[track_caller]
    pub fn set_grad(&self, grad: Option<Tensor>) -> Result<()> {
        if let Some(g) = &grad
            && (*g.shape() != self.shape() || g.dtype() != self.dtype())
        {
            bail!(
                Shape,
                "set_grad",
                "a gradient of shape {} ({}) does not fit a parameter of shape {} ({})",
                g.shape(),
                g.dtype(),
                self.shape(),
                self.dtype()
            );
        }
        let grad = grad.map(|grad| Gradient::Dense(grad.detach()));
        let replaced = std::mem::replace(&mut *self.0.leaf.grad(), grad);
        drop(replaced);
        Ok(())
    }

    /// Forgets the collected gradient.
    pub fn zero_grad(&self) {
        self.0.leaf.clear();
    }

    /// Whether the parameter is trained.
    pub fn requires_grad(&self) -> bool {
        self.0.requires_grad.load(Relaxed)
    }

    /// Freezes (`false`) or thaws the parameter, for graphs recorded from now on: a frozen one is a constant in them, and
    /// collects no gradient. One that was collected before stays, and optimizers go on using it, as in PyTorch: call
    /// [`zero_grad`](Parameter::zero_grad) so that they leave the parameter alone.
    pub fn requires_grad_(&self, requires_grad: bool) -> &Self {
        self.0.requires_grad.store(requires_grad, Relaxed);
        self
    }

    /// The sizes of the dimensions.
    pub fn shape(&self) -> Shape {
        self.0.value.shape().clone()
    }

    /// The type of the numbers.
    pub fn dtype(&self) -> DType {
        self.0.value.dtype()
    }

    /// The number of values.
    pub fn numel(&self) -> usize {
        self.shape().numel()
    }

    /// The name: what it was called last with [`set_name`](Parameter::set_name), or the dotted path by which the
    /// outermost of the models that were asked for their parameters knows it; of tied weights the first path.
    pub fn name(&self) -> Option<String> {
        self.names().into_iter().next()
    }

    /// Every dotted path by which that model knows the parameter: several where weights are tied.
    pub fn names(&self) -> Vec<String> {
        self.0.names.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Names the parameter, in place of all names that it had.
    pub fn set_name(&self, name: &str) {
        *self.0.names.write().unwrap_or_else(PoisonError::into_inner) = vec![name.to_string()];
    }

    /// Tells the parameter by which paths a model knows it, in the model's order. They become its names where it
    /// has none, or where one of them is a name that it has with more in front (`encoder.layer.weight` for
    /// `layer.weight`): so the outermost model names it, whichever part of the model was asked first.
    pub fn learn_names(&self, paths: &[String]) {
        let extends =
            |path: &String, name: &String| path.strip_suffix(name).is_some_and(|s| s.ends_with('.'));
        let mut names = self.0.names.write().unwrap_or_else(PoisonError::into_inner);
        if names.is_empty() || paths.iter().any(|path| names.iter().any(|name| extends(path, name))) {
            *names = paths.to_vec();
        }
    }

    /// Whether two handles are to the same cell.
    pub fn is_same(&self, other: &Parameter) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A number that no other parameter of this process has had.
    pub fn id(&self) -> u64 {
        self.0.leaf.id
    }
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Parameter containing:")?;
        fmt::Debug::fmt(&self.tensor(), f)
    }
}
