//! The smallest value, and where it stands.

use super::amax::extreme_values;
use super::max::extremum;
use crate::table::{Kink, Refusal, Row, Sample, distinct, values};
use crate::{Result, Tensor};

impl Tensor {
    /// The smallest of all elements, a 0-d tensor; NaN where there is one (PyTorch: `torch.min`). Equal smallest
    /// elements share the gradient evenly.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([[1.0, 5.0], [3.0, 4.0]]).min()?.item()?, 1.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no element.
    #[track_caller]
    pub fn min(&self) -> Result<Tensor> {
        extreme_values("min", self, false, Vec::new(), false)
    }

    /// The smallest values over a dimension and their indices there, of `i64`: the first of equal values, and the
    /// first NaN where there is one (PyTorch: `torch.min(dim)`). The dimension disappears or, with `keepdim`,
    /// stays with size 1. The gradient goes to the element at the index.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let (values, indices) = Tensor::new([[1.0, 5.0], [3.0, 3.0]]).min_dim(1, false)?;
    /// assert_eq!(values.to_vec::<f32>()?, [1.0, 3.0]);
    /// assert_eq!(indices.to_vec::<i64>()?, [0, 0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the dimension is out of range, and when there is no element to choose.
    #[track_caller]
    pub fn min_dim(&self, dim: isize, keepdim: bool) -> Result<(Tensor, Tensor)> {
        extremum("min_dim", self, false, dim, keepdim)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || {
        let with_itself = |x: &Tensor| x.expand([4])?.min();
        vec![Kink { at: 0.5, call: with_itself, derivative: 1.0 }]
    },
    errors: || {
        vec![
            Refusal::new(&["min_dim: ", "dimension 2"], || Ok(values(1, [2, 3]).min_dim(2, false)?.0)),
            Refusal::new(&["[2, 0]"], || Ok(values(1, [2, 0]).min_dim(1, false)?.0)),
            Refusal::new(&["[0]"], || values(1, [0]).min()),
        ]
    },
    bench: &[
        (&[&[4096, 1024]], |x| Ok(vec![x[0].min_dim(1, false)?.0])),
        (&[&[4096, 1024]], |x| Ok(vec![x[0].min_dim(0, false)?.0])),
    ],
    ..Row::new("min", "torch.min", || {
        let both = |(values, indices)| vec![values, indices];
        vec![
            Sample::new("all", [distinct(1, [2, 3])], |x| x[0].min()),
            Sample::many("last", [distinct(1, [2, 3])], move |x| Ok(both(x[0].min_dim(-1, false)?))),
            Sample::many("first, kept", [distinct(1, [2, 3, 2])], move |x| Ok(both(x[0].min_dim(0, true)?))),
            Sample::many("0-d", [distinct(1, [])], move |x| Ok(both(x[0].min_dim(0, false)?))),
        ]
    })
};
