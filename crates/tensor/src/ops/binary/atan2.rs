//! Angle of a point.

use crate::autograd::{Context, Save};
use crate::operation::{Binary, Operand, binary};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Atan2;

impl Binary for Atan2 {
    const NAME: &'static str = "atan2";
    const SAVES: &'static [Save<'static>] = &[Save::Input(0), Save::Input(1)];
    const COST_NS: f64 = 10.0;
    #[inline(always)]
    fn float<T: Float>(self, a: T, b: T) -> T {
        a.atan2(b)
    }
    // b/(a² + b²) and −a/(a² + b²), both 0 at the origin.
    fn grads(self, ctx: &Context<'_>) -> Result<[Option<Tensor>; 2]> {
        let (g, a, b) = (ctx.grad()?, ctx.saved(0)?, ctx.saved(1)?);
        // Both divided by the larger, so that squares are in range.
        let size = a.detach().abs()?.maximum(&b.detach().abs()?)?;
        let is_regular = size.isfinite()?.logical_and(&size.ne(0.0)?)?;
        let size = size.masked_fill(&is_regular.logical_not()?, 1.0)?;
        let (a, b) = (&a.div(&size)?, &b.div(&size)?);
        let square = a.square()?.add(&b.square()?)?;
        let scaled = g.mul(&square.reciprocal()?.masked_fill(&square.eq(0.0)?, 0.0)?)?;
        Ok([
            ctx.when_needed(0, || scaled.mul(b)?.div(&size))?,
            ctx.when_needed(1, || scaled.mul(&a.neg()?)?.div(&size))?,
        ])
    }
}

impl Tensor {
    /// The angle of the point (b, a), from −π to π, element by element, with broadcasting (PyTorch:
    /// `torch.atan2`). The derivative at the origin is 0.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let angle = Tensor::new([1.0, 0.0]).atan2(&Tensor::new([0.0, -1.0]))?;
    /// assert_eq!(angle.to_vec::<f32>()?, [std::f32::consts::FRAC_PI_2, std::f32::consts::PI]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn atan2<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        binary(self, other, Atan2)
    }
}

pub(super) const ROW: Row = Row {
    errors: || vec![Refusal::new(&["[2, 3]", "[4]"], || values(1, [2, 3]).atan2(&values(2, [4])))],
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| Ok(vec![x[0].atan2(&x[1])?]))],
    ..Row::new("atan2", "torch.atan2", || {
        vec![
            Sample::new("same shape", [values(1, [2, 3]), values(2, [2, 3])], |x| x[0].atan2(&x[1])),
            Sample::new("broadcast", [values(1, [2, 3]), values(2, [4, 1, 1])], |x| x[0].atan2(&x[1])),
        ]
    })
};
