//! Logarithm of softmax.

use chainrule_kernels::softmax;

use crate::autograd::{Backward, Context, Save, record};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail, dispatch_float};

struct LogSoftmaxBackward {
    dim: usize,
}

impl Backward for LogSoftmaxBackward {
    fn name(&self) -> &'static str {
        "log_softmax"
    }

    // g − eʸ · Σ g
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, y, dim) = (ctx.grad()?, ctx.saved(0)?, self.dim as isize);
        Ok(vec![Some(g.sub(&y.exp()?.mul(&g.sum_dim(dim, true)?)?)?)])
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, y) = (ctx.grad()?.contiguous()?, ctx.saved(0)?);
        let dims = y.shape().around(self.dim)?;
        let grad = dispatch_float!(y.dtype(), T => {
            let (g, y) = (g.as_slice::<T>()?, y.as_slice::<T>()?);
            Tensor::build_for("log_softmax", ctx.saved(0)?.shape(), |out: &mut [T]| softmax::log_softmax_backward(g, y, dims, out))?
        });
        Ok(vec![Some(grad)])
    }
}

impl Tensor {
    /// ln(eˣ / Σ eˣ) along a dimension, without the loss of the logarithm of a small softmax (PyTorch:
    /// `torch.log_softmax`). A row of −∞ alone becomes NaN.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([0.0, 1000.0]).log_softmax(0)?;
    /// assert_eq!(x.to_vec::<f32>()?, [-1000.0, 0.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans, and when the dimension is out of range.
    #[track_caller]
    pub fn log_softmax(&self, dim: isize) -> Result<Tensor> {
        if !self.dtype().is_float() {
            bail!(DType, "log_softmax", "not defined for {}: convert it with to_dtype first", self.dtype());
        }
        let dim = dim_index("log_softmax", dim, self.rank())?;
        let (x, dims) = (self.detach().contiguous()?, self.shape().around(dim)?);
        let y = dispatch_float!(x.dtype(), T => {
            let values = x.as_slice::<T>()?;
            Tensor::build_for("log_softmax", x.shape(), |out: &mut [T]| softmax::log_softmax(values, dims, out))?
        });
        record(LogSoftmaxBackward { dim }, &[self], &[Save::Output(0)], y)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).log_softmax(2)),
            Refusal::new(&["int64"], || Tensor::new([1, 2]).log_softmax(0)),
        ]
    },
    bench: &[
        (&[&[1024, 1024]], |x| Ok(vec![x[0].log_softmax(1)?])),
        (&[&[1024, 1024]], |x| Ok(vec![x[0].log_softmax(0)?])),
    ],
    ..Row::new("log_softmax", "torch.log_softmax", || {
        vec![
            Sample::new("last", [values(1, [2, 3])], |x| x[0].log_softmax(-1)),
            Sample::new("middle", [values(1, [2, 3, 2])], |x| x[0].log_softmax(1)),
        ]
    })
};
