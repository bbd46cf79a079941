//! Whether elements are finite.

use crate::table::{Row, Sample, values};
use crate::{Result, Tensor, dispatch};
use chainrule_kernels::Number;

impl Tensor {
    /// Whether each element is neither infinite nor a NaN, as a `bool` tensor (PyTorch: `torch.isfinite`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([1.0, f64::NAN, f64::NEG_INFINITY]);
    /// assert_eq!(x.isfinite()?.to_vec::<bool>()?, [true, false, false]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn isfinite(&self) -> Result<Tensor> {
        dispatch!(self.dtype(), T => self.map_elements("isfinite", 0.5, |x: T| x.to_f64().is_finite()))
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    ..Row::new("isfinite", "torch.isfinite", || {
        vec![Sample::new("", [values(1, [5])], |x| x[0].log()?.isfinite())]
    })
};
