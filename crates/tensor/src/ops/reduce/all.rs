//! Whether all elements are true.

use chainrule_kernels::reduce;

use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Result, Tensor};

impl Tensor {
    /// Whether all elements are true, or not 0, as a 0-d `bool` tensor; true where there are none (PyTorch: `torch.all`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([true, false]).all()?.to_scalar::<bool>()?, false);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn all(&self) -> Result<Tensor> {
        self.all_dim(Vec::new(), false)
    }

    /// The same over one or several dimensions (none given: over all), which disappear or, with `keepdim`,
    /// stay with size 1.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[0, 1], [3, 4]]);
    /// assert_eq!(x.all_dim(1, false)?.to_vec::<bool>()?, [false, true]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a dimension is out of range or named twice.
    #[track_caller]
    pub fn all_dim(&self, dim: impl IntoDims, keepdim: bool) -> Result<Tensor> {
        let reduced = Reduced::new("all_dim", self.shape(), &dim.into_dims())?;
        let flags = self.detach().to_dtype(DType::Bool)?;
        Ok(reduced.run(&flags, reduce::all)?.in_shape(reduced.shape(keepdim)))
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    errors: || vec![Refusal::new(&["all_dim: ", "dimension 2"], || values(1, [2, 3]).all_dim(2, false))],
    ..Row::new("all", "torch.all", || {
        vec![
            Sample::new("whole", [values(1, [2, 3])], |x| x[0].gt(0.0)?.all()),
            Sample::new("numbers", [values(1, [2, 3])], |x| x[0].trunc()?.all_dim(0, true)),
            Sample::new("outer and inner", [values(1, [2, 3, 2])], |x| {
                x[0].gt(0.5)?.all_dim([0, 2], false)
            }),
        ]
    })
};
