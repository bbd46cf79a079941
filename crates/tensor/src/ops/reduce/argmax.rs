//! Where the largest value stands.

use super::max::extremum;
use crate::table::{Refusal, Row, Sample, distinct, values};
use crate::{DType, Result, Tensor, bail};

impl Tensor {
    /// The index of the largest of all elements, counted in row-major order, a 0-d tensor of `i64` (PyTorch:
    /// `torch.argmax` without a dimension).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([[1.0, 5.0], [3.0, 3.0]]).argmax()?.item()?, 1.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For booleans, and when there is no element.
    #[track_caller]
    pub fn argmax(&self) -> Result<Tensor> {
        self.detach().reshape([self.numel()])?.argmax_over("argmax", 0, false)
    }

    /// The indices of the largest values over a dimension, of `i64`: the first of equal values, and the first NaN
    /// where there is one (PyTorch: `torch.argmax`). The dimension disappears or, with `keepdim`, stays with
    /// size 1.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 5.0], [3.0, 3.0]]);
    /// assert_eq!(x.argmax_dim(1, false)?.to_vec::<i64>()?, [1, 0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For booleans, when the dimension is out of range, and when there is no element to choose.
    #[track_caller]
    pub fn argmax_dim(&self, dim: isize, keepdim: bool) -> Result<Tensor> {
        self.argmax_over("argmax_dim", dim, keepdim)
    }

    #[track_caller]
    fn argmax_over(&self, operation: &'static str, dim: isize, keepdim: bool) -> Result<Tensor> {
        if self.dtype() == DType::Bool {
            bail!(DType, operation, "not defined for bool: convert it with to_dtype first");
        }
        Ok(extremum(operation, &self.detach(), true, dim, keepdim)?.1)
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    errors: || {
        vec![
            Refusal::new(&["argmax_dim: ", "dimension 2"], || values(1, [2, 3]).argmax_dim(2, false)),
            Refusal::new(&["[0]"], || values(1, [0]).argmax()),
            Refusal::new(&["bool"], || Tensor::new([true]).argmax_dim(0, false)),
        ]
    },
    bench: &[(&[&[4096, 1024]], |x| Ok(vec![x[0].argmax_dim(1, false)?]))],
    ..Row::new("argmax", "torch.argmax", || {
        vec![
            Sample::new("all", [distinct(1, [2, 3])], |x| x[0].argmax()),
            Sample::new("last", [distinct(1, [2, 3])], |x| x[0].argmax_dim(-1, false)),
            Sample::new("first, kept", [distinct(1, [2, 3, 2])], |x| x[0].argmax_dim(0, true)),
        ]
    })
};
