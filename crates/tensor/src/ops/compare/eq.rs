//! Equal to.

use crate::operation::{Compare, Operand, compare};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Number;

#[derive(Clone, Copy)]
struct Equal;

impl Compare for Equal {
    const NAME: &'static str = "eq";
    #[inline(always)]
    fn holds<T: Number>(self, a: T, b: T) -> bool {
        a == b
    }
}

impl Tensor {
    /// a = b, element by element, with broadcasting, as a `bool` tensor (PyTorch: `torch.eq`). A NaN is not equal to anything, itself included.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, 2.0]).eq(2.0)?.to_vec::<bool>()?, [false, true]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn eq<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        compare(self, other, Equal)
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    errors: || vec![Refusal::new(&["[2]", "[3]"], || values(1, [2]).eq(&values(2, [3])))],
    ..Row::new("eq", "torch.eq", || {
        vec![
            Sample::new("broadcast", [values(1, [2, 3]), values(2, [3])], |x| x[0].eq(&x[1])),
            Sample::new("number", [values(1, [5])], |x| x[0].eq(0.5)),
        ]
    })
};
