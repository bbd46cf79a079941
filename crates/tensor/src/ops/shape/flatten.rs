//! Flatten.

use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail};

impl Tensor {
    /// Neighbouring dimensions, from `start_dim` to `end_dim` (included), as one; `flatten(0, -1)` gives a
    /// vector. A view where the strides allow it, else a copy (PyTorch: `torch.flatten`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::zeros([2, 3, 4])?.flatten(1, -1)?.shape(), &[2, 12]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a dimension is out of range or `start_dim` comes after `end_dim`.
    #[track_caller]
    pub fn flatten(&self, start_dim: isize, end_dim: isize) -> Result<Tensor> {
        let start = dim_index("flatten", start_dim, self.rank())?;
        let end = dim_index("flatten", end_dim, self.rank())?;
        if start > end {
            bail!(Index, "flatten", "start_dim {start_dim} comes after end_dim {end_dim} in shape {}", self.shape());
        }
        if self.rank() == 0 {
            return self.reshape([1usize]);
        }
        let (before, rest) = self.shape().split_at(start);
        let (merged, after) = rest.split_at(end - start + 1);
        let merged = merged.iter().product();
        self.reshape(before.iter().chain([&merged]).chain(after).copied().collect::<Shape>())
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["1", "0", "[2, 3]"], || values(1, [2, 3]).flatten(1, 0)),
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).flatten(0, 2)),
        ]
    },
    ..Row::new("flatten", "torch.flatten", || {
        vec![
            Sample::new("all", [values(1, [2, 3, 2])], |x| x[0].flatten(0, -1)),
            Sample::new("some", [values(1, [2, 3, 2])], |x| x[0].flatten(1, 2)),
            Sample::new("copy", [values(1, [2, 3])], |x| x[0].t()?.flatten(0, 1)),
            Sample::new("0-d", [values(1, [])], |x| x[0].flatten(0, -1)),
        ]
    })
};
