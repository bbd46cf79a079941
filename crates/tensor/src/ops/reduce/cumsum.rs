//! Running sum.

use chainrule_kernels::scan;

use crate::autograd::{Backward, Context, record};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Result, Tensor};

struct CumsumBackward {
    dim: usize,
    reverse: bool,
}

impl Backward for CumsumBackward {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    // Element i is in the sums from i on: the gradients are summed the other way.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(running_sum(ctx.grad()?, self.dim, !self.reverse)?)])
    }
}

#[track_caller]
fn running_sum(x: &Tensor, dim: usize, reverse: bool) -> Result<Tensor> {
    let dims = x.shape().around(dim)?;
    let values = x.detach().contiguous()?;
    let out = match x.dtype() {
        DType::F32 => {
            let values = values.as_slice()?;
            Tensor::build_for("cumsum", x.shape(), |out: &mut [f32]| scan::cumsum(values, dims, reverse, out))?
        }
        DType::F64 => {
            let values = values.as_slice()?;
            Tensor::build_for("cumsum", x.shape(), |out: &mut [f64]| scan::cumsum(values, dims, reverse, out))?
        }
        _ => {
            let values = values.to_dtype(DType::I64)?;
            let values = values.as_slice()?;
            Tensor::build_for("cumsum", x.shape(), |out: &mut [i64]| scan::cumsum_i64(values, dims, reverse, out))?
        }
    };
    record(CumsumBackward { dim, reverse }, &[x], &[], out)
}

impl Tensor {
    /// The sums of the elements up to and including each, along a dimension (PyTorch: `torch.cumsum`). Integers
    /// and booleans are summed as `i64`.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, 2.0, 3.0]).cumsum(0)?.to_vec::<f32>()?, [1.0, 3.0, 6.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the dimension is out of range.
    #[track_caller]
    pub fn cumsum(&self, dim: isize) -> Result<Tensor> {
        running_sum(self, dim_index("cumsum", dim, self.rank())?, false)
    }
}

pub(super) const ROW: Row = Row {
    errors: || vec![Refusal::new(&["dimension 2"], || values(1, [2, 3]).cumsum(2))],
    bench: &[
        (&[&[1024, 1024]], |x| Ok(vec![x[0].cumsum(0)?])),
        (&[&[1024, 1024]], |x| Ok(vec![x[0].cumsum(1)?])),
    ],
    ..Row::new("cumsum", "torch.cumsum", || {
        vec![
            Sample::new("last", [values(1, [2, 3])], |x| x[0].cumsum(-1)),
            Sample::new("middle", [values(1, [2, 3, 2])], |x| x[0].cumsum(1)),
            Sample::new("0-d", [values(1, [])], |x| x[0].cumsum(0)),
        ]
    })
};
