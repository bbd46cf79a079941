//! Subtraction.

use crate::autograd::{Context, Save};
use crate::operation::{Binary, Operand, binary};
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Result, Tensor, bail};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Sub;

impl Binary for Sub {
    const NAME: &'static str = "sub";
    const SAVES: &'static [Save<'static>] = &[];
    const INT: Option<fn(i64, i64) -> i64> = Some(|a, b| a.wrapping_sub(b));
    #[inline(always)]
    fn float<T: Float>(self, a: T, b: T) -> T {
        a - b
    }
    fn grads(self, ctx: &Context<'_>) -> Result<[Option<Tensor>; 2]> {
        Ok([Some(ctx.grad()?.clone()), ctx.when_needed(1, || ctx.grad()?.neg())?])
    }
}

impl Tensor {
    /// a − b with broadcasting; also the operator `-` (PyTorch: `torch.sub`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, 2.0]).sub(0.5)?.to_vec::<f32>()?, [0.5, 1.5]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast, and for booleans.
    #[track_caller]
    pub fn sub<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        let other = other.into();
        let is_bool = |operand: &Operand<'_>| operand.weighted().0 == DType::Bool;
        if self.dtype() == DType::Bool || is_bool(&other) {
            bail!(DType, "sub", "not defined for bool: convert it with to_dtype, or invert a mask with logical_not");
        }
        binary(self, other, Sub)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[2, 3]", "[2]"], || values(1, [2, 3]).sub(&values(2, [2]))),
            Refusal::new(&["bool"], || Tensor::new([true]).sub(&Tensor::new([true]))),
            Refusal::new(&["bool"], || values(1, [2]).sub(&Tensor::new([true]))),
        ]
    },
    ..Row::new("sub", "torch.sub", || {
        vec![
            Sample::new("same shape", [values(1, [2, 3]), values(2, [2, 3])], |x| x[0].sub(&x[1])),
            Sample::new("broadcast", [values(1, [3]), values(2, [2, 1])], |x| x[0].sub(&x[1])),
            Sample::new("number", [values(1, [3])], |x| x[0].sub(2.5)),
        ]
    })
};
