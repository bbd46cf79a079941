//! Split and chunk.

use crate::allocate::{try_list, try_vec};
use crate::autograd::{Backward, Context, Parts, are_few, record_many};
use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail};

struct SplitBackward {
    dim: usize,
    sizes: Vec<usize>,
    /// [`Layout::memory_order`](crate::layout::Layout::memory_order) of the input.
    order: Vec<usize>,
    input: Shape,
}

impl Backward for SplitBackward {
    fn name(&self) -> &'static str {
        "split"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let shape = |i: usize, known: &Tensor| known.shape().with_size(self.dim, self.sizes[i]);
        let grads = all_grads(ctx, self.sizes.len(), shape)?;
        Ok(vec![Some(cat_in_order(&grads, self.dim, &self.order)?)])
    }

    fn partial(&self, ctx: &Context<'_>) -> Result<Option<Parts>> {
        let mut start = 0;
        let starts = self.sizes.iter().map(|size| {
            start += size;
            start - size
        });
        few_pieces(ctx, self.dim, &self.input, starts, |grad| Ok(grad.clone()))
    }
}

/// The gradients of those outputs that got one, each in its part of the input's, where that is a small part of it.
/// `starts` are the indices of the dimension at which the outputs begin; `with_dim` gives a gradient all dimensions.
pub(super) fn few_pieces(
    ctx: &Context<'_>,
    dim: usize,
    input: &Shape,
    starts: impl ExactSizeIterator<Item = usize>,
    with_dim: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Option<Parts>> {
    let mut touched = 0;
    for i in 0..starts.len() {
        touched += ctx.grad_of(i)?.map_or(0, Tensor::numel);
    }
    if !are_few(touched, input.numel()) {
        return Ok(None);
    }
    let strides = input.contiguous_strides();
    let mut pieces: Option<Parts> = None;
    for (i, start) in starts.enumerate() {
        let Some(grad) = ctx.grad_of(i)? else { continue };
        let piece = Parts::view(input, start * strides[dim], strides.clone(), &with_dim(grad)?);
        match &mut pieces {
            Some(pieces) => pieces.append(piece),
            None => pieces = Some(piece),
        }
    }
    Ok(pieces)
}

/// [`Tensor::cat`] into memory of a given order of dimensions: that of what was cut into the pieces, so that what made
/// it of a contiguous tensor is undone without a copy.
pub(super) fn cat_in_order(parts: &[Tensor], dim: usize, order: &[usize]) -> Result<Tensor> {
    if order.is_sorted() {
        return Tensor::cat(parts, dim as isize);
    }
    let place = |dim: usize| order.iter().position(|&d| d == dim).unwrap_or(dim) as isize;
    let there: Vec<isize> = order.iter().map(|&dim| dim as isize).collect();
    let back: Vec<isize> = (0..order.len()).map(place).collect();
    let parts: Vec<Tensor> = parts.iter().map(|part| part.permute(&there)).collect::<Result<_>>()?;
    Tensor::cat(&parts, place(dim))?.permute(back)
}

/// The gradients of `count` outputs, with zeros for those that got none, in the shape that is told from one
/// that did.
pub(super) fn all_grads(
    ctx: &Context<'_>,
    count: usize,
    shape: impl Fn(usize, &Tensor) -> Result<Shape>,
) -> Result<Vec<Tensor>> {
    let mut grads = Vec::with_capacity(count);
    for i in 0..count {
        grads.push(ctx.grad_of(i)?);
    }
    let Some(known) = grads.iter().copied().flatten().next() else {
        bail!(Graph, "split", "none of {count} outputs got a gradient");
    };
    let zeros = |i| Tensor::full(shape(i, known)?, 0.0, known.dtype());
    grads.iter().enumerate().map(|(i, grad)| grad.map_or_else(|| zeros(i), |grad| Ok(grad.clone()))).collect()
}

impl Tensor {
    /// Pieces of `split_size` indices of one dimension, the last of which may be smaller. Views (PyTorch:
    /// `torch.split`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let parts = Tensor::arange(5)?.split(2, 0)?;
    /// assert_eq!(parts.len(), 3);
    /// assert_eq!(parts[2].to_vec::<i64>()?, [4]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `dim` is out of range, and for a `split_size` of 0 unless the dimension is empty.
    #[track_caller]
    pub fn split(&self, split_size: usize, dim: isize) -> Result<Vec<Tensor>> {
        let (index, size) = self.split_dim("split", dim)?;
        if split_size == 0 && size > 0 {
            bail!(Value, "split", "pieces of size 0 never fill dimension {dim} of shape {}", self.shape());
        }
        let count = size.div_ceil(split_size.max(1)).max(1);
        let mut sizes = try_vec("split", count)?;
        sizes.extend((0..count).map(|i| split_size.min(size - i * split_size)));
        self.pieces(index, sizes)
    }

    /// Pieces of the given numbers of indices of one dimension, which they fill exactly. Views (PyTorch:
    /// `torch.split` with a list).
    ///
    /// # Errors
    /// When `dim` is out of range or the sizes do not add up to that of the dimension.
    #[track_caller]
    pub fn split_with_sizes(&self, split_sizes: &[usize], dim: isize) -> Result<Vec<Tensor>> {
        let (index, size) = self.split_dim("split", dim)?;
        if split_sizes.iter().try_fold(0usize, |sum, &n| sum.checked_add(n)) != Some(size) {
            bail!(
                Shape,
                "split",
                "sizes {split_sizes:?} do not add up to dimension {dim} of shape {}",
                self.shape()
            );
        }
        self.pieces(index, split_sizes.to_vec())
    }

    /// At most `chunks` pieces of one dimension: all of the same size, except for the last, which may be
    /// smaller. Views (PyTorch: `torch.chunk`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let parts = Tensor::arange(5)?.chunk(4, 0)?;
    /// assert_eq!(parts.len(), 3, "pieces of 2, 2 and 1");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `dim` is out of range or `chunks` is 0.
    #[track_caller]
    pub fn chunk(&self, chunks: usize, dim: isize) -> Result<Vec<Tensor>> {
        let (index, size) = self.split_dim("chunk", dim)?;
        if chunks == 0 {
            bail!(Value, "chunk", "the number of chunks must be greater than 0");
        }
        if size == 0 {
            let mut sizes = try_vec("chunk", chunks)?;
            sizes.resize(chunks, 0);
            return self.pieces(index, sizes);
        }
        self.split(size.div_ceil(chunks), dim)
    }

    #[track_caller]
    fn split_dim(&self, operation: &str, dim: isize) -> Result<(usize, usize)> {
        let index = dim_index(operation, dim, self.rank())?;
        if self.rank() == 0 {
            bail!(Shape, operation, "a 0-d tensor has no dimension to cut");
        }
        Ok((index, self.shape()[index]))
    }

    #[track_caller]
    fn pieces(&self, dim: usize, sizes: Vec<usize>) -> Result<Vec<Tensor>> {
        let mut origin: Shape = vec![0; self.rank()].into();
        let mut views = try_list("split", sizes.len())?;
        for &size in &sizes {
            views.push(self.cropped_view(&origin, &self.shape().with_size(dim, size)?));
            origin.sizes_mut()[dim] += size;
        }
        let order = self.layout().memory_order();
        let input = self.shape().clone();
        record_many(SplitBackward { dim, sizes, order, input }, &[self], &[], views)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["size 0", "[2, 3]"], || Ok(values(1, [2, 3]).split(0, 1)?.remove(0))),
            Refusal::new(&["[1, 1]", "[2, 3]"], || {
                Ok(values(1, [2, 3]).split_with_sizes(&[1, 1], 1)?.remove(0))
            }),
            Refusal::new(&["dimension 2"], || Ok(values(1, [2, 3]).split(1, 2)?.remove(0))),
            Refusal::new(&["0-d"], || Ok(values(1, []).split(1, 0)?.remove(0))),
        ]
    },
    ..Row::new("split", "torch.split", || {
        vec![
            Sample::many("pieces", [values(1, [2, 5])], |x| x[0].split(2, 1)),
            Sample::many("sizes", [values(1, [4, 2])], |x| x[0].split_with_sizes(&[1, 0, 3], 0)),
            Sample::many("one of them", [values(1, [5])], |x| {
                Ok(x[0].split(2, 0)?.into_iter().skip(1).take(1).collect())
            }),
            Sample::many("chunks", [values(1, [2, 5])], |x| x[0].chunk(3, -1)),
            Sample::many("permuted", [values(1, [2, 4, 3])], |x| x[0].permute([2, 0, 1])?.split(2, -1)),
        ]
    })
};
