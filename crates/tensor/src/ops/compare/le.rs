//! Less than or equal to.

use crate::operation::{Compare, Operand, compare};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Number;

#[derive(Clone, Copy)]
struct LessEqual;

impl Compare for LessEqual {
    const NAME: &'static str = "le";
    #[inline(always)]
    fn holds<T: Number>(self, a: T, b: T) -> bool {
        a <= b
    }
}

impl Tensor {
    /// a ≤ b, element by element, with broadcasting, as a `bool` tensor (PyTorch: `torch.le`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, 2.0]).le(1.5)?.to_vec::<bool>()?, [true, false]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn le<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        compare(self, other, LessEqual)
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    errors: || vec![Refusal::new(&["[2]", "[3]"], || values(1, [2]).le(&values(2, [3])))],
    ..Row::new("le", "torch.le", || {
        vec![
            Sample::new("broadcast", [values(1, [2, 3]), values(2, [3])], |x| x[0].le(&x[1])),
            Sample::new("number", [values(1, [5])], |x| x[0].le(0.5)),
        ]
    })
};
