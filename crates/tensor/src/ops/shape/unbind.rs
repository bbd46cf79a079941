//! Unbind.

use super::split::{all_grads, cat_in_order, few_pieces};
use crate::allocate::try_list;
use crate::autograd::{Backward, Context, Parts, record_many};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail};

struct UnbindBackward {
    dim: usize,
    input: Shape,
    /// As of [`split`](Tensor::split).
    order: Vec<usize>,
}

impl Backward for UnbindBackward {
    fn name(&self) -> &'static str {
        "unbind"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let mut slices = all_grads(ctx, self.input[self.dim], |_, known| Ok(known.shape().clone()))?;
        for slice in &mut slices {
            *slice = slice.unsqueeze(self.dim as isize)?;
        }
        Ok(vec![Some(cat_in_order(&slices, self.dim, &self.order)?)])
    }

    fn partial(&self, ctx: &Context<'_>) -> Result<Option<Parts>> {
        few_pieces(ctx, self.dim, &self.input, 0..self.input[self.dim], |grad| {
            grad.unsqueeze(self.dim as isize)
        })
    }
}

impl Tensor {
    /// The slices at each index of one dimension, without it: what [`Tensor::stack`] puts together. Views
    /// (PyTorch: `torch.unbind`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let rows = Tensor::new([[1.0, 2.0], [3.0, 4.0]]).unbind(0)?;
    /// assert_eq!(rows[1].to_vec::<f32>()?, [3.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For a 0-d tensor, when `dim` is out of range, and when there is no memory for so many slices.
    #[track_caller]
    pub fn unbind(&self, dim: isize) -> Result<Vec<Tensor>> {
        let dim = dim_index("unbind", dim, self.rank())?;
        if self.rank() == 0 {
            bail!(Shape, "unbind", "a 0-d tensor has no dimension to take apart");
        }
        let (shape, strides) = (self.shape().without(dim)?, self.layout().strides().without(dim)?);
        let step = if self.numel() == 0 { 0 } else { self.strides()[dim] };
        let count = self.shape()[dim];
        let view = |i: usize| self.view_as(shape.clone(), strides.clone(), self.layout().offset() + i * step);
        let order = self.layout().memory_order();
        let input = self.shape().clone();
        let mut views = try_list("unbind", count)?;
        views.extend((0..count).map(view));
        record_many(UnbindBackward { dim, input, order }, &[self], &[], views)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["dimension 2"], || Ok(values(1, [2, 3]).unbind(2)?.remove(0))),
            Refusal::new(&["0-d"], || Ok(values(1, []).unbind(0)?.remove(0))),
        ]
    },
    ..Row::new("unbind", "torch.unbind", || {
        vec![
            Sample::many("first", [values(1, [3, 2])], |x| x[0].unbind(0)),
            Sample::many("last", [values(1, [2, 2, 2])], |x| x[0].unbind(-1)),
            Sample::many("one of them", [values(1, [3, 2])], |x| {
                Ok(x[0].unbind(0)?.into_iter().skip(1).take(1).collect())
            }),
            Sample::many("elements", [values(1, [3])], |x| x[0].unbind(0)),
            Sample::many("permuted", [values(1, [2, 3, 4])], |x| x[0].permute([1, 2, 0])?.unbind(0)),
        ]
    })
};
