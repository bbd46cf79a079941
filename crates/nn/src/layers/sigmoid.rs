//! The logistic function.

use chainrule_tensor::{Result, Tensor};

use crate::{Forward, Module};

/// 1 / (1 + e⁻ˣ), element by element (PyTorch: `torch.nn.Sigmoid`).
///
/// ```
/// # use chainrule_nn::{Forward, Sigmoid};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let y = Sigmoid::new().forward(&Tensor::new([0.0]))?;
/// assert_eq!(y.to_vec::<f32>()?, [0.5]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, Module)]
#[non_exhaustive]
pub struct Sigmoid;

impl Sigmoid {
    /// The layer.
    pub fn new() -> Sigmoid {
        Sigmoid
    }
}

impl Forward for Sigmoid {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.sigmoid()
    }
}
