//! [`Reduced`]: which dimensions a reduction runs over, and how it is cut into runs that kernels know.

use crate::shape::dim_index;
use crate::{Element, Result, Shape, Tensor, bail};

/// The dimensions of a reduction.
pub(crate) struct Reduced {
    operation: &'static str,
    input: Shape,
    /// Which dimensions are reduced.
    mask: Vec<bool>,
}

impl Reduced {
    /// Checks the dimensions; an empty list means all.
    #[track_caller]
    pub(crate) fn new(operation: &'static str, input: &Shape, dims: &[isize]) -> Result<Reduced> {
        // A 0-d tensor is treated as having one dimension.
        let mut mask = vec![dims.is_empty(); input.len().max(1)];
        for &dim in dims {
            let index = dim_index(operation, dim, input.len())?;
            if std::mem::replace(&mut mask[index], true) {
                bail!(Index, operation, "dimension {dim} is named twice in {dims:?}");
            }
        }
        mask.truncate(input.len());
        Ok(Reduced { operation, input: input.clone(), mask })
    }

    /// The number of elements that go into one result.
    pub(crate) fn count(&self) -> usize {
        self.input.iter().zip(&self.mask).filter(|(_, reduced)| **reduced).map(|(n, _)| n).product()
    }

    /// The result's shape.
    pub(crate) fn shape(&self, keepdim: bool) -> Shape {
        let sizes = self.input.iter().zip(&self.mask);
        sizes
            .filter(|(_, reduced)| keepdim || !**reduced)
            .map(|(&n, reduced)| if *reduced { 1 } else { n })
            .collect()
    }

    /// The result's shape with 1 in the place of each reduced dimension.
    pub(crate) fn keepdim_shape(&self) -> Shape {
        self.shape(true)
    }

    /// Runs a kernel over `[outer, n, inner]`, once for each run of neighbouring reduced dimensions,
    /// innermost first; the operation must give the same whether it is done at once or in parts.
    #[track_caller]
    pub(crate) fn run<T: Element>(
        &self,
        x: &Tensor,
        kernel: impl Fn(&[T], [usize; 3], &mut [T]),
    ) -> Result<Tensor> {
        let mut current = x.detach().contiguous()?;
        let mut sizes: Vec<usize> = self.input.to_vec();
        let mut end = sizes.len();
        let mut done = false;
        while end > 0 {
            if !self.mask[end - 1] {
                end -= 1;
                continue;
            }
            let start = (0..end).rev().take_while(|&dim| self.mask[dim]).last().unwrap_or(end - 1);
            let outer = sizes[..start].iter().product();
            let n = sizes[start..end].iter().product();
            let inner = sizes[end..].iter().product();
            sizes[start..end].fill(1);
            let shape = Shape::from(sizes.as_slice());
            let mut out = shape.allocate::<T>(self.operation)?;
            kernel(current.as_slice::<T>()?, [outer, n, inner], &mut out);
            current = Tensor::from_parts(out, shape);
            done = true;
            end = start;
        }
        if !done {
            // Nothing to reduce: each element is its own result.
            let mut out = self.input.allocate::<T>(self.operation)?;
            kernel(current.as_slice::<T>()?, [current.numel(), 1, 1], &mut out);
            current = Tensor::from_parts(out, self.input.clone());
        }
        Ok(current)
    }
}

impl Tensor {
    /// This contiguous, untracked result in a shape of as many elements.
    pub(crate) fn in_shape(self, shape: Shape) -> Tensor {
        debug_assert_eq!(shape.numel(), self.numel());
        let strides = shape.contiguous_strides();
        self.view_as(shape, strides, self.layout().offset())
    }
}
