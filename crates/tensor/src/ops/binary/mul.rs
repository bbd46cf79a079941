//! Multiplication.

use crate::autograd::{Context, Save};
use crate::operation::{Binary, Operand, binary};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Mul;

impl Binary for Mul {
    const NAME: &'static str = "mul";
    const SAVES: &'static [Save<'static>] = &[Save::Input(0), Save::Input(1)];
    const INT: Option<fn(i64, i64) -> i64> = Some(|a, b| a.wrapping_mul(b));
    const BOOL: Option<fn(bool, bool) -> bool> = Some(|a, b| a & b);
    #[inline(always)]
    fn float<T: Float>(self, a: T, b: T) -> T {
        a * b
    }
    fn grads(self, ctx: &Context<'_>) -> Result<[Option<Tensor>; 2]> {
        let (g, a, b) = (ctx.grad()?, ctx.saved(0)?, ctx.saved(1)?);
        Ok([ctx.when_needed(0, || g.mul(b))?, ctx.when_needed(1, || g.mul(a))?])
    }
}

impl Tensor {
    /// a · b, element by element, with broadcasting; also the operator `*` (PyTorch: `torch.mul`). For
    /// booleans: and.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1, 2]).mul(&Tensor::new([3, 4]))?.to_vec::<i64>()?, [3, 8]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn mul<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        binary(self, other, Mul)
    }
}

pub(super) const ROW: Row = Row {
    errors: || vec![Refusal::new(&["[2, 3]", "[3, 2]"], || values(1, [2, 3]).mul(&values(2, [3, 2])))],
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| Ok(vec![x[0].mul(&x[1])?]))],
    ..Row::new("mul", "torch.mul", || {
        vec![
            Sample::new("same shape", [values(1, [2, 3]), values(2, [2, 3])], |x| x[0].mul(&x[1])),
            Sample::new("broadcast", [values(1, [2, 1, 3]), values(2, [4, 1])], |x| x[0].mul(&x[1])),
            Sample::new("number", [values(1, [3])], |x| x[0].mul(2.5)),
            Sample::new("itself", [values(1, [3])], |x| x[0].mul(&x[0])),
        ]
    })
};
