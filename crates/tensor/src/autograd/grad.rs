//! What a tensor knows of its gradient, and [`grad`]: gradients as values.

use std::panic::Location;
use std::sync::Arc;

use super::{BackwardOptions, Edge, HookHandle, Leaf, backward};
use crate::{Error, ErrorKind, Result, Tensor, bail};

impl Tensor {
    /// Whether gradients flow to this tensor.
    pub fn requires_grad(&self) -> bool {
        self.edge().is_some()
    }

    /// This tensor's values as a new leaf that collects a gradient, or (`false`) as a constant.
    ///
    /// # Errors
    /// For integers and booleans, and for a tensor that was computed from tracked ones (detach it first).
    #[track_caller]
    pub fn requires_grad_(self, requires_grad: bool) -> Result<Tensor> {
        if matches!(self.edge(), Some(Edge::Output(..))) {
            bail!(
                Graph,
                "requires_grad_",
                "only a leaf can be changed: this tensor was computed by {}; detach() it first",
                self.grad_fn().unwrap_or("an operation")
            );
        }
        if requires_grad && !self.dtype().is_float() {
            bail!(
                DType,
                "requires_grad_",
                "only floating-point tensors can require a gradient, not {}",
                self.dtype()
            );
        }
        match (requires_grad, self.edge()) {
            (true, Some(_)) | (false, None) => Ok(self),
            (true, None) => Ok(self.with_leaf(Arc::new(Leaf::new()))),
            (false, Some(_)) => Ok(self.with_edge(None)),
        }
    }

    /// Whether the tensor was not computed by a recorded operation.
    pub fn is_leaf(&self) -> bool {
        !matches!(self.edge(), Some(Edge::Output(..)))
    }

    /// The name of the recorded operation that computed this tensor.
    pub fn grad_fn(&self) -> Option<&'static str> {
        match self.edge() {
            Some(Edge::Output(node, _)) => Some(node.operation.name()),
            _ => None,
        }
    }

    /// The gradient collected so far: of a leaf, or of a tensor on which [`retain_grad`](Tensor::retain_grad)
    /// was called.
    ///
    /// # Panics
    /// When the gradient was kept as a few rows and there is no memory for the whole of it.
    #[track_caller]
    pub fn grad(&self) -> Option<Tensor> {
        match self.edge()? {
            Edge::Leaf(leaf) => whole(leaf),
            Edge::Output(node, i) => whole(node.outputs[*i as usize].retained()?),
        }
    }

    /// Forgets the collected gradient: of a leaf, or of a tensor on which [`retain_grad`](Tensor::retain_grad)
    /// was called, which goes on collecting.
    pub fn zero_grad(&self) {
        match self.edge() {
            None => {}
            Some(Edge::Leaf(leaf)) => leaf.clear(),
            Some(Edge::Output(node, i)) => {
                node.outputs[*i as usize].retained().into_iter().for_each(|leaf| leaf.clear());
            }
        }
    }

    /// Keeps this tensor's gradient in later backward passes, as a leaf does, while a handle to the tensor lives.
    ///
    /// # Errors
    /// When no gradient flows to the tensor.
    #[track_caller]
    pub fn retain_grad(&self) -> Result<()> {
        match self.edge() {
            Some(Edge::Output(node, i)) => {
                node.outputs[*i as usize].watch().retained.get_or_init(|| Arc::new(Leaf::new()));
                Ok(())
            }
            Some(Edge::Leaf(_)) => Ok(()),
            None => bail!(Graph, "retain_grad", "no gradient flows to this tensor"),
        }
    }

    /// Registers a function that is called with the complete gradient of this tensor in each backward pass. It
    /// returns `Ok(None)`, or another gradient to go on with, of the same shape and dtype (PyTorch:
    /// `Tensor.register_hook`). It runs with grad mode as the pass has it.
    ///
    /// An error that it returns ends the pass, which leaves the graph and every collected gradient as they were, and is
    /// what `backward` returns; and so does a gradient of another shape or dtype. A hook that holds the tensor that it is
    /// registered on keeps it alive until it is removed: hold a detached one.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([1.0]).requires_grad_(true)?;
    /// let handle = x.register_hook(|grad| grad.mul(10.0).map(Some))?;
    /// (&x * 2.0).sum()?.backward()?;
    /// assert_eq!(x.grad().unwrap().item()?, 20.0);
    /// handle.remove();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When no gradient flows to the tensor.
    #[track_caller]
    pub fn register_hook(
        &self,
        hook: impl Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync + 'static,
    ) -> Result<HookHandle> {
        match self.edge() {
            Some(edge) => Ok(edge.hooks().add(Arc::new(hook), Location::caller())),
            None => bail!(Graph, "register_hook", "no gradient flows to this tensor"),
        }
    }

    /// The same values outside the graph: no copy, and no gradient flows back through it.
    pub fn detach(&self) -> Tensor {
        match self.edge() {
            None => self.clone(),
            Some(_) => self.with_edge(None),
        }
    }

    /// Computes the gradients of this scalar with respect to the leaves it was computed from, and adds them
    /// to what the leaves have collected. The graph's saved tensors are freed on the way.
    ///
    /// # Errors
    /// When the tensor has not exactly one element (use [`backward_with`](Tensor::backward_with)), when it
    /// has no graph, when the graph was already freed, and when a hook or an operation of one's own fails. The graph and
    /// the collected gradients are then what they were, so that the pass can be repeated.
    #[track_caller]
    pub fn backward(&self) -> Result<()> {
        GradOptions::default().backward(self, None)
    }

    /// As [`backward`](Tensor::backward) for a tensor of any shape, from the gradient of whatever was
    /// computed from it (PyTorch: `tensor.backward(gradient)`).
    ///
    /// # Errors
    /// Also when the gradient's shape or dtype is not the tensor's.
    #[track_caller]
    pub fn backward_with(&self, gradient: &Tensor) -> Result<()> {
        GradOptions::default().backward(self, Some(gradient))
    }
}

/// Options of a backward pass and of [`grad`].
#[derive(Clone, Copy, Debug, Default)]
pub struct GradOptions {
    /// Keep the graph so that it can be walked again. Implied by `create_graph`.
    pub retain_graph: bool,
    /// Record the backward pass, so that gradients can be differentiated in turn. What a leaf collects then has its graph,
    /// which lives until the gradient is replaced or zeroed, or the last handle to the leaf is dropped (PyTorch warns of
    /// a leak here, there is none). Without it gradients are values alone, also those of a seed or a hook that has a graph.
    pub create_graph: bool,
    /// In [`grad`]: `None` for an input that does not take part, instead of an error.
    pub allow_unused: bool,
}

impl GradOptions {
    /// [`Tensor::backward`] (`gradient` absent) or [`Tensor::backward_with`] with these options.
    #[track_caller]
    pub fn backward(self, output: &Tensor, gradient: Option<&Tensor>) -> Result<()> {
        let root = root("backward", output, gradient)?;
        backward(vec![root], None, self.into()).map(drop)
    }
}

impl From<GradOptions> for BackwardOptions {
    fn from(options: GradOptions) -> Self {
        BackwardOptions { retain_graph: options.retain_graph, create_graph: options.create_graph }
    }
}

/// The whole gradient of a slot.
#[track_caller]
pub(crate) fn whole(leaf: &Leaf) -> Option<Tensor> {
    leaf.dense().unwrap_or_else(|error| panic!("{error}"))
}

/// The edge and the gradient that a pass starts from.
#[track_caller]
fn root<'g>(operation: &str, output: &'g Tensor, gradient: Option<&Tensor>) -> Result<(&'g Edge, Tensor)> {
    let Some(edge) = output.edge() else {
        bail!(
            Graph,
            operation,
            "there is no graph: this tensor was not computed from any that requires a gradient (or under no_grad)"
        );
    };
    let gradient = match gradient {
        Some(g) if g.shape() != output.shape() => {
            bail!(
                Shape,
                operation,
                "a gradient of shape {} was given for an output of shape {}",
                g.shape(),
                output.shape()
            )
        }
        Some(g) if g.dtype() != output.dtype() => {
            bail!(
                DType,
                operation,
                "a gradient of {} was given for an output of {}",
                g.dtype(),
                output.dtype()
            )
        }
        Some(g) => g.clone(),
        None if output.numel() != 1 => bail!(
            Graph,
            operation,
            "the gradient can be left out only for a scalar, not for shape {}: reduce it (sum, mean) or give the gradient",
            output.shape()
        ),
        None => Tensor::ones_like(output)?,
    };
    Ok((edge, gradient))
}

/// The gradients of `outputs` with respect to `inputs`, as values: no leaf's collected gradient is touched
/// (PyTorch: `torch.autograd.grad`). `gradients` holds one for each output, or `None` where it is a scalar;
/// an empty slice means none for any.
///
/// With `create_graph` the results are part of a graph themselves:
///
/// ```
/// # use chainrule_tensor::{Tensor, Result, autograd::{grad, GradOptions}};
/// # fn main() -> Result<()> {
/// let x = Tensor::new([3.0]).requires_grad_(true)?;
/// let y = x.pow(3.0)?.sum()?;
/// let options = GradOptions { create_graph: true, ..Default::default() };
/// let dy = grad(&[&y], &[&x], &[], options)?[0].clone().unwrap();
/// assert_eq!(dy.item()?, 27.0); // 3x²
/// let ddy = grad(&[&dy.sum()?], &[&x], &[], GradOptions::default())?[0].clone().unwrap();
/// assert_eq!(ddy.item()?, 18.0); // 6x
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`Tensor::backward`]; and when an input takes no part, unless `allow_unused`. The graph is then what it was.
#[track_caller]
pub fn grad(
    outputs: &[&Tensor],
    inputs: &[&Tensor],
    gradients: &[Option<&Tensor>],
    options: GradOptions,
) -> Result<Vec<Option<Tensor>>> {
    if !gradients.is_empty() && gradients.len() != outputs.len() {
        bail!(Value, "grad", "{} gradients were given for {} outputs", gradients.len(), outputs.len());
    }
    let mut roots = Vec::with_capacity(outputs.len());
    for (i, output) in outputs.iter().enumerate() {
        roots.push(root("grad", output, gradients.get(i).copied().flatten())?);
    }
    let mut targets = Vec::with_capacity(inputs.len());
    for (i, input) in inputs.iter().enumerate() {
        match input.edge() {
            Some(edge) => targets.push(edge),
            None => bail!(Graph, "grad", "input {i} of shape {} does not require a gradient", input.shape()),
        }
    }
    let unused = |i: usize| {
        let shape = inputs[i].shape();
        let message = format!(
            "input {i} of shape {shape} takes no part in the outputs; set allow_unused if that is meant"
        );
        Error::new(ErrorKind::Graph, "grad", message)
    };
    let unused: Option<&dyn Fn(usize) -> Error> = if options.allow_unused { None } else { Some(&unused) };
    backward(roots, Some((&targets, unused)), options.into())
}
