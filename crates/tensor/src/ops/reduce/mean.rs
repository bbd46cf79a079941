//! Mean.

use crate::autograd::{Backward, Context, record};
use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail, dispatch_float};

struct MeanBackward {
    /// The input's shape with 1 in the place of each reduced dimension, and in full.
    keepdim: Shape,
    input: Shape,
    count: f64,
}

impl Backward for MeanBackward {
    fn name(&self) -> &'static str {
        "mean"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let g = ctx.grad()?.div(self.count)?;
        Ok(vec![Some(g.reshape(&self.keepdim)?.expand(&self.input)?)])
    }
}

impl Tensor {
    /// The mean of all elements, a 0-d tensor; NaN where there are none (PyTorch: `torch.mean`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([[1.0, 2.0], [3.0, 4.0]]).mean()?.item()?, 2.5);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans.
    #[track_caller]
    pub fn mean(&self) -> Result<Tensor> {
        self.mean_over("mean", Vec::new(), false)
    }

    /// The mean over one or several dimensions (none given: over all), which disappear or, with `keepdim`,
    /// stay with size 1.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.mean_dim(1, false)?.to_vec::<f32>()?, [1.5, 3.5]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans, and when a dimension is out of range or named twice.
    #[track_caller]
    pub fn mean_dim(&self, dim: impl IntoDims, keepdim: bool) -> Result<Tensor> {
        self.mean_over("mean_dim", dim.into_dims(), keepdim)
    }

    #[track_caller]
    fn mean_over(&self, operation: &'static str, dims: Vec<isize>, keepdim: bool) -> Result<Tensor> {
        if !self.dtype().is_float() {
            bail!(DType, operation, "not defined for {}: convert it with to_dtype first", self.dtype());
        }
        let reduced = Reduced::new(operation, self.shape(), &dims)?;
        let count = reduced.count() as f64;
        let out = dispatch_float!(self.dtype(), T => reduced.sums::<T>(self, count)?);
        let backward = MeanBackward { keepdim: reduced.keepdim_shape(), input: self.shape().clone(), count };
        record(backward, &[self], &[], out.in_shape(reduced.shape(keepdim)))
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["mean_dim: ", "dimension -3"], || values(1, [2, 3]).mean_dim(-3, false)),
            Refusal::new(&["int64"], || Tensor::new([1, 2]).mean()),
        ]
    },
    ..Row::new("mean", "torch.mean", || {
        vec![
            Sample::new("all", [values(1, [2, 3])], |x| x[0].mean()),
            Sample::new("outer and inner", [values(1, [2, 3, 2])], |x| x[0].mean_dim([0, 2], true)),
        ]
    })
};
