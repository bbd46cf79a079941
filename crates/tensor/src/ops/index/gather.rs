//! Gather: elements by number.

use chainrule_kernels::index;

use crate::autograd::{Backward, Context, Parts, Save, are_few, record};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail, dispatch};

struct GatherBackward {
    dim: usize,
    input: Shape,
}

impl Backward for GatherBackward {
    fn name(&self) -> &'static str {
        "gather"
    }

    // An element that was taken several times gets the sum.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let zeros = Tensor::full(&self.input, 0.0, ctx.grad()?.dtype())?;
        Ok(vec![Some(zeros.scatter_add(self.dim as isize, ctx.saved(0)?, ctx.grad()?)?)])
    }

    fn partial(&self, ctx: &Context<'_>) -> Result<Option<Parts>> {
        let (grad, index) = (ctx.grad()?, ctx.saved(0)?);
        if index.numel() == 0 || !are_few(grad.numel(), self.input.numel()) {
            return Ok(None);
        }
        let mut numbers = Shape::from([index.numel()]).allocate::<i64>("gather")?;
        index::numbers(&self.input, self.dim, index.as_slice()?, index.shape(), &mut numbers);
        let numbers = Tensor::from_parts(numbers, [index.numel()].into());
        Parts::rows(&self.input, &numbers, 1, grad).map(Some)
    }
}

impl Tensor {
    /// For each index the element that it names along a dimension, at the index's own place in the others:
    /// `y[i][j] = x[index[i][j]][j]` for dimension 0 (PyTorch: `torch.gather`).
    ///
    /// `index` is `i64` with as many dimensions as this tensor, and outside `dim` not larger. The result has
    /// its shape.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// let y = x.gather(1, &Tensor::new([[0, 0], [1, 0]]))?;
    /// assert_eq!(y.to_vec::<f32>()?, [1.0, 1.0, 4.0, 3.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `dim` or an index is out of range (negative ones are), and when the shape or dtype of `index` does
    /// not fit.
    #[track_caller]
    pub fn gather(&self, dim: isize, index: &Tensor) -> Result<Tensor> {
        let at = dim_index("gather", dim, self.rank())?;
        if self.rank() == 0 || index.rank() == 0 {
            // A 0-d tensor counts as a vector of one element.
            let [x, flat] = [self, index].map(|t| if t.rank() == 0 { t.unsqueeze(0) } else { Ok(t.clone()) });
            return x?.gather(dim, &flat?)?.reshape(index.shape());
        }
        if index.numel() > 0 && !fits(index.shape(), self.shape(), Some(at)) {
            bail!(
                Shape,
                "gather",
                "indices of shape {} do not fit shape {} along dimension {dim}: in the others they must not be larger",
                index.shape(),
                self.shape()
            );
        }
        let index = index.checked_indices("gather", dim, self.shape()[at])?;
        let x = self.detach().contiguous()?;
        let out = dispatch!(self.dtype(), T => {
            let mut out = index.shape().allocate::<T>("gather")?;
            if index.numel() > 0 {
                index::gather(x.as_slice::<T>()?, x.shape(), at, index.as_slice()?, index.shape(), &mut out);
            }
            Tensor::from_parts(out, index.shape().clone())
        });
        let operation = GatherBackward { dim: at, input: self.shape().clone() };
        record(operation, &[self], &[Save::Value(&index)], out)
    }
}

/// Whether a shape is not larger than another, in any dimension but one.
pub(super) fn fits(index: &Shape, within: &Shape, except: Option<usize>) -> bool {
    index.len() == within.len()
        && index.iter().zip(within.iter()).enumerate().all(|(dim, (n, m))| n <= m || Some(dim) == except)
}

pub(super) const ROW: Row = Row {
    errors: || {
        let x = || values(1, [2, 3]);
        vec![
            Refusal::new(&["index 3", "size 3"], move || x().gather(1, &Tensor::new([[0], [3]]))),
            Refusal::new(&["index -1", "size 3"], move || x().gather(1, &Tensor::new([[-1]]))),
            Refusal::new(&["[3, 1]", "[2, 3]"], move || x().gather(1, &Tensor::new([[0], [0], [0]]))),
            Refusal::new(&["[1]", "[2, 3]"], move || x().gather(1, &Tensor::new([0]))),
            Refusal::new(&["bool"], move || x().gather(1, &Tensor::new([[true]]))),
        ]
    },
    bench: &[(&[&[1000, 1000]], |x| {
        let index = Tensor::arange(1000)?.expand([1000, 1000])?;
        Ok(vec![x[0].gather(0, &index)?])
    })],
    ..Row::new("gather", "torch.gather", || {
        vec![
            Sample::new("last", [values(1, [2, 3])], |x| x[0].gather(1, &Tensor::new([[0, 2], [1, 1]]))),
            Sample::new("first", [values(1, [3, 2])], |x| x[0].gather(0, &Tensor::new([[2, 0]]))),
            Sample::new("middle", [values(1, [2, 3, 2])], |x| {
                x[0].gather(1, &Tensor::new([[[2, 0], [0, 1]], [[1, 1], [2, 2]]]))
            }),
            Sample::new("smaller", [values(1, [2, 3])], |x| x[0].gather(1, &Tensor::new([[2, 2, 0, 1]]))),
            Sample::new("0-d", [values(1, [])], |x| x[0].gather(0, &Tensor::new([0, 0]))),
        ]
    })
};
