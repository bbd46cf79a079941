//! Remainder.

use crate::autograd::{Context, Save};
use crate::operation::{Binary, Operand, binary};
use crate::table::{Refusal, Row, Sample, uniform, values};
use crate::{DType, Result, Tensor, bail};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Remainder;

impl Binary for Remainder {
    const NAME: &'static str = "remainder";
    const SAVES: &'static [Save<'static>] = &[Save::Input(0), Save::Input(1)];
    const COST_NS: f64 = 8.0;
    const INT: Option<fn(i64, i64) -> i64> = Some(|a, b| {
        // A zero was refused.
        let r = if b == 0 { 0 } else { a.wrapping_rem(b) };
        if r != 0 && (r < 0) != (b < 0) { r + b } else { r }
    });
    #[inline(always)]
    fn float<T: Float>(self, a: T, b: T) -> T {
        let r = a.fmod(b);
        if r != T::ZERO && (r < T::ZERO) != (b < T::ZERO) { r + b } else { r }
    }
    // a − b·⌊a/b⌋, where the floor is constant.
    fn grads(self, ctx: &Context<'_>) -> Result<[Option<Tensor>; 2]> {
        let (g, a, b) = (ctx.grad()?, ctx.saved(0)?, ctx.saved(1)?);
        Ok([
            Some(g.clone()),
            ctx.when_needed(1, || binary(&a.detach(), &b.detach(), FloorDivide)?.mul(g)?.neg())?,
        ])
    }
}

/// ⌊a/b⌋ such that b·⌊a/b⌋ + remainder is a, also where a/b is rounded up to an integer.
#[derive(Clone, Copy)]
struct FloorDivide;

impl Binary for FloorDivide {
    const NAME: &'static str = "floor_divide";
    const SAVES: &'static [Save<'static>] = &[];
    const COST_NS: f64 = 8.0;
    #[inline(always)]
    fn float<T: Float>(self, a: T, b: T) -> T {
        if b == T::ZERO {
            return a / b;
        }
        let r = a.fmod(b);
        let quotient = (a - r) / b;
        let below = r != T::ZERO && (r < T::ZERO) != (b < T::ZERO);
        (if below { quotient - T::ONE } else { quotient }).round_ties_even()
    }
    // Called on constants only.
    fn grads(self, _: &Context<'_>) -> Result<[Option<Tensor>; 2]> {
        Ok([None, None])
    }
}

impl Tensor {
    /// What is left of a after taking b away ⌊a/b⌋ times, element by element, with broadcasting: it has the
    /// sign of b (PyTorch: `torch.remainder`). NaN for a float b of 0.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([-5, 5]).remainder(3)?.to_vec::<i64>()?, [1, 2]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast, for an integer b of 0, and for two `bool` tensors.
    #[track_caller]
    pub fn remainder<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        let other = other.into();
        if Operand::from(self).result_dtype(&other) == DType::I64
            && other.to_tensor(DType::I64)?.eq(0)?.any()?.to_scalar::<bool>()?
        {
            bail!(Value, "remainder", "integers divided by zero");
        }
        binary(self, other, Remainder)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[2, 3]", "[4]"], || values(1, [2, 3]).remainder(&values(2, [4]))),
            Refusal::new(&["zero"], || Tensor::new([1, 2]).remainder(&Tensor::new([2, 0]))),
            Refusal::new(&["bool"], || Tensor::new([true]).remainder(&Tensor::new([true]))),
        ]
    },
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| Ok(vec![x[0].remainder(&x[1])?]))],
    ..Row::new("remainder", "torch.remainder", || {
        let x = || uniform(1, [2, 3], 3.6, 3.9);
        vec![
            Sample::new("positive", [x(), uniform(2, [2, 3], 1.0, 1.15)], |x| x[0].remainder(&x[1])),
            Sample::new("negative", [x(), uniform(2, [3], -1.15, -1.0)], |x| x[0].remainder(&x[1])),
            Sample::new("number", [x()], |x| x[0].neg()?.remainder(1.05)),
        ]
    })
};
