//! The larger of two.

use crate::autograd::{Context, Save};
use crate::operation::{Binary, Operand, binary};
use crate::table::{Kink, Refusal, Row, Sample, distinct, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Maximum;

impl Binary for Maximum {
    const NAME: &'static str = "maximum";
    const SAVES: &'static [Save<'static>] = &[Save::Input(0), Save::Input(1)];
    const INT: Option<fn(i64, i64) -> i64> = Some(|a, b| a.max(b));
    const BOOL: Option<fn(bool, bool) -> bool> = Some(|a, b| a | b);
    #[inline(always)]
    fn float<T: Float>(self, a: T, b: T) -> T {
        a.maximum(b)
    }
    // A NaN loses to nothing, so that its gradient is g, whichever side it is on.
    fn grads(self, ctx: &Context<'_>) -> Result<[Option<Tensor>; 2]> {
        let (g, a, b) = (ctx.grad()?, ctx.saved(0)?, ctx.saved(1)?);
        let shared = Tensor::where_(&a.eq(b)?, &g.mul(0.5)?, g)?;
        Ok([
            ctx.when_needed(0, || shared.masked_fill(&a.lt(b)?, 0.0))?,
            ctx.when_needed(1, || shared.masked_fill(&b.lt(a)?, 0.0))?,
        ])
    }
}

impl Tensor {
    /// The larger of a and b, element by element, with broadcasting; NaN where either is (PyTorch:
    /// `torch.maximum`). Where they are equal each gets half of the gradient.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([1.0, 3.0]).maximum(2.0)?;
    /// assert_eq!(x.to_vec::<f32>()?, [2.0, 3.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn maximum<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        binary(self, other, Maximum)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.5, call: |x| x.maximum(0.5), derivative: 0.5 }],
    errors: || vec![Refusal::new(&["[2, 3]", "[3, 2]"], || values(1, [2, 3]).maximum(&values(2, [3, 2])))],
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| Ok(vec![x[0].maximum(&x[1])?]))],
    ..Row::new("maximum", "torch.maximum", || {
        vec![
            Sample::new("same shape", [distinct(1, [2, 3]), values(2, [2, 3])], |x| x[0].maximum(&x[1])),
            Sample::new("broadcast", [distinct(1, [2, 1, 3]), values(2, [4, 1])], |x| x[0].maximum(&x[1])),
            Sample::new("number", [distinct(1, [5])], |x| x[0].maximum(0.0)),
        ]
    })
};
