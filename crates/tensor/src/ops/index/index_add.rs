//! Index add: sums into rows by number.

use chainrule_kernels::index;

use crate::allocate::InOperation;
use crate::autograd::{Backward, Context, Save, record};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail, dispatch};

struct IndexAddBackward {
    dim: usize,
}

impl Backward for IndexAddBackward {
    fn name(&self) -> &'static str {
        "index_add"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let g = ctx.grad()?;
        let source = ctx.when_needed(1, || g.index_select(self.dim as isize, ctx.saved(0)?))?;
        Ok(vec![Some(g.clone()), source])
    }
}

impl Tensor {
    /// This tensor with the slices of `source` added to the slices of a dimension that a vector of `i64`
    /// indices names; what an index names several times gets the sum (PyTorch: `torch.index_add`).
    ///
    /// `source` has the shape of this tensor, but as many slices in that dimension as there are indices.
    /// Additions happen in the order of the indices.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::zeros([3])?;
    /// let y = x.index_add(0, &Tensor::new([2, 0, 2]), &Tensor::new([1.0, 2.0, 3.0]))?;
    /// assert_eq!(y.to_vec::<f32>()?, [2.0, 0.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `dim` or an index is out of range (negative ones are), when shapes or dtypes do not fit, and when
    /// `index` has more than one dimension or another dtype.
    #[track_caller]
    pub fn index_add(&self, dim: isize, index: &Tensor, source: &Tensor) -> Result<Tensor> {
        let at = dim_index("index_add", dim, self.rank())?;
        if source.dtype() != self.dtype() {
            bail!(DType, "index_add", "the tensor holds {}, the source {}", self.dtype(), source.dtype());
        }
        let Some(&size) = self.shape().get(at) else {
            let x = self.reshape([1usize])?.index_add(0, index, &source.reshape([-1])?)?;
            return x.reshape([]);
        };
        if index.rank() > 1 || *source.shape() != self.shape().with_size(at, index.numel())? {
            bail!(
                Shape,
                "index_add",
                "a source of shape {} and indices of shape {} do not fit shape {} along dimension {dim}",
                source.shape(),
                index.shape(),
                self.shape()
            );
        }
        let index = index.checked_indices("index_add", dim, size)?;
        let (x, added) = (self.detach().contiguous()?, source.detach().contiguous()?);
        let out = dispatch!(self.dtype(), T => {
            let mut out = self.shape().allocate::<T>("index_add")?;
            let dims = x.shape().around(at)?;
            index::index_add(Some(x.as_slice::<T>()?), &mut out, dims, index.as_slice()?, added.as_slice()?).in_operation("index_add")?;
            Tensor::from_parts(out, self.shape().clone())
        });
        record(IndexAddBackward { dim: at }, &[self, source], &[Save::Value(&index)], out)
    }
}

struct SumSlicesBackward {
    dim: usize,
}

impl Backward for SumSlicesBackward {
    fn name(&self) -> &'static str {
        "sum_slices"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.index_select(self.dim as isize, ctx.saved(0)?)?)])
    }
}

/// [`Tensor::index_add`] to zeros of a shape, without first writing the zeros. What it is given has been checked.
pub(super) fn sum_slices(shape: &Shape, dim: usize, index: &Tensor, source: &Tensor) -> Result<Tensor> {
    let added = source.detach().contiguous()?;
    let out = dispatch!(source.dtype(), T => {
        let mut out = shape.allocate::<T>("index_add")?;
        index::index_add(None, &mut out, shape.around(dim)?, index.as_slice()?, added.as_slice::<T>()?).in_operation("index_add")?;
        Tensor::from_parts(out, shape.clone())
    });
    record(SumSlicesBackward { dim }, &[source], &[Save::Value(index)], out)
}

pub(super) const ROW: Row = Row {
    errors: || {
        let (x, row) = (|| values(1, [2, 3]), || values(2, [1, 3]));
        vec![
            Refusal::new(&["index 2", "size 2"], move || x().index_add(0, &Tensor::new([2]), &row())),
            Refusal::new(&["index -1", "size 2"], move || x().index_add(0, &Tensor::new([-1]), &row())),
            Refusal::new(&["[1, 3]", "[2]", "[2, 3]"], move || {
                x().index_add(0, &Tensor::new([0, 1]), &row())
            }),
            Refusal::new(&["float64", "float32"], move || {
                x().index_add(0, &Tensor::new([0]), &Tensor::new([[1.0, 2.0, 3.0]]))
            }),
        ]
    },
    ..Row::new("index_add", "torch.index_add", || {
        vec![
            Sample::new("rows", [values(1, [3, 2]), values(2, [3, 2])], |x| {
                x[0].index_add(0, &Tensor::new([2, 0, 2]), &x[1])
            }),
            Sample::new("columns", [values(1, [2, 3]), values(2, [2, 2])], |x| {
                x[0].index_add(-1, &Tensor::new([1, 1]), &x[1])
            }),
            Sample::new("0-d", [values(1, []), values(2, [])], |x| {
                x[0].index_add(0, &Tensor::new([0]), &x[1])
            }),
        ]
    })
};
