//! Index select: rows by number.

use chainrule_kernels::index;

use super::index_add::sum_slices;
use crate::autograd::{Backward, Context, Save, record};
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
        let shape = self.shape().resized(at, index.numel());
        let x = self.detach().contiguous()?;
        let out = dispatch!(self.dtype(), T => {
            let mut out = shape.allocate::<T>("index_select")?;
            index::index_select(x.as_slice::<T>()?, x.shape().parts_around(at), index.as_slice()?, &mut out);
            Tensor::from_parts(out, shape)
        });
        let operation = IndexSelectBackward { dim: at, input: self.shape().clone() };
        record(operation, &[self], &[Save::Value(&index)], out)
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
