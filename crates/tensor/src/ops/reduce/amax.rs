//! The largest values.

use chainrule_kernels::reduce;

use crate::autograd::{Backward, Context, Save, record};
use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Refusal, Row, Sample, distinct, values};
use crate::{Result, Shape, Tensor, bail, dispatch};

/// The gradient is shared out evenly among the elements that are the extreme value.
struct ExtremeBackward {
    operation: &'static str,
    dims: Vec<isize>,
    keepdim: Shape,
}

impl Backward for ExtremeBackward {
    fn name(&self) -> &'static str {
        self.operation
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let (g, x) = (ctx.grad()?.reshape(&self.keepdim)?, ctx.saved(0)?.detach());
        let y = ctx.saved(1)?.detach().reshape(&self.keepdim)?;
        let both_nan = x.isnan()?.logical_and(&y.isnan()?)?;
        let at = x.eq(&y)?.logical_or(&both_nan)?.to_dtype(g.dtype())?;
        let count = at.sum_dim(self.dims.clone(), true)?;
        Ok(vec![Some(g.mul(&at)?.div(&count)?)])
    }
}

/// The largest or smallest values over dimensions; none given: over all.
#[track_caller]
pub(super) fn extreme_values(
    operation: &'static str,
    x: &Tensor,
    larger: bool,
    dims: Vec<isize>,
    keepdim: bool,
) -> Result<Tensor> {
    let reduced = Reduced::new(operation, x.shape(), &dims)?;
    let shape = reduced.shape(keepdim);
    if reduced.count() == 0 && shape.numel() > 0 {
        bail!(Shape, operation, "there is no element to choose: the tensor's shape is {}", x.shape());
    }
    let out = dispatch!(x.dtype(), T => reduced.run(x, |x: &[T], dims, out: &mut [T]| {
        reduce::extreme_values(x, dims, larger, out)
    })?);
    let operation = ExtremeBackward { operation, dims, keepdim: reduced.keepdim_shape() };
    record(operation, &[x], &[Save::Input(0), Save::Output(0)], out.in_shape(shape))
}

impl Tensor {
    /// The largest values over one or several dimensions (none given: over all), which disappear or, with
    /// `keepdim`, stay with size 1; NaN where there is one (PyTorch: `torch.amax`). Equal largest values share
    /// the gradient evenly; [`max_dim`](Tensor::max_dim) gives all of it to the first.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 5.0], [3.0, 4.0]]);
    /// assert_eq!(x.amax(1, false)?.to_vec::<f32>()?, [5.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a dimension is out of range or named twice, and when there is no element to choose.
    #[track_caller]
    pub fn amax(&self, dim: impl IntoDims, keepdim: bool) -> Result<Tensor> {
        extreme_values("amax", self, true, dim.into_dims(), keepdim)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).amax(2, false)),
            Refusal::new(&["[0, 3]"], || values(1, [0, 3]).amax(0, false)),
        ]
    },
    bench: &[
        (&[&[4_000_000]], |x| Ok(vec![x[0].amax(0, false)?])),
        (&[&[4096, 1024]], |x| Ok(vec![x[0].amax(0, false)?])),
    ],
    ..Row::new("amax", "torch.amax", || {
        vec![
            Sample::new("all", [distinct(1, [2, 3])], |x| x[0].amax([0, 1], false)),
            Sample::new("middle, kept", [distinct(1, [2, 3, 2])], |x| x[0].amax(1, true)),
            Sample::new("outer and inner", [distinct(1, [2, 3, 2])], |x| x[0].amax([0, -1], false)),
        ]
    })
};
