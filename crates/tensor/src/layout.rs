//! [`Layout`]: how a tensor lies in its memory.

use crate::Shape;
use crate::shape::Strides;

/// Shape, strides and offset, and what follows from them and is asked for at every operation.
#[derive(Clone)]
pub(crate) struct Layout {
    shape: Shape,
    strides: Strides,
    offset: usize,
    numel: usize,
    is_contiguous: bool,
}

impl Layout {
    /// Row-major order from the beginning of the memory; `numel` is the number of elements of the shape.
    #[inline]
    pub(crate) fn contiguous(shape: Shape, numel: usize) -> Layout {
        debug_assert_eq!(shape.numel(), numel);
        Layout { strides: shape.contiguous_strides(), shape, offset: 0, numel, is_contiguous: true }
    }

    pub(crate) fn strided(shape: Shape, strides: Strides, offset: usize) -> Layout {
        let (numel, is_contiguous) = (shape.numel(), is_contiguous(&shape, &strides));
        Layout { shape, strides, offset, numel, is_contiguous }
    }

    #[inline]
    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    #[inline]
    pub(crate) fn strides(&self) -> &Strides {
        &self.strides
    }

    /// Where the first element is.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    #[inline]
    pub(crate) fn numel(&self) -> usize {
        self.numel
    }

    /// Whether the elements lie in row-major order without gaps.
    #[inline]
    pub(crate) fn is_contiguous(&self) -> bool {
        self.is_contiguous
    }

    /// The dimensions in the order of memory, outermost first. Those that are repeated without memory of their own stay
    /// where they are, with all others.
    pub(crate) fn memory_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.shape.len()).collect();
        if !self.is_contiguous && !self.strides.contains(&0) {
            order.sort_by_key(|&dim| std::cmp::Reverse(self.strides[dim]));
        }
        order
    }
}

fn is_contiguous(shape: &[usize], strides: &[usize]) -> bool {
    let mut step = 1;
    for (&size, &stride) in shape.iter().zip(strides).rev() {
        if size == 0 {
            return true;
        }
        if size != 1 {
            if stride != step {
                return false;
            }
            step *= size;
        }
    }
    true
}
