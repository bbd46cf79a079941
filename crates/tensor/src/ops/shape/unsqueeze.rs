//! Unsqueeze.

use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor};

impl Tensor {
    /// With a new dimension of size 1 before dimension `dim`; −1 puts it last. A view (PyTorch:
    /// `torch.unsqueeze`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::zeros([2, 3])?;
    /// assert_eq!(x.unsqueeze(0)?.shape(), &[1, 2, 3]);
    /// assert_eq!(x.unsqueeze(-1)?.shape(), &[2, 3, 1]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `dim` is not between −rank − 1 and rank.
    #[track_caller]
    pub fn unsqueeze(&self, dim: isize) -> Result<Tensor> {
        let dim = dim_index("unsqueeze", dim, self.rank() + 1)?;
        self.reshape(self.shape().with_inserted(dim, 1)?)
    }
}

pub(super) const ROW: Row = Row {
    errors: || vec![Refusal::new(&["dimension 3"], || values(1, [2, 3]).unsqueeze(3))],
    ..Row::new("unsqueeze", "torch.unsqueeze", || {
        vec![
            Sample::new("first", [values(1, [2, 3])], |x| x[0].unsqueeze(0)),
            Sample::new("last, transposed", [values(1, [2, 3])], |x| x[0].t()?.unsqueeze(-1)),
            Sample::new("0-d", [values(1, [])], |x| x[0].unsqueeze(0)),
        ]
    })
};
