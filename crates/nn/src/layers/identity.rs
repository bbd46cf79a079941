//! The layer that does nothing.

use chainrule_tensor::{Result, Tensor};

use crate::{Forward, Module};

/// Gives back what it is given (PyTorch: `torch.nn.Identity`): a place holder where a model may have a layer.
///
/// ```
/// # use chainrule_nn::{Forward, Identity};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let y = Identity::new().forward(&Tensor::new([-1.0, 2.0]))?;
/// assert_eq!(y.to_vec::<f32>()?, [-1.0, 2.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, Module)]
#[non_exhaustive]
pub struct Identity;

impl Identity {
    /// The layer.
    pub fn new() -> Identity {
        Identity
    }
}

impl Forward for Identity {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.clone())
    }
}
