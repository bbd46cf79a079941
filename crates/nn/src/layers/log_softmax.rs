//! The logarithm of softmax.

use chainrule_tensor::{Result, Tensor};

use crate::{Forward, Module};

/// x − ln Σ eˣ along a dimension (PyTorch: `torch.nn.LogSoftmax`).
///
/// ```
/// # use chainrule_nn::{Forward, LogSoftmax};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let y = LogSoftmax::new(-1).forward(&Tensor::new([0.0, 200.0]))?;
/// assert_eq!(y.to_vec::<f32>()?, [-200.0, 0.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Module)]
pub struct LogSoftmax {
    dim: isize,
}

impl LogSoftmax {
    /// The logarithm of softmax along `dim`; negative counts from the end.
    pub fn new(dim: isize) -> LogSoftmax {
        LogSoftmax { dim }
    }
}

impl Forward for LogSoftmax {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.log_softmax(self.dim)
    }
}
