//! Repeat.

use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail};

impl Tensor {
    /// Copies of the tensor, `repeats[k]` of them side by side along dimension k; where there are more
    /// numbers than dimensions, new dimensions come in front (PyTorch: `Tensor.repeat`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([1.0, 2.0]);
    /// assert_eq!(x.repeat([2])?.to_vec::<f32>()?, [1.0, 2.0, 1.0, 2.0]);
    /// assert_eq!(x.repeat([3, 2])?.shape(), &[3, 4]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there are fewer numbers than dimensions.
    #[track_caller]
    pub fn repeat(&self, repeats: impl AsRef<[usize]>) -> Result<Tensor> {
        let repeats = repeats.as_ref();
        let Some(missing) = repeats.len().checked_sub(self.rank()) else {
            bail!(Shape, "repeat", "{repeats:?} has fewer numbers than shape {} dimensions", self.shape());
        };
        let own = |dim: usize| dim.checked_sub(missing).map_or(1, |d| self.shape()[d]);
        let sizes = || repeats.iter().enumerate().map(|(dim, &times)| (times, own(dim)));
        let shape: Shape = sizes().map(|(times, n)| times.saturating_mul(n)).collect();
        shape.checked_numel("repeat")?;
        // Each dimension as [repeats, size], of which the first is expanded from 1.
        let apart: Shape = sizes().flat_map(|(_, n)| [1, n]).collect();
        let expanded: Shape = sizes().flat_map(|(times, n)| [times, n]).collect();
        self.reshape(apart)?.expand(expanded)?.reshape(shape)
    }
}

pub(super) const ROW: Row = Row {
    errors: || vec![Refusal::new(&["[3]", "[2, 3]"], || values(1, [2, 3]).repeat([3]))],
    ..Row::new("repeat", "torch.Tensor.repeat", || {
        vec![
            Sample::new("each dimension", [values(1, [2, 3])], |x| x[0].repeat([2, 2])),
            Sample::new("new dimension", [values(1, [3])], |x| x[0].repeat([2, 2])),
            Sample::new("once", [values(1, [3])], |x| x[0].repeat([1])),
        ]
    })
};
