//! Index select: rows by number.

use chainrule_kernels::index;

use super::index_add::sum_slices;
use crate::autograd::{Backward, Context, Parts, Save, are_few, record};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail, dispatch};

struct IndexSelectBackward {
    dim: usize,
    input: Shape,
}

impl Backward for IndexSelectBackward {
    fn name(&self) -> &'static str {
        "index_select"
    }

    // A slice that was taken several times gets the sum.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(sum_slices(&self.input, self.dim, ctx.saved(0)?, ctx.grad()?)?)])
    }

    fn partial(&self, ctx: &Context<'_>) -> Result<Option<Parts>> {
        let (grad, [outer, n, width]) = (ctx.grad()?, self.input.around(self.dim));
        if !are_few(grad.numel(), self.input.numel()) {
            return Ok(None);
        }
        let mut rows = ctx.saved(0)?.reshape([-1])?;
        if outer > 1 {
            let planes = Tensor::arange(outer)?.mul(n as i64)?.unsqueeze(1)?;
            rows = planes.add(&rows)?.reshape([-1])?;
        }
        Parts::rows(&self.input, &rows, width, grad).map(Some)
    }
}

impl Tensor {
    /// The slices of a dimension that a vector of `i64` indices names, in its order; an index may occur more
    /// than once (PyTorch: `torch.index_select`). With dimension 0 of a matrix this looks up rows, as an
    /// embedding does.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// let y = x.index_select(0, &Tensor::new([1, 0, 1]))?;
    /// assert_eq!(y.to_vec::<f32>()?, [3.0, 4.0, 1.0, 2.0, 3.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `dim` or an index is out of range (negative ones are), and when `index` has more than one
    /// dimension or another dtype.
    #[track_caller]
    pub fn index_select(&self, dim: isize, index: &Tensor) -> Result<Tensor> {
        let at = dim_index("index_select", dim, self.rank())?;
        if index.rank() > 1 {
            bail!(Shape, "index_select", "the indices are a vector, not of shape {}", index.shape());
        }
        let Some(&size) = self.shape().get(at) else {
            if index.numel() != 1 {
                bail!(Shape, "index_select", "a 0-d tensor takes one index, not {}", index.numel());
            }
            return self.reshape([1usize])?.index_select(0, index)?.reshape([]);
        };
        let index = index.checked_indices("index_select", dim, size)?;
        let out = self.detach().slices(at, &index)?;
        let operation = IndexSelectBackward { dim: at, input: self.shape().clone() };
        record(operation, &[self], &[Save::Value(&index)], out)
    }
}

/// What a slice costs that is taken for itself, in elements of a copy.
const SLICE: usize = 512;

impl Tensor {
    /// The slices of a dimension that are named, outside any graph.
    #[track_caller]
    fn slices(&self, dim: usize, index: &Tensor) -> Result<Tensor> {
        let shape = self.shape().with_size(dim, index.numel());
        // Where the elements are not in order and only a few are asked for, the others are not brought in order.
        if !self.is_contiguous()
            && shape.numel() > 0
            && are_few(shape.numel().saturating_add(SLICE * index.numel()), self.numel())
        {
            let mut slices = Vec::with_capacity(index.numel());
            for &at in index.as_slice::<i64>()? {
                slices.push(self.part(dim, at as usize, 1)?);
            }
            return Tensor::cat(&slices, dim as isize);
        }
        let x = self.contiguous()?;
        dispatch!(self.dtype(), T => {
            let mut out = shape.allocate::<T>("index_select")?;
            index::index_select(x.as_slice::<T>()?, x.shape().around(dim), index.as_slice()?, &mut out);
            Ok(Tensor::from_parts(out, shape))
        })
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        let x = || values(1, [2, 3]);
        vec![
            Refusal::new(&["index 3", "size 3"], move || x().index_select(1, &Tensor::new([0, 3]))),
            Refusal::new(&["index -1", "size 2"], move || x().index_select(0, &Tensor::new([-1]))),
            Refusal::new(&["[1, 1]"], move || x().index_select(0, &Tensor::new([[0]]))),
            Refusal::new(&["float32"], move || x().index_select(0, &Tensor::new([0.0]))),
            Refusal::new(&["dimension 2"], move || x().index_select(2, &Tensor::new([0]))),
        ]
    },
    bench: &[(&[&[10_000, 128]], |x| {
        let index = Tensor::arange(4096)?;
        Ok(vec![x[0].index_select(0, &index)?])
    })],
    ..Row::new("index_select", "torch.index_select", || {
        vec![
            Sample::new("rows", [values(1, [3, 2])], |x| x[0].index_select(0, &Tensor::new([2, 0, 2]))),
            Sample::new("columns", [values(1, [2, 3])], |x| x[0].index_select(-1, &Tensor::new([1, 1]))),
            Sample::new("middle", [values(1, [2, 3, 2])], |x| x[0].index_select(1, &Tensor::new([2, 0]))),
            Sample::new("one", [values(1, [2, 3])], |x| x[0].index_select(0, &Tensor::new([1]).squeeze()?)),
            Sample::new("0-d", [values(1, [])], |x| x[0].index_select(0, &Tensor::new([0]))),
        ]
    })
};
