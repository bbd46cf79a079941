//! Scatter-add: sums into elements by number.

use chainrule_kernels::index;

use super::gather::fits;
use crate::autograd::{Backward, Context, Save, record};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail, dispatch};

struct ScatterAddBackward {
    dim: usize,
}

impl Backward for ScatterAddBackward {
    fn name(&self) -> &'static str {
        "scatter_add"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let g = ctx.grad()?;
        let source = ctx.when_needed(1, || g.gather(self.dim as isize, ctx.saved(0)?))?;
        Ok(vec![Some(g.clone()), source])
    }
}

impl Tensor {
    /// This tensor with each element of `src` added to the element that its index names along a dimension:
    /// `y[index[i][j]][j] += src[i][j]` for dimension 0 (PyTorch: `torch.scatter_add`).
    ///
    /// `index` is `i64` with as many dimensions as this tensor and `src`; it is not larger than `src` and,
    /// outside `dim`, than this tensor. Additions happen in the order of the indices.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::zeros([3])?;
    /// let y = x.scatter_add(0, &Tensor::new([2, 0, 2]), &Tensor::new([1.0, 2.0, 3.0]))?;
    /// assert_eq!(y.to_vec::<f32>()?, [2.0, 0.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `dim` or an index is out of range (negative ones are), and when shapes or dtypes do not fit.
    #[track_caller]
    pub fn scatter_add(&self, dim: isize, index: &Tensor, src: &Tensor) -> Result<Tensor> {
        let at = dim_index("scatter_add", dim, self.rank())?;
        if src.dtype() != self.dtype() {
            bail!(DType, "scatter_add", "the tensor holds {}, src {}", self.dtype(), src.dtype());
        }
        if self.rank() == 0 || index.rank() == 0 || src.rank() == 0 {
            // A 0-d tensor counts as a vector of one element.
            let [x, flat, added] =
                [self, index, src].map(|t| if t.rank() == 0 { t.unsqueeze(0) } else { Ok(t.clone()) });
            return x?.scatter_add(dim, &flat?, &added?)?.reshape(self.shape());
        }
        if index.numel() == 0 {
            return Ok(self.clone());
        }
        if !fits(index.shape(), self.shape(), Some(at)) || !fits(index.shape(), src.shape(), None) {
            bail!(
                Shape,
                "scatter_add",
                "indices of shape {} do not fit shape {} along dimension {dim} and src of shape {}: they must not be larger",
                index.shape(),
                self.shape(),
                src.shape()
            );
        }
        let index = index.checked_indices("scatter_add", dim, self.shape()[at])?;
        let used = match src.shape() == index.shape() {
            true => src.clone(),
            false => src.crop(&vec![0; src.rank()].into(), index.shape())?,
        };
        let (x, added) = (self.detach().contiguous()?, used.detach().contiguous()?);
        let out = dispatch!(self.dtype(), T => {
            let mut out = self.shape().allocate::<T>("scatter_add")?;
            out.copy_from_slice(x.as_slice::<T>()?);
            index::scatter_add(&mut out, x.shape(), at, index.as_slice()?, index.shape(), added.as_slice()?);
            Tensor::from_parts(out, self.shape().clone())
        });
        record(ScatterAddBackward { dim: at }, &[self, &used], &[Save::Value(&index)], out)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        let x = || values(1, [2, 3]);
        vec![
            Refusal::new(&["index 3", "size 3"], move || x().scatter_add(1, &Tensor::new([[0], [3]]), &x())),
            Refusal::new(&["index -1", "size 3"], move || x().scatter_add(1, &Tensor::new([[-1]]), &x())),
            Refusal::new(&["[1, 4]", "[2, 3]"], move || {
                x().scatter_add(1, &Tensor::new([[0, 0, 0, 0]]), &x())
            }),
            Refusal::new(&["float64", "float32"], move || {
                x().scatter_add(1, &Tensor::new([[0]]), &Tensor::new([[1.0]]))
            }),
        ]
    },
    ..Row::new("scatter_add", "torch.scatter_add", || {
        vec![
            Sample::new("last", [values(1, [2, 3]), values(2, [2, 2])], |x| {
                x[0].scatter_add(1, &Tensor::new([[0, 0], [1, 2]]), &x[1])
            }),
            Sample::new("first", [values(1, [3, 2]), values(2, [3, 2])], |x| {
                x[0].scatter_add(0, &Tensor::new([[2, 0], [2, 0], [1, 0]]), &x[1])
            }),
            Sample::new("smaller", [values(1, [2, 3]), values(2, [2, 3])], |x| {
                x[0].scatter_add(1, &Tensor::new([[2, 2]]), &x[1])
            }),
            Sample::new("0-d", [values(1, []), values(2, [2])], |x| {
                x[0].scatter_add(0, &Tensor::new([0, 0]), &x[1])
            }),
        ]
    })
};
