//! Logarithm of a sum of exponentials.

use chainrule_kernels::softmax;

use crate::autograd::{Backward, Context, Save, record};
use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, dispatch_float};

struct LogSumExpBackward {
    dims: Vec<isize>,
    keepdim: Shape,
}

impl Backward for LogSumExpBackward {
    fn name(&self) -> &'static str {
        "logsumexp"
    }

    // eˣ / Σ eˣ. The result is used only to keep eˣ in range: what rounding took from it would be a factor.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, y) = (ctx.grad()?.reshape(&self.keepdim)?, ctx.saved(1)?.detach().reshape(&self.keepdim)?);
        let powers = ctx.saved(0)?.sub(&y)?.exp()?;
        // Where the result is infinite, NaN stays with the elements that it comes from.
        let sum = powers.sum_dim(&self.dims[..], true)?.masked_fill(&y.isfinite()?.logical_not()?, 1.0)?;
        Ok(vec![Some(g.mul(&powers.div(&sum)?)?)])
    }
}

impl Tensor {
    /// ln Σ eˣ over one or several dimensions (none given: over all), which disappear or, with `keepdim`, stay
    /// with size 1; large x do not overflow (PyTorch: `torch.logsumexp`). −∞ where every x is, or there is
    /// none. Integers and booleans are computed in `f32`.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([1000.0, 1000.0]).logsumexp(0, false)?;
    /// assert_eq!(x.item()?, f64::from(1000.0 + 2f32.ln()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a dimension is out of range or named twice.
    #[track_caller]
    pub fn logsumexp(&self, dim: impl IntoDims, keepdim: bool) -> Result<Tensor> {
        let x = self.to_dtype(self.dtype().to_float())?;
        let dims = dim.into_dims();
        let reduced = Reduced::new("logsumexp", x.shape(), &dims)?;
        let out = dispatch_float!(x.dtype(), T => reduced.run(&x, softmax::logsumexp::<T>)?);
        let operation = LogSumExpBackward { dims, keepdim: reduced.keepdim_shape() };
        let out = out.in_shape(reduced.shape(keepdim));
        record(operation, &[&x], &[Save::Input(0), Save::Output(0)], out)
    }
}

pub(super) const ROW: Row = Row {
    errors: || vec![Refusal::new(&["dimension 2"], || values(1, [2, 3]).logsumexp(2, false))],
    bench: &[(&[&[1024, 1024]], |x| Ok(vec![x[0].logsumexp(1, false)?]))],
    ..Row::new("logsumexp", "torch.logsumexp", || {
        vec![
            Sample::new("last", [values(1, [2, 3])], |x| x[0].logsumexp(-1, false)),
            Sample::new("first, kept", [values(1, [2, 3, 2])], |x| x[0].logsumexp(0, true)),
            Sample::new("outer and inner", [values(1, [2, 3, 2])], |x| x[0].logsumexp([0, 2], false)),
        ]
    })
};
