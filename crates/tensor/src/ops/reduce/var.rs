//! Variance.

use crate::autograd::{Backward, Context, Save, record};
use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail};

struct VarBackward {
    dims: Vec<isize>,
    keepdim: Shape,
    /// The number of elements less the correction.
    divisor: f64,
}

impl Backward for VarBackward {
    fn name(&self) -> &'static str {
        "var"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, x) = (ctx.grad()?.reshape(&self.keepdim)?, ctx.saved(0)?);
        let centred = x.sub(&x.mean_dim(self.dims.clone(), true)?)?;
        Ok(vec![Some(g.mul(2.0 / self.divisor)?.mul(&centred)?)])
    }
}

impl Tensor {
    /// The variance of all elements, Σ (x − mean)² / (n − 1), a 0-d tensor; NaN where there is but one
    /// (PyTorch: `torch.var`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, 2.0, 3.0]).var()?.item()?, 1.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans.
    #[track_caller]
    pub fn var(&self) -> Result<Tensor> {
        self.var_dim(Vec::new(), 1.0, false)
    }

    /// The variance over one or several dimensions (none given: over all), which disappear or, with `keepdim`,
    /// stay with size 1. The sum of squares is divided by n − `correction`, or by 0 where that is negative:
    /// 1 estimates the variance of what the n elements are a sample of, 0 is the variance of the elements
    /// themselves.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 3.0], [3.0, 7.0]]);
    /// assert_eq!(x.var_dim(1, 0.0, false)?.to_vec::<f32>()?, [1.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For integers and booleans, and when a dimension is out of range or named twice.
    #[track_caller]
    pub fn var_dim(&self, dim: impl IntoDims, correction: f64, keepdim: bool) -> Result<Tensor> {
        if !self.dtype().is_float() {
            bail!(DType, "var", "not defined for {}: convert it with to_dtype first", self.dtype());
        }
        let dims = dim.into_dims();
        let reduced = Reduced::new("var", self.shape(), &dims)?;
        let divisor = reduced.count() as f64 - correction;
        let x = self.detach();
        let centred = x.sub(&x.mean_dim(dims.clone(), true)?)?;
        let out = centred.square()?.sum_dim(dims.clone(), keepdim)?.div(divisor.max(0.0))?;
        let operation = VarBackward { dims, keepdim: reduced.keepdim_shape(), divisor };
        record(operation, &[self], &[Save::Input(0)], out)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).var_dim(2, 1.0, false)),
            Refusal::new(&["int64"], || Tensor::new([1, 2]).var()),
        ]
    },
    bench: &[(&[&[1024, 1024]], |x| Ok(vec![x[0].var_dim(1, 0.0, false)?]))],
    ..Row::new("var", "torch.var", || {
        vec![
            Sample::new("all", [values(1, [2, 3])], |x| x[0].var()),
            Sample::new("last, uncorrected", [values(1, [2, 3])], |x| x[0].var_dim(-1, 0.0, true)),
            Sample::new("outer and inner", [values(1, [2, 3, 2])], |x| x[0].var_dim([0, 2], 1.5, false)),
        ]
    })
};
