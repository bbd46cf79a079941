//! Whether elements are NaN.

use crate::table::{Row, Sample, values};
use crate::{Result, Tensor, dispatch};
use chainrule_kernels::Number;

impl Tensor {
    /// Whether each element is a NaN, as a `bool` tensor (PyTorch: `torch.isnan`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, f64::NAN]).isnan()?.to_vec::<bool>()?, [false, true]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn isnan(&self) -> Result<Tensor> {
        dispatch!(self.dtype(), T => self.map_elements("isnan", 0.5, |x: T| Number::is_nan(x)))
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    ..Row::new("isnan", "torch.isnan", || vec![Sample::new("", [values(1, [5])], |x| x[0].log()?.isnan())])
};
