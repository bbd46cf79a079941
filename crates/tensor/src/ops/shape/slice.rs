//! Slice.

use std::ops::{Bound, RangeBounds};

use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail};

impl Tensor {
    /// A range of one dimension with Python's rules: negative indices count from the end, and what lies
    /// beyond the ends is cut off. A view (PyTorch: `x[..., a:b, ...]`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([0.0, 1.0, 2.0, 3.0]);
    /// assert_eq!(x.slice(0, 1..3)?.to_vec::<f32>()?, [1.0, 2.0]);
    /// assert_eq!(x.slice(0, ..-1)?.to_vec::<f32>()?, [0.0, 1.0, 2.0]);
    /// assert_eq!(x.slice(0, -2..100)?.to_vec::<f32>()?, [2.0, 3.0]);
    /// assert_eq!(x.slice(0, 3..1)?.shape(), &[0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For a 0-d tensor, and when `dim` is out of range.
    #[track_caller]
    pub fn slice(&self, dim: isize, range: impl RangeBounds<isize>) -> Result<Tensor> {
        let dim = dim_index("slice", dim, self.rank())?;
        if self.rank() == 0 {
            bail!(Shape, "slice", "a 0-d tensor has no dimension to take a part of");
        }
        let size = self.shape()[dim];
        // The position of index i plus `more`, which may step over the end.
        let position = |i: isize, more: isize| {
            let from_front = if i < 0 { i.saturating_add(size as isize) } else { i };
            from_front.saturating_add(more).clamp(0, size as isize) as usize
        };
        let start = match range.start_bound() {
            Bound::Included(&i) => position(i, 0),
            Bound::Excluded(&i) => position(i, 1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&i) => position(i, 1),
            Bound::Excluded(&i) => position(i, 0),
            Bound::Unbounded => size,
        };
        self.part(dim, start, end.saturating_sub(start))
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["dimension 1"], || values(1, [3]).slice(1, ..)),
            Refusal::new(&["0-d"], || values(1, []).slice(0, ..)),
        ]
    },
    ..Row::new("slice", "torch.Tensor.__getitem__", || {
        vec![
            Sample::new("range", [values(1, [2, 4])], |x| x[0].slice(1, 1..3)),
            Sample::new("from the end", [values(1, [2, 4])], |x| x[0].slice(-1, -3..-1)),
            Sample::new("closed", [values(1, [4, 2])], |x| x[0].slice(0, ..=-2)),
            Sample::new("cut off", [values(1, [4])], |x| x[0].slice(0, -9..3)),
            Sample::new("everything", [values(1, [3])], |x| x[0].slice(0, ..)),
        ]
    })
};
