//! Gaussian error linear unit.

use chainrule_tensor::{Result, Tensor};

use crate::{Forward, Module};

/// How [`GELU`] computes the normal distribution function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approximate {
    /// By the error function.
    #[default]
    None,
    /// By ½ (1 + tanh(√(2/π) (x + 0.044715 x³))).
    Tanh,
}

/// x·Φ(x) with the normal distribution function Φ (PyTorch: `torch.nn.GELU`).
///
/// Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
///
/// ```
/// # use chainrule_nn::{Approximate, Forward, GELU};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let y = GELU::new().forward(&Tensor::new([0.0]))?;
/// assert_eq!(y.item()?, 0.0);
/// let approximate = GELU::builder().approximate(Approximate::Tanh).build()?;
/// assert_eq!(approximate.forward(&Tensor::new([0.0]))?.item()?, 0.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Module)]
pub struct GELU {
    #[module(skip)]
    approximate: Approximate,
}

/// The options of a [`GELU`] layer.
#[derive(Clone, Debug)]
pub struct GELUBuilder(GELU);

impl GELU {
    /// The layer with default options.
    pub fn new() -> GELU {
        GELU { approximate: Approximate::None }
    }

    /// The layer with other options.
    pub fn builder() -> GELUBuilder {
        GELUBuilder(GELU::new())
    }
}

impl Default for GELU {
    fn default() -> GELU {
        GELU::new()
    }
}

impl GELUBuilder {
    /// Whether Φ is approximated; default [`Approximate::None`].
    #[must_use]
    pub fn approximate(self, approximate: Approximate) -> Self {
        GELUBuilder(GELU { approximate })
    }

    /// Makes the layer.
    ///
    /// # Errors
    /// None; a `Result` as for every layer.
    pub fn build(self) -> Result<GELU> {
        Ok(self.0)
    }
}

impl Forward for GELU {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self.approximate {
            Approximate::None => x.gelu(),
            Approximate::Tanh => x.gelu_tanh(),
        }
    }
}
