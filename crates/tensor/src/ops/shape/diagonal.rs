//! Diagonal.

use crate::autograd::{Backward, Context, Parts, are_few, record};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail};

struct DiagonalBackward {
    dims: [usize; 2],
    /// The first element of the diagonal.
    start: [usize; 2],
    length: usize,
    input: Shape,
}

impl Backward for DiagonalBackward {
    fn name(&self) -> &'static str {
        "diagonal"
    }

    // The diagonal is a row of places of the two dimensions flattened.
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let [row, column] = self.dims;
        let (rows, columns) = (self.input[row], self.input[column]);
        let others = (0..self.input.len()).filter(|dim| !self.dims.contains(dim));
        let batch: Vec<usize> = others.map(|dim| self.input[dim]).collect();
        let with = |last: &[usize]| Shape::from([batch.as_slice(), last].concat());
        let places = (0..self.length).map(|i| ((self.start[0] + i) * columns + self.start[1] + i) as i64);
        let places = Tensor::from_vec(places.collect(), [self.length])?;
        let grad = Tensor::full(with(&[rows * columns]), 0.0, ctx.grad()?.dtype())?
            .index_add(-1, &places, ctx.grad()?)?
            .reshape(with(&[rows, columns]))?
            .movedim([-2, -1], self.dims.map(|dim| dim as isize))?;
        Ok(vec![Some(grad)])
    }

    fn partial(&self, ctx: &Context<'_>) -> Result<Option<Parts>> {
        let (grad, [row, column]) = (ctx.grad()?, self.dims);
        if !are_few(grad.numel(), self.input.numel()) {
            return Ok(None);
        }
        let strides = self.input.contiguous_strides();
        let offset = self.start[0] * strides[row] + self.start[1] * strides[column];
        let others = strides.iter().enumerate().filter(|(dim, _)| !self.dims.contains(dim));
        let along = others.map(|(_, &n)| n).chain([strides[row] + strides[column]]).collect();
        Ok(Some(Parts::view(&self.input, offset, along, grad)))
    }
}

impl Tensor {
    /// The diagonal of the matrices that two dimensions form, which disappear; the diagonal becomes the last
    /// dimension. `offset` 0 means the main one, positive above it, negative below. A view (PyTorch:
    /// `torch.diagonal`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.diagonal(0, 0, 1)?.to_vec::<f32>()?, [1.0, 4.0]);
    /// assert_eq!(x.diagonal(1, 0, 1)?.to_vec::<f32>()?, [2.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a dimension is out of range or both are the same.
    #[track_caller]
    pub fn diagonal(&self, offset: isize, dim1: isize, dim2: isize) -> Result<Tensor> {
        let row = dim_index("diagonal", dim1, self.rank())?;
        let column = dim_index("diagonal", dim2, self.rank())?;
        if row == column {
            bail!(Index, "diagonal", "dimensions {dim1} and {dim2} of shape {} are the same", self.shape());
        }
        let start = [offset.min(0).unsigned_abs(), offset.max(0) as usize];
        let left = |dim: usize, start: usize| self.shape()[dim].saturating_sub(start);
        let length = left(row, start[0]).min(left(column, start[1]));
        let take = |from: &[usize], last: usize| -> Shape {
            let others = from.iter().enumerate().filter(|(dim, _)| *dim != row && *dim != column);
            others.map(|(_, &n)| n).chain([last]).collect()
        };
        let (down, right) = (self.strides()[row], self.strides()[column]);
        let skipped = if length == 0 { 0 } else { start[0] * down + start[1] * right };
        let shape = take(self.shape(), length);
        let view = self.view_as(shape, take(self.strides(), down + right), self.layout().offset() + skipped);
        let start = if length == 0 { [0, 0] } else { start };
        let input = self.shape().clone();
        record(DiagonalBackward { dims: [row, column], start, length, input }, &[self], &[], view)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["0 and -2", "[2, 3]"], || values(1, [2, 3]).diagonal(0, 0, -2)),
            Refusal::new(&["dimension 2"], || values(1, [2, 3]).diagonal(0, 0, 2)),
        ]
    },
    ..Row::new("diagonal", "torch.diagonal", || {
        vec![
            Sample::new("main", [values(1, [3, 3])], |x| x[0].diagonal(0, 0, 1)),
            Sample::new("above", [values(1, [2, 3])], |x| x[0].diagonal(1, 0, 1)),
            Sample::new("below, in a batch", [values(1, [3, 2, 2])], |x| x[0].diagonal(-1, 0, 2)),
            Sample::new("exchanged", [values(1, [2, 2, 3])], |x| x[0].diagonal(1, -1, -2)),
        ]
    })
};
