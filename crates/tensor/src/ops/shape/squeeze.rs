//! Squeeze.

use crate::shape::{IntoDims, dim_index};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail};

impl Tensor {
    /// Without the dimensions of size 1. A view (PyTorch: `torch.squeeze`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::zeros([1, 3, 1])?.squeeze()?.shape(), &[3]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn squeeze(&self) -> Result<Tensor> {
        self.reshape(self.shape().iter().copied().filter(|&n| n != 1).collect::<Shape>())
    }

    /// Without the given dimensions where their size is 1; others stay. A view (PyTorch:
    /// `torch.squeeze(x, dim)`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::zeros([1, 3, 1])?;
    /// assert_eq!(x.squeeze_dim(-1)?.shape(), &[1, 3]);
    /// assert_eq!(x.squeeze_dim([0, 1])?.shape(), &[3, 1]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a dimension is out of range or named twice.
    #[track_caller]
    pub fn squeeze_dim(&self, dim: impl IntoDims) -> Result<Tensor> {
        let mut named = vec![false; self.rank().max(1)];
        let dims = dim.into_dims();
        for &dim in &dims {
            let index = dim_index("squeeze", dim, self.rank())?;
            if std::mem::replace(&mut named[index], true) {
                bail!(Index, "squeeze", "dimension {dim} is named twice in {dims:?}");
            }
        }
        let sizes = self.shape().iter().zip(named);
        self.reshape(sizes.filter(|&(&n, named)| n != 1 || !named).map(|(&n, _)| n).collect::<Shape>())
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["dimension 3"], || values(1, [1, 2, 1]).squeeze_dim(3)),
            Refusal::new(&["twice"], || values(1, [1, 2, 1]).squeeze_dim([2, -1])),
        ]
    },
    ..Row::new("squeeze", "torch.squeeze", || {
        vec![
            Sample::new("all", [values(1, [1, 3, 1])], |x| x[0].squeeze()),
            Sample::new("one", [values(1, [1, 3, 1])], |x| x[0].squeeze_dim(-1)),
            Sample::new("of a transpose", [values(1, [3, 1, 2])], |x| x[0].transpose(0, 2)?.squeeze_dim(1)),
            Sample::new("size other than 1", [values(1, [2, 1])], |x| x[0].squeeze_dim(0)),
        ]
    })
};
