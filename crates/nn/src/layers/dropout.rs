//! Dropout.

use chainrule_tensor::{Result, Tensor, bail};

use crate::{Forward, Module, Training};

/// In training mode each element becomes 0 with probability p, and the others are multiplied by 1 / (1 − p);
/// in evaluation mode nothing changes (PyTorch: `torch.nn.Dropout`).
///
/// Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.
///
/// ```
/// # use chainrule_nn::{Dropout, Forward, Module};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let dropout = Dropout::new(0.5)?;
/// let x = Tensor::ones([100])?;
/// assert!(dropout.forward(&x)?.to_vec::<f32>()?.contains(&2.0));
/// dropout.eval();
/// assert_eq!(dropout.forward(&x)?.to_vec::<f32>()?, [1.0; 100]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Module)]
pub struct Dropout {
    p: f64,
    training: Training,
}

impl Dropout {
    /// Dropout with probability `p` (PyTorch's default: 0.5).
    ///
    /// # Errors
    /// When `p` is not between 0 and 1.
    #[track_caller]
    pub fn new(p: f64) -> Result<Dropout> {
        if !(0.0..=1.0).contains(&p) {
            bail!(Value, "Dropout", "the probability must be between 0 and 1, not {p}");
        }
        Ok(Dropout { p, training: Training::new() })
    }
}

impl Forward for Dropout {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.dropout(self.p, self.training.get())
    }
}
