//! Softmax.

use chainrule_tensor::{Result, Tensor};

use crate::{Forward, Module};

/// eˣ / Σ eˣ along a dimension (PyTorch: `torch.nn.Softmax`). Losses that take probabilities' logarithms are
/// better served by [`LogSoftmax`](crate::LogSoftmax), and cross-entropy by neither.
///
/// ```
/// # use chainrule_nn::{Forward, Softmax};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let y = Softmax::new(-1).forward(&Tensor::new([[1.0, 1.0], [0.0, 200.0]]))?;
/// assert_eq!(y.to_vec::<f32>()?, [0.5, 0.5, 0.0, 1.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Module)]
pub struct Softmax {
    dim: isize,
}

impl Softmax {
    /// Softmax along `dim`; negative counts from the end.
    pub fn new(dim: isize) -> Softmax {
        Softmax { dim }
    }
}

impl Forward for Softmax {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.softmax(self.dim)
    }
}
