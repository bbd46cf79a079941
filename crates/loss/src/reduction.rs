//! [`Reduction`]: what becomes of the losses of single elements.

/// How the losses of single elements (or, for [`cross_entropy`](crate::cross_entropy), of rows) are combined.
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
    /// Their sum, a 0-d tensor (PyTorch: `reduction="sum"`).
    Sum,
}

impl Reduction {
    /// The reduced value of losses with this sum and this total weight.
    pub(crate) fn apply(self, sum: f64, weight: f64) -> f64 {
        match self {
            Reduction::Mean => sum / weight,
            Reduction::MeanOrZero if weight == 0.0 => 0.0,
            Reduction::MeanOrZero => sum / weight,
            Reduction::Sum | Reduction::None => sum,
        }
    }
}
