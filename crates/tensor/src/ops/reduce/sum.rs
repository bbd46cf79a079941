//! Sum.

use chainrule_kernels::reduce;

use crate::autograd::{Backward, Context, record};
use crate::reduction::Reduced;
use crate::shape::IntoDims;
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Result, Shape, Tensor, bail, dispatch_float};

struct SumBackward {
    /// The input's shape with 1 in the place of each summed dimension, and in full.
    keepdim: Shape,
    input: Shape,
}

impl Backward for SumBackward {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.reshape(&self.keepdim)?.expand(&self.input)?)])
    }
}

impl Tensor {
    /// The sum of all elements, a 0-d tensor (PyTorch: `torch.sum`). Integers and booleans are summed as
    /// `i64`.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([[1.0, 2.0], [3.0, 4.0]]).sum()?.item()?, 10.0);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn sum(&self) -> Result<Tensor> {
        self.sum_over("sum", Vec::new(), false)
    }

    /// The sum over one or several dimensions (none given: over all), which disappear or, with `keepdim`,
    /// stay with size 1.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum_dim(0, false)?.to_vec::<f32>()?, [4.0, 6.0]);
    /// assert_eq!(x.sum_dim([0, 1], true)?.shape(), &[1, 1]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a dimension is out of range or named twice.
    #[track_caller]
    pub fn sum_dim(&self, dim: impl IntoDims, keepdim: bool) -> Result<Tensor> {
        self.sum_over("sum_dim", dim.into_dims(), keepdim)
    }

    #[track_caller]
    fn sum_over(&self, operation: &'static str, dims: Vec<isize>, keepdim: bool) -> Result<Tensor> {
        let reduced = Reduced::new(operation, self.shape(), &dims)?;
        let out = match self.dtype() {
            DType::F32 => reduced.sums::<f32>(self, 1.0)?,
            DType::F64 => reduced.sums::<f64>(self, 1.0)?,
            _ => {
                let x = self.to_dtype(DType::I64)?;
                reduced.run(&x, |x: &[i64], dims, out: &mut [i64]| reduce::sum_i64(x, dims, |v| v, out))?
            }
        };
        let operation = SumBackward { keepdim: reduced.keepdim_shape(), input: self.shape().clone() };
        record(operation, &[self], &[], out.in_shape(reduced.shape(keepdim)))
    }

    /// This tensor summed down to a shape that broadcasts to its own: the way back from broadcasting.
    pub(crate) fn sum_to(&self, shape: &Shape) -> Result<Tensor> {
        if self.shape() == shape {
            return Ok(self.clone());
        }
        if !shape.broadcasts_to(self.shape()) {
            bail!(Shape, "sum_to", "shape {shape} does not broadcast to shape {}", self.shape());
        }
        let missing = self.rank() - shape.len();
        let dims: Vec<isize> = (0..self.rank())
            .filter(|&dim| dim < missing || (shape[dim - missing] == 1 && self.shape()[dim] != 1))
            .map(|dim| dim as isize)
            .collect();
        let sum = if dims.is_empty() { self.clone() } else { self.sum_dim(dims, true)? };
        sum.reshape(shape)
    }

    /// Adds a tensor of this shape and dtype to this one, in its memory. Not recorded. Without effect, and `false`,
    /// where somebody else holds the memory or it is not in order.
    pub(crate) fn add_in_place(&mut self, other: &Tensor) -> Result<bool> {
        let other = other.in_order()?;
        dispatch_float!(self.dtype(), T => {
            let other = other.as_slice::<T>()?;
            let Some(values) = self.get_mut::<T>() else { return Ok(false) };
            chainrule_kernels::elementwise::update(values, other, 0.5, |a, b| a + b);
        });
        Ok(true)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["sum_dim: ", "dimension 2"], || values(1, [2, 3]).sum_dim(2, false)),
            Refusal::new(&["twice"], || values(1, [2, 3]).sum_dim([0, -2], false)),
        ]
    },
    bench: &[
        (&[&[4_000_000]], |x| Ok(vec![x[0].sum()?])),
        (&[&[4096, 1024]], |x| Ok(vec![x[0].sum_dim(0, false)?])),
    ],
    ..Row::new("sum", "torch.sum", || {
        vec![
            Sample::new("all", [values(1, [2, 3])], |x| x[0].sum()),
            Sample::new("0-d", [values(1, [])], |x| x[0].sum()),
            Sample::new("first", [values(1, [2, 3, 2])], |x| x[0].sum_dim(0, false)),
            Sample::new("middle, kept", [values(1, [2, 3, 2])], |x| x[0].sum_dim(1, true)),
            Sample::new("outer and inner", [values(1, [2, 3, 2])], |x| x[0].sum_dim([0, 2], false)),
        ]
    })
};
