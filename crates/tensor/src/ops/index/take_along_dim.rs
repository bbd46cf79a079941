//! Take along a dimension.

use crate::shape::{broadcast, dim_index};
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Result, Tensor, bail};

impl Tensor {
    /// [`Tensor::gather`] with shapes that broadcast outside `dim`: takes what `argsort` or `argmax_dim` with
    /// `keepdim` found. Negative indices count from the end (PyTorch: `torch.take_along_dim`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.take_along_dim(&Tensor::new([[1]]), 1)?.to_vec::<f32>()?, [2.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `dim` or an index is out of range, when the numbers of dimensions differ, and when shapes do not
    /// broadcast.
    #[track_caller]
    pub fn take_along_dim(&self, indices: &Tensor, dim: isize) -> Result<Tensor> {
        let at = dim_index("take_along_dim", dim, self.rank())?;
        if indices.rank() != self.rank() || self.rank() == 0 {
            bail!(
                Shape,
                "take_along_dim",
                "indices of shape {} do not have the dimensions of shape {}",
                indices.shape(),
                self.shape()
            );
        }
        let (x, index) = (self.shape().with_size(at, 1)?, indices.shape().with_size(at, 1)?);
        let common = broadcast("take_along_dim", &x, &index)?;
        let x = self.expand(common.with_size(at, self.shape()[at])?)?;
        let n = self.shape()[at];
        let index = match indices.dtype() {
            DType::I64 => indices.map_elements("take_along_dim", 0.5, |i: i64| if i < 0 { i.wrapping_add(n as i64) } else { i })?,
            _ => indices.clone(),
        };
        let index = index.checked_indices("take_along_dim", dim, n)?;
        x.gather(dim, &index.expand(common.with_size(at, indices.shape()[at])?)?)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        let x = || values(1, [2, 3]);
        vec![
            Refusal::new(&["size 3"], move || x().take_along_dim(&Tensor::new([[-4]]), 1)),
            Refusal::new(&["index 3", "size 3"], move || x().take_along_dim(&Tensor::new([[3]]), 1)),
            Refusal::new(&["[1]", "[2, 3]"], move || x().take_along_dim(&Tensor::new([1]), 1)),
            Refusal::new(&["[3, 1]", "[2, 1]"], move || {
                x().take_along_dim(&Tensor::new([[1], [1], [1]]), 1)
            }),
        ]
    },
    ..Row::new("take_along_dim", "torch.take_along_dim", || {
        vec![
            Sample::new("same", [values(1, [2, 3])], |x| {
                x[0].take_along_dim(&Tensor::new([[2, 0], [1, 1]]), 1)
            }),
            Sample::new("from the end", [values(1, [2, 3])], |x| {
                x[0].take_along_dim(&Tensor::new([[-1, 0], [-3, 1]]), 1)
            }),
            Sample::new("broadcast", [values(1, [1, 3])], |x| {
                x[0].take_along_dim(&Tensor::new([[2], [0]]), -1)
            }),
        ]
    })
};
