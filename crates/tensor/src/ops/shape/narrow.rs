//! Narrow.

use crate::autograd::{Backward, Context, Parts, are_few, record};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail};

/// A part of each dimension.
struct CropBackward {
    /// The index of the first element that is kept.
    start: Shape,
    input: Shape,
}

impl Backward for CropBackward {
    fn name(&self) -> &'static str {
        "narrow"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.surround(&self.start, 0.0, &self.input)?)])
    }

    fn partial(&self, ctx: &Context<'_>) -> Result<Option<Parts>> {
        if let Some(parts) = ctx.parts() {
            return parts.within(&self.start, &self.input);
        }
        let grad = ctx.grad()?;
        if !are_few(grad.numel(), self.input.numel()) {
            return Ok(None);
        }
        let strides = self.input.contiguous_strides();
        let offset = self.start.iter().zip(strides.iter()).map(|(n, stride)| n * stride).sum();
        Ok(Some(Parts::view(&self.input, offset, strides, grad)))
    }

    fn takes_parts(&self) -> bool {
        true
    }
}

impl Tensor {
    /// `length` indices of one dimension, from `start`, which counts from the end where it is negative. A
    /// view (PyTorch: `torch.narrow`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// let y = x.narrow(1, 1, 2)?;
    /// assert_eq!(y.to_vec::<f32>()?, [2.0, 3.0, 5.0, 6.0]);
    /// assert!(y.shares_memory_with(&x));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For a 0-d tensor, and when the indices are out of range.
    #[track_caller]
    pub fn narrow(&self, dim: isize, start: isize, length: usize) -> Result<Tensor> {
        let index = dim_index("narrow", dim, self.rank())?;
        if self.rank() == 0 {
            bail!(Shape, "narrow", "a 0-d tensor has no dimension to take a part of");
        }
        let size = self.shape()[index];
        let first = if start < 0 { start + size as isize } else { start };
        if first < 0 || first as usize > size || length > size - first as usize {
            bail!(
                Index,
                "narrow",
                "{length} indices from {start} are out of range for dimension {dim} of size {size} (shape {})",
                self.shape()
            );
        }
        self.part(index, first as usize, length)
    }

    /// `length` indices of dimension `dim` from `start`, which are known to be there.
    #[track_caller]
    pub(crate) fn part(&self, dim: usize, start: usize, length: usize) -> Result<Tensor> {
        if length == self.shape()[dim] {
            return Ok(self.clone());
        }
        let origin = self.shape().iter().enumerate().map(|(d, _)| if d == dim { start } else { 0 });
        self.crop(&origin.collect(), &self.shape().with_size(dim, length)?)
    }

    /// The part of this shape whose first element has the index `start`.
    #[track_caller]
    pub(crate) fn crop(&self, start: &Shape, shape: &Shape) -> Result<Tensor> {
        let view = self.cropped_view(start, shape);
        record(CropBackward { start: start.clone(), input: self.shape().clone() }, &[self], &[], view)
    }

    /// As [`crop`](Tensor::crop), outside any graph.
    pub(crate) fn cropped_view(&self, start: &Shape, shape: &Shape) -> Tensor {
        let skipped: usize = start.iter().zip(self.strides()).map(|(&n, &stride)| n * stride).sum();
        // An empty view may start where the memory ends, but not beyond.
        let offset = if shape.numel() == 0 { self.layout().offset() } else { self.layout().offset() + skipped };
        self.view_as(shape.clone(), self.layout().strides().clone(), offset)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["2 indices from 2", "size 3", "[2, 3]"], || values(1, [2, 3]).narrow(1, 2, 2)),
            Refusal::new(&["from -4", "size 3"], || values(1, [2, 3]).narrow(1, -4, 1)),
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).narrow(2, 0, 1)),
            Refusal::new(&["0-d"], || values(1, []).narrow(0, 0, 1)),
        ]
    },
    ..Row::new("narrow", "torch.narrow", || {
        vec![
            Sample::new("first", [values(1, [3, 2])], |x| x[0].narrow(0, 1, 2)),
            Sample::new("middle", [values(1, [2, 4, 2])], |x| x[0].narrow(1, 1, 2)),
            Sample::new("last, from the end", [values(1, [2, 3])], |x| x[0].narrow(-1, -2, 1)),
            Sample::new("of a transpose", [values(1, [2, 3])], |x| x[0].t()?.narrow(0, 1, 2)),
            Sample::new("everything", [values(1, [3])], |x| x[0].narrow(0, 0, 3)),
        ]
    })
};
