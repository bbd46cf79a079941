//! Division.

use crate::autograd::{Context, Save};
use crate::operation::{Binary, Operand, binary};
use crate::table::{Refusal, Row, Sample, uniform, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Div;

impl Binary for Div {
    const NAME: &'static str = "div";
    const SAVES: &'static [Save<'static>] = &[Save::Input(0), Save::Input(1)];
    #[inline(always)]
    fn float<T: Float>(self, a: T, b: T) -> T {
        a / b
    }
    // d(a/b)/da = 1/b, d(a/b)/db = −a/b².
    fn grads(self, ctx: &Context<'_>) -> Result<[Option<Tensor>; 2]> {
        let (g, a, b) = (ctx.grad()?, ctx.saved(0)?, ctx.saved(1)?);
        Ok([
            ctx.when_needed(0, || g.div(b))?,
            ctx.when_needed(1, || g.neg()?.mul(&a.div(b)?.div(b)?))?,
        ])
    }
}

impl Tensor {
    /// a / b, element by element, with broadcasting; also the operator `/` (PyTorch: `torch.div`). Integers
    /// are divided in `f32`.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1, 3]).div(2)?.to_vec::<f32>()?, [0.5, 1.5]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn div<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        binary(self, other, Div)
    }
}

pub(super) const ROW: Row = Row {
    errors: || vec![Refusal::new(&["[2, 3]", "[3, 2]"], || values(1, [2, 3]).div(&values(2, [3, 2])))],
    bench: &[(&[&[1_000_000], &[1_000_000]], |x| Ok(vec![x[0].div(&x[1])?]))],
    ..Row::new("div", "torch.div", || {
        let b = |seed, low| uniform(seed, [2, 3], low, low + 2.0);
        vec![
            Sample::new("positive", [values(1, [2, 3]), b(2, 0.5)], |x| x[0].div(&x[1])),
            Sample::new("negative", [values(1, [3]), b(3, -2.5)], |x| x[0].div(&x[1])),
            Sample::new("number", [values(1, [3])], |x| x[0].div(2.5)),
        ]
    })
};
