//! Logical and.

use crate::operation::{Compare, Operand, compare};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Number;

#[derive(Clone, Copy)]
struct LogicalAnd;

impl Compare for LogicalAnd {
    const NAME: &'static str = "logical_and";
    #[inline(always)]
    fn holds<T: Number>(self, a: T, b: T) -> bool {
        (a != T::ZERO) & (b != T::ZERO)
    }
}

impl Tensor {
    /// Whether a and b, element by element, with broadcasting, as a `bool` tensor; of numbers, whether they are
    /// not 0 (PyTorch: `torch.logical_and`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([true, true]).logical_and(&Tensor::new([0.0, 0.5]))?;
    /// assert_eq!(x.to_vec::<bool>()?, [false, true]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn logical_and<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        compare(self, other, LogicalAnd)
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    errors: || vec![Refusal::new(&["[2]", "[3]"], || values(1, [2]).logical_and(&values(2, [3])))],
    ..Row::new("logical_and", "torch.logical_and", || {
        vec![
            Sample::new("booleans", [values(1, [2, 3]), values(2, [3])], |x| {
                x[0].gt(0.0)?.logical_and(&x[1].gt(0.0)?)
            }),
            Sample::new("numbers", [values(1, [5])], |x| x[0].trunc()?.logical_and(0.0)),
        ]
    })
};
