//! The smallest values.

use super::amax::extreme_values;
use crate::shape::IntoDims;
use crate::table::{Refusal, Row, Sample, distinct, values};
use crate::{Result, Tensor};

impl Tensor {
    /// The smallest values over one or several dimensions (none given: over all), which disappear or, with
    /// `keepdim`, stay with size 1; NaN where there is one (PyTorch: `torch.amin`). Equal smallest values share
    /// the gradient evenly; [`min_dim`](Tensor::min_dim) gives all of it to the first.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 5.0], [3.0, 4.0]]);
    /// assert_eq!(x.amin(1, false)?.to_vec::<f32>()?, [1.0, 3.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a dimension is out of range or named twice, and when there is no element to choose.
    #[track_caller]
    pub fn amin(&self, dim: impl IntoDims, keepdim: bool) -> Result<Tensor> {
        extreme_values("amin", self, false, dim.into_dims(), keepdim)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).amin(2, false)),
            Refusal::new(&["[0, 3]"], || values(1, [0, 3]).amin(0, false)),
        ]
    },
    bench: &[
        (&[&[4_000_000]], |x| Ok(vec![x[0].amin(0, false)?])),
        (&[&[4096, 1024]], |x| Ok(vec![x[0].amin(0, false)?])),
    ],
    ..Row::new("amin", "torch.amin", || {
        vec![
            Sample::new("all", [distinct(1, [2, 3])], |x| x[0].amin([0, 1], false)),
            Sample::new("middle, kept", [distinct(1, [2, 3, 2])], |x| x[0].amin(1, true)),
            Sample::new("outer and inner", [distinct(1, [2, 3, 2])], |x| x[0].amin([0, -1], false)),
        ]
    })
};
