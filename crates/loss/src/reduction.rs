//! [`Reduction`]: what becomes of the losses of single elements.

use chainrule_tensor::{Result, Tensor};

/// How the losses of single elements (or of rows, where a loss has one for each row) are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// They are returned as they are (PyTorch: `reduction="none"`).
    None,
    /// Their mean, a 0-d tensor; NaN where there is nothing to average (PyTorch: `reduction="mean"`).
    #[default]
    Mean,
    /// As [`Mean`](Reduction::Mean), but 0 where there is nothing to average: for batches that may be empty or
    /// in which every target may be ignored.
    MeanOrZero,
    /// Their sum, divided by the size of the input's first dimension (the batch), or by 1 where it has none
    /// (PyTorch: `reduction="batchmean"`, which only `kl_div` has there).
    BatchMean,
    /// Their sum, a 0-d tensor (PyTorch: `reduction="sum"`).
    Sum,
}

impl Reduction {
    /// A tensor of losses, reduced. [`BatchMean`](Reduction::BatchMean) divides by the size of its first
    /// dimension. For losses of one's own that are written with tensor operations.
    ///
    /// ```
    /// # use chainrule_loss::Reduction;
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let losses = Tensor::new([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(Reduction::Mean.reduce(&losses)?.item()?, 3.5);
    /// assert_eq!(Reduction::BatchMean.reduce(&losses)?.item()?, 10.5);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For losses that are not floating-point, unless they are returned as they are.
    #[track_caller]
    pub fn reduce(self, losses: &Tensor) -> Result<Tensor> {
        match self {
            Reduction::None => Ok(losses.clone()),
            Reduction::Mean => losses.mean(),
            Reduction::MeanOrZero if losses.numel() == 0 => losses.sum(),
            Reduction::MeanOrZero => losses.mean(),
            Reduction::BatchMean if losses.numel() == 0 => losses.sum()?.div(batch(losses.shape()) as f64),
            // Not the sum first, which may be too large.
            Reduction::BatchMean => losses.mean()?.mul(losses.numel() as f64 / batch(losses.shape()) as f64),
            Reduction::Sum => losses.sum(),
        }
    }

    /// The reduced value of losses with this sum, this total weight and this size of the batch.
    pub(crate) fn apply(self, sum: f64, weight: f64, batch: usize) -> f64 {
        match self {
            Reduction::MeanOrZero if weight == 0.0 => 0.0,
            Reduction::Mean | Reduction::MeanOrZero => sum / weight,
            Reduction::BatchMean => sum / batch as f64,
            Reduction::Sum | Reduction::None => sum,
        }
    }
}

/// The size of the first dimension of a shape; 1 where it has none.
pub(crate) fn batch(shape: &[usize]) -> usize {
    shape.first().copied().unwrap_or(1)
}
