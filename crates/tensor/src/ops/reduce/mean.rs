//! Mean.

use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail};

impl Tensor {
    /// The mean of all elements, a 0-d tensor; NaN where there are none (PyTorch: `torch.mean`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([[1.0, 2.0], [3.0, 4.0]]).mean()?.item()?, 2.5);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans.
    #[track_caller]
    pub fn mean(&self) -> Result<Tensor> {
        self.mean_dim(Vec::new(), false)
    }

    /// The mean over one or several dimensions (none given: over all), which disappear or, with `keepdim`,
    /// stay with size 1.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.mean_dim(1, false)?.to_vec::<f32>()?, [1.5, 3.5]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans, and when a dimension is out of range or named twice.
    #[track_caller]
    pub fn mean_dim(&self, dim: impl IntoDims, keepdim: bool) -> Result<Tensor> {
        if !self.dtype().is_float() {
            bail!(DType, "mean", "not defined for {}: convert it with to_dtype first", self.dtype());
        }
        let dims = dim.into_dims();
        let count = Reduced::new("mean", self.shape(), &dims)?.count();
        self.sum_dim(dims, keepdim)?.div(count as f64)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["dimension -3"], || values(1, [2, 3]).mean_dim(-3, false)),
            Refusal::new(&["int64"], || Tensor::new([1, 2]).mean()),
        ]
    },
    ..Row::new("mean", "torch.mean", || {
        vec![
            Sample::new("all", [values(1, [2, 3])], |x| x[0].mean()),
            Sample::new("outer and inner", [values(1, [2, 3, 2])], |x| x[0].mean_dim([0, 2], true)),
        ]
    })
};
