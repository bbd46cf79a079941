//! Logical not.

use crate::table::{Row, Sample, values};
use crate::{Result, Tensor, dispatch};
use chainrule_kernels::Element;

impl Tensor {
    /// Whether each element is false, or 0, as a `bool` tensor (PyTorch: `torch.logical_not`). A NaN is not 0.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([true, false]).logical_not()?.to_vec::<bool>()?, [false, true]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn logical_not(&self) -> Result<Tensor> {
        dispatch!(self.dtype(), T => self.map_elements("logical_not", 0.5, |x: T| x == T::ZERO))
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    ..Row::new("logical_not", "torch.logical_not", || {
        vec![Sample::new("", [values(1, [5])], |x| x[0].gt(0.0)?.logical_not())]
    })
};
