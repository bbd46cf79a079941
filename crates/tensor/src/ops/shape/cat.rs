//! Concatenation.

use std::borrow::Borrow;

use chainrule_kernels::blocks;

use crate::autograd::{Backward, Context, record};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Result, Shape, Tensor, bail, dispatch};

struct CatBackward {
    dim: usize,
    /// The inputs' sizes of that dimension; `None` for those that were passed over.
    sizes: Vec<Option<usize>>,
}

impl Backward for CatBackward {
    fn name(&self) -> &'static str {
        "cat"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let mut start = 0;
        let mut grads = Vec::with_capacity(self.sizes.len());
        for (i, &size) in self.sizes.iter().enumerate() {
            grads.push(ctx.when_needed(i, || match size {
                Some(size) => ctx.grad()?.part(self.dim, start, size),
                None => ctx.grad()?.part(self.dim, 0, 0)?.reshape([0]),
            })?);
            start += size.unwrap_or(0);
        }
        Ok(grads)
    }
}

impl Tensor {
    /// Tensors one after the other along a dimension; the other dimensions have equal sizes. Different dtypes
    /// are promoted to a common one, and tensors of shape `[0]` are passed over (PyTorch: `torch.cat`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let (a, b) = (Tensor::new([[1.0], [2.0]]), Tensor::new([[3.0], [4.0]]));
    /// assert_eq!(Tensor::cat(&[&a, &b], 1)?.to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For an empty list, for 0-d tensors, and when shapes differ in another dimension.
    #[track_caller]
    pub fn cat<T: Borrow<Tensor>>(tensors: &[T], dim: isize) -> Result<Tensor> {
        let Some(dtype) = tensors.iter().map(|t| t.borrow().dtype()).reduce(DType::promote) else {
            bail!(Value, "cat", "an empty list of tensors");
        };
        let mut parts = Vec::with_capacity(tensors.len());
        for (i, t) in tensors.iter().map(T::borrow).enumerate() {
            if t.rank() == 0 {
                bail!(Shape, "cat", "tensor {i} is 0-d: use stack, or give it a dimension with unsqueeze");
            }
            parts.push(if t.dtype() == dtype { t.clone() } else { t.to_dtype(dtype)? });
        }
        // Where there are no others, the tensors of shape [0] are joined.
        let first = parts.iter().find(|t| !is_passed_over(t)).unwrap_or(&parts[0]);
        let index = dim_index("cat", dim, first.rank())?;
        for (i, t) in parts.iter().enumerate().filter(|(_, t)| !is_passed_over(t)) {
            if t.rank() != first.rank() || t.shape().with_size(index, 0)? != first.shape().with_size(index, 0)? {
                let all: Vec<&Shape> = parts.iter().map(Tensor::shape).collect();
                bail!(
                    Shape,
                    "cat",
                    "shapes {all:?} do not fit along dimension {dim}: apart from it, that of tensor {i} differs from the first"
                );
            }
        }
        let shape = first.shape().clone();
        joined(&parts, index, shape)
    }
}

fn is_passed_over(t: &Tensor) -> bool {
    *t.shape() == [0]
}

/// Tensors of the same dtype and, apart from the dimension, the given shape, unless they are passed over.
#[track_caller]
fn joined(parts: &[Tensor], dim: usize, shape: Shape) -> Result<Tensor> {
    let size = |t: &Tensor| (!is_passed_over(t)).then(|| t.shape()[dim]);
    let sizes: Vec<Option<usize>> = parts.iter().map(size).collect();
    let shape = shape.with_size(dim, sizes.iter().flatten().fold(0, |sum, &n| usize::saturating_add(sum, n)))?;
    let [outer, _, inner] = shape.around(dim)?;
    let mut rows = Vec::with_capacity(parts.len());
    for part in parts {
        rows.push(part.detach().contiguous()?);
    }
    let out = dispatch!(parts[0].dtype(), T => {
        let mut out = shape.allocate::<T>("cat")?;
        let mut slices = Vec::with_capacity(rows.len());
        for (row, size) in rows.iter().zip(&sizes) {
            slices.push((row.as_slice::<T>()?, size.unwrap_or(0) * inner));
        }
        blocks::concatenate(&slices, outer, &mut out);
        Tensor::from_parts(out, shape)
    });
    let inputs: Vec<&Tensor> = parts.iter().collect();
    record(CatBackward { dim, sizes }, &inputs, &[], out)
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[2, 3]", "[2, 2]", "dimension 0"], || {
                Tensor::cat(&[values(1, [2, 3]), values(2, [2, 2])], 0)
            }),
            Refusal::new(&["tensor 1", "0-d"], || Tensor::cat(&[values(1, [2]), values(2, [])], 0)),
            Refusal::new(&["empty"], || Tensor::cat::<Tensor>(&[], 0)),
            Refusal::new(&["dimension 1"], || Tensor::cat(&[values(1, [2])], 1)),
        ]
    },
    bench: &[
        (&[&[512, 512], &[512, 512]], |x| Ok(vec![Tensor::cat(x, 0)?])),
        (&[&[512, 512], &[512, 512]], |x| Ok(vec![Tensor::cat(x, 1)?])),
    ],
    ..Row::new("cat", "torch.cat", || {
        vec![
            Sample::new("first", [values(1, [1, 3]), values(2, [2, 3])], |x| Tensor::cat(x, 0)),
            Sample::new("last", [values(1, [2, 1]), values(2, [2, 2]), values(3, [2, 1])], |x| {
                Tensor::cat(x, -1)
            }),
            Sample::new("middle, transposed", [values(1, [2, 2, 2]), values(2, [2, 1, 2])], |x| {
                Tensor::cat(&[x[0].transpose(0, 1)?, x[1].clone()], 1)
            }),
            Sample::new("passed over", [values(1, [0]), values(2, [2, 1])], |x| Tensor::cat(x, 0)),
            Sample::new("twice the same", [values(1, [3])], |x| Tensor::cat(&[&x[0], &x[0]], 0)),
        ]
    })
};
