//! Expand.

use crate::autograd::{Backward, Context, record};
use crate::shape::IntoSizes;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail};

struct ExpandBackward;

impl Backward for ExpandBackward {
    fn name(&self) -> &'static str {
        "expand"
    }

    // The engine sums over what was repeated.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.clone())])
    }
}

impl Tensor {
    /// Dimensions of size 1 repeated, and new ones added in front, without a copy; -1 keeps a size
    /// (PyTorch: `Tensor.expand`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0], [2.0]]).expand([-1, 3])?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a size other than 1 would change.
    #[track_caller]
    pub fn expand(&self, shape: impl IntoSizes) -> Result<Tensor> {
        let sizes = shape.into_sizes();
        let unfit = || format!("a tensor of shape {} cannot be expanded to {sizes:?}", self.shape());
        let Some(missing) = sizes.len().checked_sub(self.rank()) else { bail!(Shape, "expand", "{}", unfit()) };
        let mut shape = Vec::with_capacity(sizes.len());
        for (dim, &size) in sizes.iter().enumerate() {
            let own = dim.checked_sub(missing).map(|d| self.shape()[d]);
            shape.push(match (size, own) {
                (-1, Some(own)) => own,
                (n, Some(own)) if n >= 0 && (own == 1 || own == n as usize) => n as usize,
                (n, None) if n >= 0 => n as usize,
                _ => bail!(Shape, "expand", "{}: dimension {dim} does not fit", unfit()),
            });
        }
        let shape = Shape::from(shape);
        shape.checked_numel("expand")?;
        if shape == *self.shape() {
            return Ok(self.clone());
        }
        let strides = self.broadcast_strides(&shape);
        let view = self.view_as(shape, strides, self.layout().offset());
        record(ExpandBackward, &[self], &[], view)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[2, 3]", "[3, 3]"], || values(1, [2, 3]).expand([3, 3])),
            Refusal::new(&["[2, 3]", "[3]"], || values(1, [2, 3]).expand([3])),
        ]
    },
    ..Row::new("expand", "torch.Tensor.expand", || {
        vec![
            Sample::new("size 1", [values(1, [2, 1])], |x| x[0].expand([2, 3])),
            Sample::new("new dimension", [values(1, [3])], |x| x[0].expand([2, -1])),
        ]
    })
};
