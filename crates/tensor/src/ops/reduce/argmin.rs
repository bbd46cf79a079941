//! Where the smallest value stands.

use super::max::extremum;
use crate::table::{Refusal, Row, Sample, distinct, values};
use crate::{DType, Result, Tensor, bail};

impl Tensor {
    /// The index of the smallest of all elements, counted in row-major order, a 0-d tensor of `i64` (PyTorch:
    /// `torch.argmin` without a dimension).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([[1.0, 5.0], [3.0, 3.0]]).argmin()?.item()?, 0.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For booleans, and when there is no element.
    #[track_caller]
    pub fn argmin(&self) -> Result<Tensor> {
        self.detach().reshape([self.numel()])?.argmin_over("argmin", 0, false)
    }

    /// The indices of the smallest values over a dimension, of `i64`: the first of equal values, and the first NaN
    /// where there is one (PyTorch: `torch.argmin`). The dimension disappears or, with `keepdim`, stays with
    /// size 1.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 5.0], [3.0, 3.0]]);
    /// assert_eq!(x.argmin_dim(1, false)?.to_vec::<i64>()?, [0, 0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For booleans, when the dimension is out of range, and when there is no element to choose.
    #[track_caller]
    pub fn argmin_dim(&self, dim: isize, keepdim: bool) -> Result<Tensor> {
        self.argmin_over("argmin_dim", dim, keepdim)
    }

    #[track_caller]
    fn argmin_over(&self, operation: &'static str, dim: isize, keepdim: bool) -> Result<Tensor> {
        if self.dtype() == DType::Bool {
            bail!(DType, operation, "not defined for bool: convert it with to_dtype first");
        }
        Ok(extremum(operation, &self.detach(), false, dim, keepdim)?.1)
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    errors: || {
        vec![
            Refusal::new(&["argmin_dim: ", "dimension 2"], || values(1, [2, 3]).argmin_dim(2, false)),
            Refusal::new(&["[0]"], || values(1, [0]).argmin()),
            Refusal::new(&["bool"], || Tensor::new([true]).argmin_dim(0, false)),
        ]
    },
    bench: &[(&[&[4096, 1024]], |x| Ok(vec![x[0].argmin_dim(1, false)?]))],
    ..Row::new("argmin", "torch.argmin", || {
        vec![
            Sample::new("all", [distinct(1, [2, 3])], |x| x[0].argmin()),
            Sample::new("last", [distinct(1, [2, 3])], |x| x[0].argmin_dim(-1, false)),
            Sample::new("first, kept", [distinct(1, [2, 3, 2])], |x| x[0].argmin_dim(0, true)),
        ]
    })
};
