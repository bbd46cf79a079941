//! [`Context`]: what a backward formula has to work with.

use super::Backward;
use super::gradient::Gradient;
use super::parts::Parts;
use crate::{Result, Tensor, bail};

/// What a [`Backward`](super::Backward) has to work with. Asking for what there is not is an error, which the
/// formula passes on with `?` and the backward pass returns.
pub struct Context<'a> {
    pub(super) operation: &'a dyn Backward,
    pub(super) grads: &'a [Option<Gradient>],
    pub(super) saved: &'a [Tensor],
    pub(super) needs: &'a [bool],
}

impl Context<'_> {
    /// The gradient of the operation's only output.
    ///
    /// # Errors
    /// When the operation has several outputs of which the first got no gradient: ask
    /// [`grad_of`](Context::grad_of) there.
    #[track_caller]
    pub fn grad(&self) -> Result<&Tensor> {
        match self.grads.first() {
            Some(Some(Gradient::Dense(grad))) => Ok(grad),
            _ => bail!(
                Graph,
                self.operation.name(),
                "the first of {} outputs got no gradient: ask for each with grad_of",
                self.grads.len()
            ),
        }
    }

    /// The gradient of the operation's only output, where it has come in parts: only to an operation that
    /// [takes them](Backward::takes_parts).
    pub(crate) fn parts(&self) -> Option<&Parts> {
        match self.grads.first() {
            Some(Some(Gradient::Parts(parts))) => Some(parts),
            _ => None,
        }
    }

    /// The gradient of output `i`, if it got any.
    ///
    /// # Errors
    /// When there is no such output.
    #[track_caller]
    pub fn grad_of(&self, i: usize) -> Result<Option<&Tensor>> {
        match self.grads.get(i) {
            Some(Some(Gradient::Dense(grad))) => Ok(Some(grad)),
            // Formulas are asked once all parts are put together.
            Some(_) => Ok(None),
            None => bail!(Index, self.operation.name(), "there is no output {i} of {}", self.grads.len()),
        }
    }

    /// The `i`-th of the tensors that were saved, in its place in the graph. (An output of the operation itself is in
    /// the graph only where the pass is recorded.)
    ///
    /// # Errors
    /// When fewer were saved.
    #[track_caller]
    pub fn saved(&self, i: usize) -> Result<&Tensor> {
        match self.saved.get(i) {
            Some(tensor) => Ok(tensor),
            None => {
                bail!(Index, self.operation.name(), "there is no saved tensor {i} of {}", self.saved.len())
            }
        }
    }

    /// Whether the gradient of input `i` is wanted.
    ///
    /// # Errors
    /// When there is no such input.
    #[track_caller]
    pub fn needs(&self, i: usize) -> Result<bool> {
        match self.needs.get(i) {
            Some(needed) => Ok(*needed),
            None => bail!(Index, self.operation.name(), "there is no input {i} of {}", self.needs.len()),
        }
    }

    /// Computes the gradient of input `i` if it is wanted.
    ///
    /// # Errors
    /// Those of the computation; and when there is no such input.
    #[track_caller]
    pub fn when_needed(&self, i: usize, f: impl FnOnce() -> Result<Tensor>) -> Result<Option<Tensor>> {
        if self.needs(i)? { f().map(Some) } else { Ok(None) }
    }
}
