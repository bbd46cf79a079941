//! Hyperbolic tangent.

use chainrule_tensor::{Result, Tensor};

use crate::{Forward, Module};

/// tanh(x), element by element (PyTorch: `torch.nn.Tanh`).
///
/// ```
/// # use chainrule_nn::{Forward, Tanh};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let y = Tanh::new().forward(&Tensor::new([0.0]))?;
/// assert_eq!(y.to_vec::<f32>()?, [0.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, Module)]
#[non_exhaustive]
pub struct Tanh;

impl Tanh {
    /// The layer.
    pub fn new() -> Tanh {
        Tanh
    }
}

impl Forward for Tanh {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.tanh()
    }
}
