//! The largest value, and where it stands.

use chainrule_kernels::reduce;

use super::amax::extreme_values;
use crate::autograd::{Backward, Context, Save, record_many};
use crate::reduction::Reduced;
use crate::shape::dim_index;
use crate::table::{Kink, Refusal, Row, Sample, distinct, values};
use crate::{Result, Shape, Tensor, bail, dispatch};

/// The gradient goes to the element that was chosen.
struct ChosenBackward {
    operation: &'static str,
    keepdim: Shape,
    dim: usize,
    input: Shape,
}

impl Backward for ChosenBackward {
    fn name(&self) -> &'static str {
        self.operation
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let indices = ctx.saved(0)?.reshape(&self.keepdim)?;
        // 0, 1, … along the dimension, in the shape from there on: it broadcasts against the indices.
        let [_, n, inner] = self.input.around(self.dim)?;
        let position = Tensor::arange(n)?.reshape([n, 1])?.expand([n, inner])?;
        let position = position.reshape(&self.input[self.dim.min(self.input.len())..])?;
        let elsewhere = position.ne(&indices)?;
        Ok(vec![Some(ctx.grad()?.reshape(&self.keepdim)?.masked_fill(&elsewhere, 0.0)?)])
    }
}

/// The extreme values over one dimension and their indices, both with the dimension kept or not.
#[track_caller]
pub(super) fn extremum(
    operation: &'static str,
    x: &Tensor,
    larger: bool,
    dim: isize,
    keepdim: bool,
) -> Result<(Tensor, Tensor)> {
    let reduced = Reduced::new(operation, x.shape(), &[dim])?;
    let dim = dim_index(operation, dim, x.rank())?;
    let (shape, dims) = (reduced.shape(keepdim), x.shape().around(dim)?);
    if dims[1] == 0 && shape.numel() > 0 {
        bail!(Shape, operation, "there is no element to choose: the tensor's shape is {}", x.shape());
    }
    let contiguous = x.detach().contiguous()?;
    let mut indices = shape.allocate::<i64>(operation)?;
    let values = dispatch!(x.dtype(), T => {
        let mut values = shape.allocate::<T>(operation)?;
        reduce::extremum(contiguous.as_slice::<T>()?, dims, larger, &mut values, &mut indices);
        Tensor::from_parts(values, shape.clone())
    });
    let indices = Tensor::from_parts(indices, shape);
    let backward =
        ChosenBackward { operation, keepdim: reduced.keepdim_shape(), dim, input: x.shape().clone() };
    let save = [Save::Output(1)];
    let mut outputs = record_many(backward, &[x], &save, vec![values, indices])?.into_iter();
    match (outputs.next(), outputs.next()) {
        (Some(values), Some(indices)) => Ok((values, indices)),
        _ => bail!(Graph, operation, "recording lost an output"),
    }
}

impl Tensor {
    /// The largest of all elements, a 0-d tensor; NaN where there is one (PyTorch: `torch.max`). Equal largest
    /// elements share the gradient evenly.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([[1.0, 5.0], [3.0, 4.0]]).max()?.item()?, 5.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no element.
    #[track_caller]
    pub fn max(&self) -> Result<Tensor> {
        extreme_values("max", self, true, Vec::new(), false)
    }

    /// The largest values over a dimension and their indices there, of `i64`: the first of equal values, and the
    /// first NaN where there is one (PyTorch: `torch.max(dim)`). The dimension disappears or, with `keepdim`,
    /// stays with size 1. The gradient goes to the element at the index.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let (values, indices) = Tensor::new([[1.0, 5.0], [3.0, 3.0]]).max_dim(1, false)?;
    /// assert_eq!(values.to_vec::<f32>()?, [5.0, 3.0]);
    /// assert_eq!(indices.to_vec::<i64>()?, [1, 0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the dimension is out of range, and when there is no element to choose.
    #[track_caller]
    pub fn max_dim(&self, dim: isize, keepdim: bool) -> Result<(Tensor, Tensor)> {
        extremum("max_dim", self, true, dim, keepdim)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || {
        let with_itself = |x: &Tensor| x.expand([4])?.max();
        vec![Kink { at: 0.5, call: with_itself, derivative: 1.0 }]
    },
    errors: || {
        vec![
            Refusal::new(&["dimension 2"], || Ok(values(1, [2, 3]).max_dim(2, false)?.0)),
            Refusal::new(&["[2, 0]"], || Ok(values(1, [2, 0]).max_dim(1, false)?.0)),
            Refusal::new(&["[0]"], || values(1, [0]).max()),
        ]
    },
    bench: &[
        (&[&[4096, 1024]], |x| Ok(vec![x[0].max_dim(1, false)?.0])),
        (&[&[4096, 1024]], |x| Ok(vec![x[0].max_dim(0, false)?.0])),
    ],
    ..Row::new("max", "torch.max", || {
        let both = |(values, indices)| vec![values, indices];
        vec![
            Sample::new("all", [distinct(1, [2, 3])], |x| x[0].max()),
            Sample::many("last", [distinct(1, [2, 3])], move |x| Ok(both(x[0].max_dim(-1, false)?))),
            Sample::many("first, kept", [distinct(1, [2, 3, 2])], move |x| Ok(both(x[0].max_dim(0, true)?))),
            Sample::many("0-d", [distinct(1, [])], move |x| Ok(both(x[0].max_dim(0, false)?))),
        ]
    })
};
