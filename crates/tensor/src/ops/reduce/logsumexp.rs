//! Logarithm of a sum of exponentials.

use chainrule_kernels::softmax;

use crate::autograd::{Backward, Context, Save, record};
use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, dispatch_float};

struct LogSumExpBackward {
    keepdim: Shape,
}

impl Backward for LogSumExpBackward {
    fn name(&self) -> &'static str {
        "logsumexp"
    }

    // g·softmax(x). The exponentials of x − y sum to 1 but for the precision of y, which is none beside a large x.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, y) = (ctx.grad()?.reshape(&self.keepdim)?, ctx.saved(1)?.reshape(&self.keepdim)?);
        let powers = ctx.saved(0)?.sub(&y.detach())?.exp()?;
        let dims = (0..self.keepdim.len()).filter(|&dim| self.keepdim[dim] == 1).map(|dim| dim as isize);
        let sum = powers.sum_dim(dims.collect::<Vec<isize>>().as_slice(), true)?;
        // Beside a number that is infinite the others have none, and 0 is 0.
        let sum = sum.masked_fill(&sum.isnan()?, 1.0)?;
        Ok(vec![Some(g.div(&sum)?.mul(&powers)?)])
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
        let reduced = Reduced::new("logsumexp", x.shape(), &dim.into_dims())?;
        let out = dispatch_float!(x.dtype(), T => reduced.run(&x, softmax::logsumexp::<T>)?);
        let operation = LogSumExpBackward { keepdim: reduced.keepdim_shape() };
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
