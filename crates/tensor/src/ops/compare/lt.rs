//! Less than.

use crate::operation::{Compare, Operand, compare};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Number;

#[derive(Clone, Copy)]
struct Less;

impl Compare for Less {
    const NAME: &'static str = "lt";
    #[inline(always)]
    fn holds<T: Number>(self, a: T, b: T) -> bool {
        a < b
    }
}

impl Tensor {
    /// a < b, element by element, with broadcasting, as a `bool` tensor (PyTorch: `torch.lt`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, 2.0]).lt(2.0)?.to_vec::<bool>()?, [true, false]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn lt<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        compare(self, other, Less)
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    errors: || vec![Refusal::new(&["[2]", "[3]"], || values(1, [2]).lt(&values(2, [3])))],
    ..Row::new("lt", "torch.lt", || {
        vec![
            Sample::new("broadcast", [values(1, [2, 3]), values(2, [3])], |x| x[0].lt(&x[1])),
            Sample::new("number", [values(1, [5])], |x| x[0].lt(0.5)),
        ]
    })
};
