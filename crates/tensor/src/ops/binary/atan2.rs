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
    // b/(a² + b²) and −a/(a² + b²), both 0 at the origin and infinitely far from it. Both numbers are divided by the
    // larger first, so that their squares are neither too large nor too small; derivatives do not depend on what by.
    fn grads(self, ctx: &Context<'_>) -> Result<[Option<Tensor>; 2]> {
        let (g, a, b) = (ctx.grad()?, ctx.saved(0)?, ctx.saved(1)?);
        let size = a.detach().abs()?.maximum(&b.detach().abs()?)?;
        let none = size.eq(0.0)?.logical_or(&size.eq(f64::INFINITY)?)?;
        let size = size.masked_fill(&none, 1.0)?;
        let scaled = |x: &Tensor| x.masked_fill(&none, 1.0)?.div(&size);
        let (a, b) = (scaled(a)?, scaled(b)?);
        let square = a.square()?.add(&b.square()?)?;
        let slope = |x: &Tensor| g.mul(&x.div(&square)?)?.div(&size)?.masked_fill(&none, 0.0);
        Ok([ctx.when_needed(0, || slope(&b))?, ctx.when_needed(1, || slope(&a.neg()?))?])
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
