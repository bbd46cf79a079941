//! Flip.

use crate::reduction::Reduced;
use crate::shape::{IntoDims, dim_index};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor};

impl Tensor {
    /// The elements in reverse order along each of the given dimensions, copied (PyTorch: `torch.flip`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.flip(1)?.to_vec::<f32>()?, [2.0, 1.0, 4.0, 3.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a dimension is out of range or named twice.
    #[track_caller]
    pub fn flip(&self, dims: impl IntoDims) -> Result<Tensor> {
        let dims = dims.into_dims();
        // Only for its checks.
        Reduced::new("flip", self.shape(), &dims)?;
        let mut x = self.clone();
        for dim in dims {
            let n = self.shape().get(dim_index("flip", dim, self.rank())?).map_or(1, |&n| n);
            let places = Tensor::build_for("flip", [n], |places: &mut [i64]| {
                places.iter_mut().rev().zip(0..).for_each(|(place, i)| *place = i);
            })?;
            x = x.index_select(dim, &places)?;
        }
        Ok(x)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["twice", "[0, -2]"], || values(1, [2, 3]).flip([0, -2])),
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).flip(2)),
        ]
    },
    ..Row::new("flip", "torch.flip", || {
        vec![
            Sample::new("last", [values(1, [2, 3])], |x| x[0].flip(-1)),
            Sample::new("two", [values(1, [2, 2, 3])], |x| x[0].flip([0, 2])),
            Sample::new("0-d", [values(1, [])], |x| x[0].flip(0)),
        ]
    })
};
