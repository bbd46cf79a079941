//! Leaky rectified linear unit.

use chainrule_tensor::{Result, Tensor};

use crate::{Forward, Module};

/// x where x > 0, else negative_slope · x (PyTorch: `torch.nn.LeakyReLU`).
///
/// ```
/// # use chainrule_nn::{Forward, LeakyReLU};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let steep = LeakyReLU::builder().negative_slope(0.5).build()?;
/// assert_eq!(steep.forward(&Tensor::new([-1.0, 2.0]))?.to_vec::<f32>()?, [-0.5, 2.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Module)]
pub struct LeakyReLU {
    negative_slope: f64,
}

/// The options of a [`LeakyReLU`] layer.
#[derive(Clone, Debug)]
pub struct LeakyReLUBuilder(LeakyReLU);

impl LeakyReLU {
    /// The layer with default options.
    pub fn new() -> LeakyReLU {
        LeakyReLU { negative_slope: 0.01 }
    }

    /// The layer with other options.
    pub fn builder() -> LeakyReLUBuilder {
        LeakyReLUBuilder(LeakyReLU::new())
    }
}

impl Default for LeakyReLU {
    fn default() -> LeakyReLU {
        LeakyReLU::new()
    }
}

impl LeakyReLUBuilder {
    /// The slope below 0; default 0.01.
    #[must_use]
    pub fn negative_slope(self, negative_slope: f64) -> Self {
        LeakyReLUBuilder(LeakyReLU { negative_slope })
    }

    /// Makes the layer.
    ///
    /// # Errors
    /// None; a `Result` as for every layer.
    pub fn build(self) -> Result<LeakyReLU> {
        Ok(self.0)
    }
}

impl Forward for LeakyReLU {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.leaky_relu(self.negative_slope)
    }
}
