//! Rectified linear unit.

use chainrule_tensor::{Result, Tensor};

use crate::{Forward, Module};

/// max(x, 0), element by element (PyTorch: `torch.nn.ReLU`).
///
/// ```
/// # use chainrule_nn::{Forward, ReLU};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let y = ReLU::new().forward(&Tensor::new([-1.0, 2.0]))?;
/// assert_eq!(y.to_vec::<f32>()?, [0.0, 2.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, Module)]
#[non_exhaustive]
pub struct ReLU;

impl ReLU {
    /// The layer.
    pub fn new() -> ReLU {
        ReLU
    }
}

impl Forward for ReLU {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.relu()
    }
}
