//! [`Context`]: what a backward formula has to work with.

use crate::{Result, Tensor};

/// What a [`Backward`](super::Backward) has to work with.
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
