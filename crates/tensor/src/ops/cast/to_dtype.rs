//! Conversion to another dtype.

use chainrule_kernels::elementwise::map;

use crate::autograd::{Backward, Context, record};
use crate::table::{Row, Sample, values};
use crate::{DType, Element, Result, Tensor, dispatch};

struct ToDtypeBackward {
    from: DType,
}

impl Backward for ToDtypeBackward {
    fn name(&self) -> &'static str {
        "to_dtype"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.to_dtype(self.from)?)])
    }
}

impl Tensor {
    /// The values in another dtype (PyTorch: `Tensor.to(dtype)`): floats are cut off towards zero when they
    /// become integers, and whatever is not zero becomes `true`. The tensor itself where it has the dtype
    /// already. Gradients flow between float dtypes.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, DType, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([-1.5, 2.5]).to_dtype(DType::I64)?.to_vec::<i64>()?, [-1, 2]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn to_dtype(&self, dtype: DType) -> Result<Tensor> {
        if dtype == self.dtype() {
            return Ok(self.clone());
        }
        let converted = dispatch!(self.dtype(), A => dispatch!(dtype, B => convert::<A, B>(self)?));
        record(ToDtypeBackward { from: self.dtype() }, &[self], &[], converted)
    }
}

#[track_caller]
fn convert<A: Element, B: Element>(x: &Tensor) -> Result<Tensor> {
    let mut out = x.shape().allocate::<B>("to_dtype")?;
    // Every value of the four dtypes passes through f64 unharmed, except integers beyond 2^53, whose nearest
    // float is what is wanted anyway.
    map(x.shape(), x.strided::<A>()?, &mut out, 0.5, |v| B::from_f64(v.to_f64()));
    Ok(Tensor::from_parts(out, x.shape().clone()))
}

pub(super) const ROW: Row = Row::new("to_dtype", "torch.Tensor.to", || {
    vec![Sample::new("there and back", [values(1, [2, 3])], |x| {
        // Through f32, whose rounding is invisible to a sum of differences as large as these.
        x[0].mul(3.0)?.to_dtype(x[0].dtype())
    })]
});
