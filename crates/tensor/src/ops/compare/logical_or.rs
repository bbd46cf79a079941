//! Logical or.

use crate::operation::{Compare, Operand, compare};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Number;

#[derive(Clone, Copy)]
struct LogicalOr;

impl Compare for LogicalOr {
    const NAME: &'static str = "logical_or";
    #[inline(always)]
    fn holds<T: Number>(self, a: T, b: T) -> bool {
        (a != T::ZERO) | (b != T::ZERO)
    }
}

impl Tensor {
    /// Whether a or b, element by element, with broadcasting, as a `bool` tensor; of numbers, whether they are
    /// not 0 (PyTorch: `torch.logical_or`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([true, true]).logical_or(&Tensor::new([0.0, 0.5]))?;
    /// assert_eq!(x.to_vec::<bool>()?, [true, true]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn logical_or<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        compare(self, other, LogicalOr)
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    errors: || vec![Refusal::new(&["[2]", "[3]"], || values(1, [2]).logical_or(&values(2, [3])))],
    ..Row::new("logical_or", "torch.logical_or", || {
        vec![
            Sample::new("booleans", [values(1, [2, 3]), values(2, [3])], |x| {
                x[0].gt(0.0)?.logical_or(&x[1].gt(0.0)?)
            }),
            Sample::new("numbers", [values(1, [5])], |x| x[0].trunc()?.logical_or(0.0)),
        ]
    })
};
