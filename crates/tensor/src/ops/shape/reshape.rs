//! Reshape.

use crate::autograd::{Backward, Context, Parts, record};
use crate::shape::IntoSizes;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail};

struct ReshapeBackward {
    input: Shape,
}

impl Backward for ReshapeBackward {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.reshape(&self.input)?)])
    }

    fn partial(&self, ctx: &Context<'_>) -> Result<Option<Parts>> {
        Ok(ctx.parts().map(|parts| parts.in_shape(&self.input)))
    }

    fn takes_parts(&self) -> bool {
        true
    }
}

impl Tensor {
    /// The same elements in the same order with other dimension sizes, of which one may be -1: it is worked
    /// out from the others. A view where the strides allow it, else a copy (PyTorch: `torch.reshape`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::arange(6)?.reshape([2, -1])?;
    /// assert_eq!(x.shape(), &[2, 3]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the sizes do not multiply to the number of elements.
    #[track_caller]
    pub fn reshape(&self, shape: impl IntoSizes) -> Result<Tensor> {
        let shape = self.resolve_sizes("reshape", &shape.into_sizes())?;
        if shape == *self.shape() {
            return Ok(self.clone());
        }
        let view = match self.view_strides(&shape) {
            Some(strides) => self.view_as(shape, strides, self.layout().offset()),
            None => self.detach().contiguous()?.in_shape(shape),
        };
        record(ReshapeBackward { input: self.shape().clone() }, &[self], &[], view)
    }

    /// The shape that sizes with at most one -1 stand for.
    #[track_caller]
    fn resolve_sizes(&self, operation: &str, sizes: &[isize]) -> Result<Shape> {
        let unfit = |why: &str| format!("{sizes:?} does not fit a tensor of shape {}: {why}", self.shape());
        if sizes.iter().any(|&n| n < -1) || sizes.iter().filter(|&&n| n == -1).count() > 1 {
            bail!(Shape, operation, "{}", unfit("sizes are not negative, except for one -1"));
        }
        let given = sizes.iter().filter(|&&n| n != -1).try_fold(1usize, |p, &n| p.checked_mul(n as usize));
        let numel = self.numel();
        let Some(given) = given else {
            bail!(Shape, operation, "{}", unfit("the sizes' product is too large"))
        };
        let free = sizes.contains(&-1);
        if free && given == 0 {
            bail!(Shape, operation, "{}", unfit("beside a size of 0 the -1 could be anything"));
        }
        if (!free && given != numel) || (free && !numel.is_multiple_of(given)) {
            bail!(Shape, operation, "{}", unfit(&format!("it has {numel} elements")));
        }
        let shape: Shape = sizes.iter().map(|&n| if n == -1 { numel / given } else { n as usize }).collect();
        // Where there are no elements, their number says nothing of the sizes beside the 0.
        shape.checked_numel(operation)?;
        Ok(shape)
    }

    /// The strides with which the same memory shows the elements in another shape, where that is possible.
    fn view_strides(&self, shape: &Shape) -> Option<Shape> {
        if self.is_contiguous() || self.numel() == 0 {
            return Some(shape.contiguous_strides());
        }
        // Runs of old dimensions that lie one after the other, as (elements, stride of the innermost).
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (&size, &stride) in self.shape().iter().zip(self.strides()).filter(|(size, _)| **size != 1) {
            match runs.last_mut() {
                Some((elements, inner)) if *inner == size * stride => {
                    *elements *= size;
                    *inner = stride;
                }
                _ => runs.push((size, stride)),
            }
        }
        // Each run must be covered by whole new dimensions.
        let mut strides = shape.clone();
        let mut dim = shape.len();
        for (elements, inner) in runs.into_iter().rev() {
            let mut covered = 1;
            while covered < elements {
                dim = dim.checked_sub(1)?;
                strides.sizes_mut()[dim] = inner * covered;
                covered *= shape[dim];
            }
            if covered != elements {
                return None;
            }
        }
        strides.sizes_mut()[..dim].fill(1);
        Some(strides)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[4, 2]", "[2, 3]"], || values(1, [2, 3]).reshape([4, 2])),
            Refusal::new(&["-1"], || values(1, [2, 3]).reshape([-1, -1])),
            Refusal::new(&["-2"], || values(1, [2, 3]).reshape([-2, 3])),
            Refusal::new(&["memory"], || values(1, [0]).reshape([0usize, 1 << 40, 1 << 40])),
            Refusal::new(&["-1"], || values(1, [0, 3]).reshape([-1, 0])),
        ]
    },
    ..Row::new("reshape", "torch.reshape", || {
        vec![
            Sample::new("view", [values(1, [2, 3])], |x| x[0].reshape([3, -1])),
            Sample::new("copy", [values(1, [2, 3])], |x| x[0].transpose(0, 1)?.reshape([6])),
            Sample::new("view of a slice", [values(1, [4, 2, 3])], |x| {
                x[0].permute([1, 0, 2])?.reshape([2, 2, 2, 3])
            }),
            Sample::new("0-d", [values(1, [1, 1])], |x| x[0].reshape([])),
        ]
    })
};
