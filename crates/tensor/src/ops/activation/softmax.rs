//! Softmax.

use chainrule_kernels::softmax;

use crate::autograd::{Backward, Context, Save, record};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail, dispatch_float};

struct SoftmaxBackward {
    dim: usize,
}

impl Backward for SoftmaxBackward {
    fn name(&self) -> &'static str {
        "softmax"
    }

    // y · (g − Σ g·y)
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, y, dim) = (ctx.grad()?, ctx.saved(0)?, self.dim as isize);
        let gy = g.mul(y)?;
        Ok(vec![Some(gy.sub(&y.mul(&gy.sum_dim(dim, true)?)?)?)])
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, y) = (ctx.grad()?.contiguous()?, ctx.saved(0)?);
        let dims = y.shape().around(self.dim)?;
        let grad = dispatch_float!(y.dtype(), T => {
            let (g, y) = (g.as_slice::<T>()?, y.as_slice::<T>()?);
            Tensor::build_for("softmax", ctx.saved(0)?.shape(), |out: &mut [T]| softmax::softmax_backward(g, y, dims, out))?
        });
        Ok(vec![Some(grad)])
    }
}

impl Tensor {
    /// eˣ / Σ eˣ along a dimension: positive numbers that sum to 1 (PyTorch: `torch.softmax`). Large x do not
    /// overflow; a row of −∞ alone becomes NaN.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1000.0, 1000.0]).softmax(0)?.to_vec::<f32>()?, [0.5, 0.5]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans, and when the dimension is out of range.
    #[track_caller]
    pub fn softmax(&self, dim: isize) -> Result<Tensor> {
        if !self.dtype().is_float() {
            bail!(DType, "softmax", "not defined for {}: convert it with to_dtype first", self.dtype());
        }
        let dim = dim_index("softmax", dim, self.rank())?;
        let (x, dims) = (self.detach().contiguous()?, self.shape().around(dim)?);
        let y = dispatch_float!(x.dtype(), T => {
            let values = x.as_slice::<T>()?;
            Tensor::build_for("softmax", x.shape(), |out: &mut [T]| softmax::softmax(values, dims, out))?
        });
        record(SoftmaxBackward { dim }, &[self], &[Save::Output(0)], y)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).softmax(2)),
            Refusal::new(&["int64"], || Tensor::new([1, 2]).softmax(0)),
        ]
    },
    bench: &[
        (&[&[1024, 1024]], |x| Ok(vec![x[0].softmax(1)?])),
        (&[&[1024, 1024]], |x| Ok(vec![x[0].softmax(0)?])),
    ],
    ..Row::new("softmax", "torch.softmax", || {
        vec![
            Sample::new("last", [values(1, [2, 3])], |x| x[0].softmax(-1)),
            Sample::new("middle", [values(1, [2, 3, 2])], |x| x[0].softmax(1)),
        ]
    })
};
