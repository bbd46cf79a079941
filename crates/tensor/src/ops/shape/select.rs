//! Select.

use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail};

impl Tensor {
    /// One index of one dimension, which disappears; negative counts from the end. A view (PyTorch:
    /// `torch.select`, `x[i]` for dimension 0).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.select(0, 1)?.to_vec::<f32>()?, [3.0, 4.0]);
    /// assert_eq!(x.select(1, -2)?.to_vec::<f32>()?, [1.0, 3.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For a 0-d tensor, and when `dim` or `index` is out of range.
    #[track_caller]
    pub fn select(&self, dim: isize, index: isize) -> Result<Tensor> {
        let at = dim_index("select", dim, self.rank())?;
        if self.rank() == 0 {
            bail!(Shape, "select", "a 0-d tensor has no dimension to choose from");
        }
        let size = self.shape()[at];
        let position = if index < 0 { index + size as isize } else { index };
        if position < 0 || position as usize >= size {
            bail!(
                Index,
                "select",
                "index {index} is out of range for dimension {dim} of size {size} (shape {})",
                self.shape()
            );
        }
        self.part(at, position as usize, 1)?.reshape(self.shape().without(at)?)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["index 3", "size 3", "[2, 3]"], || values(1, [2, 3]).select(1, 3)),
            Refusal::new(&["index -4", "size 3"], || values(1, [2, 3]).select(1, -4)),
            Refusal::new(&["dimension -3"], || values(1, [2, 3]).select(-3, 0)),
            Refusal::new(&["0-d"], || values(1, []).select(0, 0)),
        ]
    },
    bench: &[(&[&[500, 256]], |x| (0..500).map(|i| x[0].select(0, i)).collect())],
    ..Row::new("select", "torch.select", || {
        vec![
            Sample::new("first", [values(1, [3, 2])], |x| x[0].select(0, 1)),
            Sample::new("middle", [values(1, [2, 3, 2])], |x| x[0].select(1, -1)),
            Sample::new("element", [values(1, [3])], |x| x[0].select(0, 2)),
            Sample::new("of size 1", [values(1, [1, 3])], |x| x[0].select(0, 0)),
        ]
    })
};
