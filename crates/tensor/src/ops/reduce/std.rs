//! Standard deviation.

use super::var::spread;
use crate::shape::IntoDims;
use crate::table::{Kink, Refusal, Row, Sample, values};
use crate::{Result, Tensor};

impl Tensor {
    /// The standard deviation of all elements, √(Σ (x − mean)² / (n − 1)), a 0-d tensor; NaN where there is but
    /// one (PyTorch: `torch.std`). The gradient is 0 where all elements are equal.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, 2.0, 3.0]).std()?.item()?, 1.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans.
    #[track_caller]
    pub fn std(&self) -> Result<Tensor> {
        spread("std", self, Vec::new(), 1.0, false)
    }

    /// The standard deviation over one or several dimensions (none given: over all), which disappear or, with
    /// `keepdim`, stay with size 1: the square root of [`var_dim`](Tensor::var_dim), also where that is too large
    /// or too small for its type.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 3.0], [3.0, 7.0]]);
    /// assert_eq!(x.std_dim(1, 0.0, false)?.to_vec::<f32>()?, [1.0, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans, and when a dimension is out of range or named twice.
    #[track_caller]
    pub fn std_dim(&self, dim: impl IntoDims, correction: f64, keepdim: bool) -> Result<Tensor> {
        spread("std_dim", self, dim.into_dims(), correction, keepdim)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.5, call: |x| x.expand([3])?.std(), derivative: 0.0 }],
    errors: || {
        vec![
            Refusal::new(&["std_dim: ", "dimension 2"], || values(1, [2, 3]).std_dim(2, 1.0, false)),
            Refusal::new(&["int64"], || Tensor::new([1, 2]).std()),
        ]
    },
    ..Row::new("std", "torch.std", || {
        vec![
            Sample::new("all", [values(1, [2, 3])], |x| x[0].std()),
            Sample::new("last, uncorrected", [values(1, [2, 3])], |x| x[0].std_dim(-1, 0.0, true)),
        ]
    })
};
