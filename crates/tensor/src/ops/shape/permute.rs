//! Permute and transpose.

use crate::autograd::{Backward, Context, Parts, record};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail};

struct PermuteBackward {
    /// `order[k]` is the input dimension that became dimension k.
    order: Vec<usize>,
}

impl Backward for PermuteBackward {
    fn name(&self) -> &'static str {
        "permute"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let mut inverse = vec![0; self.order.len()];
        self.order.iter().enumerate().for_each(|(k, &dim)| inverse[dim] = k);
        Ok(vec![Some(ctx.grad()?.reordered(inverse)?)])
    }

    fn partial(&self, ctx: &Context<'_>) -> Result<Option<Parts>> {
        ctx.parts().map_or(Ok(None), |parts| parts.reordered(&self.order))
    }

    fn takes_parts(&self) -> bool {
        true
    }
}

impl Tensor {
    /// The dimensions in another order: dimension k of the result is dimension `dims[k]` of this tensor. A
    /// view (PyTorch: `torch.permute`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::zeros([2, 3, 4])?.permute([2, 0, 1])?.shape(), &[4, 2, 3]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `dims` is not a permutation of the dimensions.
    #[track_caller]
    pub fn permute(&self, dims: impl AsRef<[isize]>) -> Result<Tensor> {
        let dims = dims.as_ref();
        if dims.len() != self.rank() {
            bail!(Shape, "permute", "{dims:?} names {} dimensions, the tensor of shape {} has {}", dims.len(), self.shape(), self.rank());
        }
        let mut order = Vec::with_capacity(dims.len());
        for &dim in dims {
            let index = dim_index("permute", dim, self.rank())?;
            if order.contains(&index) {
                bail!(Index, "permute", "dimension {dim} is named twice in {dims:?}");
            }
            order.push(index);
        }
        self.reordered(order)
    }

    /// Two dimensions exchanged. A view (PyTorch: `torch.transpose`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]).transpose(0, 1)?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a dimension is out of range.
    #[track_caller]
    pub fn transpose(&self, dim0: isize, dim1: isize) -> Result<Tensor> {
        let (a, b) = (dim_index("transpose", dim0, self.rank())?, dim_index("transpose", dim1, self.rank())?);
        let mut order: Vec<usize> = (0..self.rank()).collect();
        if !order.is_empty() {
            order.swap(a, b);
        }
        self.reordered(order)
    }

    /// The transpose of a matrix (PyTorch: `Tensor.t`); vectors and scalars come back as they are.
    ///
    /// # Errors
    /// For more than two dimensions.
    #[track_caller]
    pub fn t(&self) -> Result<Tensor> {
        match self.rank() {
            0 | 1 => Ok(self.clone()),
            2 => self.transpose(0, 1),
            n => bail!(Shape, "t", "expects at most 2 dimensions, not {n} (shape {})", self.shape()),
        }
    }

    #[track_caller]
    fn reordered(&self, order: Vec<usize>) -> Result<Tensor> {
        let pick = |from: &[usize]| order.iter().map(|&dim| from[dim]).collect::<Shape>();
        let view = self.view_as(pick(self.shape()), pick(self.strides()), self.layout().offset());
        record(PermuteBackward { order }, &[self], &[], view)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[0, 1]", "[2]"], || values(1, [2]).permute([0, 1])),
            Refusal::new(&["twice"], || values(1, [2, 2]).permute([0, 0])),
            Refusal::new(&["dimension 5"], || values(1, [2, 2]).permute([0, 5])),
        ]
    },
    ..Row::new("permute", "torch.permute", || {
        vec![
            Sample::new("three", [values(1, [2, 3, 4])], |x| x[0].permute([2, 0, 1])),
            Sample::new("transpose", [values(1, [2, 3, 4])], |x| x[0].transpose(0, -1)),
        ]
    })
};
