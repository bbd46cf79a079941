//! Roll.

use crate::shape::{IntoDims, dim_index};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail};

impl Tensor {
    /// The elements moved on by `shifts` places along the given dimensions; those pushed out at the end come
    /// back at the start. Without dimensions the elements are moved in row-major order (PyTorch:
    /// `torch.roll`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.roll(1, 1)?.to_vec::<f32>()?, [3.0, 1.0, 2.0, 6.0, 4.0, 5.0]);
    /// assert_eq!(x.roll(1, [])?.to_vec::<f32>()?, [6.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Without shifts, when there are not as many shifts as dimensions, and when one of these is out of range, as
    /// every one is for a 0-d tensor.
    #[track_caller]
    pub fn roll(&self, shifts: impl IntoDims, dims: impl IntoDims) -> Result<Tensor> {
        let (shifts, dims) = (shifts.into_dims(), dims.into_dims());
        if dims.is_empty() && shifts.len() == 1 {
            return self.flatten(0, -1)?.roll(shifts, 0)?.reshape(self.shape());
        }
        if shifts.is_empty() {
            bail!(Value, "roll", "no shifts are given");
        }
        if self.rank() == 0 && !dims.is_empty() {
            bail!(Index, "roll", "a 0-d tensor has no dimension {}", dims[0]);
        }
        if shifts.len() != dims.len() {
            bail!(Shape, "roll", "shifts {shifts:?} and dimensions {dims:?} do not have the same length");
        }
        let mut x = self.clone();
        for (shift, dim) in shifts.into_iter().zip(dims) {
            let dim = dim_index("roll", dim, self.rank())?;
            let Some(&n) = self.shape().get(dim).filter(|&&n| n > 0) else { continue };
            let first = (n - shift.rem_euclid(n as isize) as usize) % n;
            if first > 0 {
                x = Tensor::cat(&[x.part(dim, first, n - first)?, x.part(dim, 0, first)?], dim as isize)?;
            }
        }
        Ok(x)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[1, 2]", "[0]"], || values(1, [2, 3]).roll([1, 2], [0])),
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).roll(1, 2)),
            Refusal::new(&["no shifts"], || values(1, [2, 3]).roll([], [])),
            Refusal::new(&["0-d", "dimension 0"], || values(1, []).roll(1, 0)),
        ]
    },
    ..Row::new("roll", "torch.roll", || {
        vec![
            Sample::new("one", [values(1, [2, 3])], |x| x[0].roll(-1, 1)),
            Sample::new("two", [values(1, [2, 3])], |x| x[0].roll([1, 5], [0, -1])),
            Sample::new("flat", [values(1, [2, 3])], |x| x[0].roll(2, [])),
        ]
    })
};
