//! Whether any element is true.

use chainrule_kernels::reduce;

use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Result, Tensor};

impl Tensor {
    /// Whether any element is true, or not 0, as a 0-d `bool` tensor; false where there are none (PyTorch: `torch.any`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([true, false]).any()?.to_scalar::<bool>()?, true);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn any(&self) -> Result<Tensor> {
        self.any_dim(Vec::new(), false)
    }

    /// The same over one or several dimensions (none given: over all), which disappear or, with `keepdim`,
    /// stay with size 1.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[0, 0], [3, 4]]);
    /// assert_eq!(x.any_dim(1, false)?.to_vec::<bool>()?, [false, true]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a dimension is out of range or named twice.
    #[track_caller]
    pub fn any_dim(&self, dim: impl IntoDims, keepdim: bool) -> Result<Tensor> {
        let reduced = Reduced::new("any_dim", self.shape(), &dim.into_dims())?;
        let flags = self.detach().to_dtype(DType::Bool)?;
        Ok(reduced.run(&flags, reduce::any)?.in_shape(reduced.shape(keepdim)))
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    errors: || vec![Refusal::new(&["any_dim: ", "dimension 2"], || values(1, [2, 3]).any_dim(2, false))],
    ..Row::new("any", "torch.any", || {
        vec![
            Sample::new("whole", [values(1, [2, 3])], |x| x[0].gt(0.0)?.any()),
            Sample::new("numbers", [values(1, [2, 3])], |x| x[0].trunc()?.any_dim(0, true)),
            Sample::new("outer and inner", [values(1, [2, 3, 2])], |x| {
                x[0].gt(0.5)?.any_dim([0, 2], false)
            }),
        ]
    })
};
