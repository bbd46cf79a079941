//! One operand of a traversal: any strided view, handed out in contiguous blocks.
//!
//! So the loop over a block is the only code that is compiled for each operation; how an operand lies in memory
//! is dealt with here, once for each element type.

use std::mem::MaybeUninit;

use super::View;

/// Elements in a block where an operand has to be gathered: three blocks of `f32` fit a first-level cache.
pub(super) const BLOCK: usize = 1024;

/// A dimension after merging.
pub(super) struct Dim {
    pub(super) size: usize,
    pub(super) stride: usize,
    /// Elements of the traversal in one step of this dimension.
    pub(super) inner: usize,
}

impl Dim {
    /// What this dimension adds to the place of the element of this number.
    #[inline(always)]
    pub(super) fn at(&self, number: usize) -> usize {
        number / self.inner % self.size * self.stride
    }
}

/// How the elements lie, in the order of the traversal.
pub(super) enum Layout {
    /// One after the other.
    Contiguous,
    /// The same one always.
    Repeated,
    /// By strides, outermost dimension first.
    Strided(Vec<Dim>),
}

/// An operand of a traversal of a shape.
pub(super) struct Operand<'a, T> {
    data: &'a [T],
    layout: Layout,
}

impl<'a, T: Copy> Operand<'a, T> {
    /// Panics when the view reaches beyond its memory.
    pub(super) fn new(shape: &[usize], view: View<'a, T>) -> Self {
        view.check(shape);
        let data = view.data.get(view.offset..).unwrap_or_default();
        Operand { data, layout: Layout::new(shape, view.strides) }
    }

    /// Whether any range can be handed out as it lies in memory.
    pub(super) fn is_contiguous(&self) -> bool {
        matches!(self.layout, Layout::Contiguous)
    }

    /// Elements `start..start + len` of the traversal; at most [`BLOCK`] of them unless the operand is
    /// contiguous. `space` is kept by the caller from block to block.
    #[inline]
    pub(super) fn block<'s>(&'s self, start: usize, len: usize, space: &'s mut Space<T>) -> &'s [T] {
        match &self.layout {
            Layout::Contiguous => &self.data[start..start + len],
            Layout::Repeated => space.repeated(self.data[0], len),
            Layout::Strided(dims) => match self.neighbours(dims, start, len) {
                Some(block) => block,
                None => space.filled(len, |space| gather(dims, self.data, 0, start, space)),
            },
        }
    }

    /// The block as it lies in memory, where it is within one run of neighbours.
    fn neighbours(&self, dims: &[Dim], start: usize, len: usize) -> Option<&[T]> {
        let last = dims.last().filter(|last| last.stride == 1)?;
        let column = start % last.size;
        if column + len > last.size {
            return None;
        }
        let at: usize = dims.iter().map(|dim| dim.at(start)).sum();
        Some(&self.data[at..at + len])
    }
}

impl<T> View<'_, T> {
    /// Panics when an element of the shape would lie beyond the memory.
    pub(super) fn check(&self, shape: &[usize]) {
        // The greatest index, unless it is too large a number.
        let last = shape.iter().zip(self.strides).try_fold(self.offset, |sum, (n, stride)| {
            n.saturating_sub(1).checked_mul(*stride).and_then(|reach| sum.checked_add(reach))
        });
        let inside = last.is_some_and(|last| last < self.data.len());
        assert!(inside || shape.contains(&0), "an operand reaches beyond its memory");
    }
}

impl Layout {
    pub(super) fn new(shape: &[usize], strides: &[usize]) -> Layout {
        // From the innermost dimension outwards, until one does not continue the one before.
        let mut dims: Vec<Dim> = Vec::new();
        let mut inner = 1;
        let mut merged: Option<Dim> = None;
        for (&size, &stride) in shape.iter().zip(strides).rev().filter(|(size, _)| **size != 1) {
            match &mut merged {
                Some(dim) if stride == dim.stride * dim.size => dim.size *= size,
                _ => dims.extend(merged.replace(Dim { size, stride, inner })),
            }
            inner *= size;
        }
        match merged {
            None => Layout::Repeated,
            Some(dim) if dims.is_empty() && dim.stride <= 1 => {
                if dim.stride == 1 {
                    Layout::Contiguous
                } else {
                    Layout::Repeated
                }
            }
            Some(dim) => {
                dims.push(dim);
                dims.reverse();
                Layout::Strided(dims)
            }
        }
    }
}

/// Copies elements of the traversal, from number `skip` on, until `out` is full or the dimensions end; returns
/// how many. `offset` is where the first element of these dimensions lies.
fn gather<T: Copy>(
    dims: &[Dim],
    data: &[T],
    offset: usize,
    skip: usize,
    out: &mut [MaybeUninit<T>],
) -> usize {
    let Some((dim, inner)) = dims.split_first() else { return 0 };
    let (first, mut skip) = (skip / dim.inner, skip % dim.inner);
    let mut done = 0;
    if inner.is_empty() {
        done = out.len().min(dim.size - first);
        let out = &mut out[..done];
        if dim.stride == 1 {
            for (out, &x) in out.iter_mut().zip(&data[offset + first..][..done]) {
                out.write(x);
            }
        } else if dim.stride == 0 {
            out.fill(MaybeUninit::new(data[offset]));
        } else {
            for (out, &x) in
                out.iter_mut().zip(data[offset + first * dim.stride..].iter().step_by(dim.stride))
            {
                out.write(x);
            }
        }
        return done;
    }
    for i in first..dim.size {
        if done == out.len() {
            break;
        }
        done += gather(inner, data, offset + i * dim.stride, skip, &mut out[done..]);
        skip = 0;
    }
    done
}

/// Fills `out` with elements of the traversal from number `skip` on, of which there must be enough.
pub(super) fn gather_into<T: Copy>(dims: &[Dim], data: &[T], skip: usize, out: &mut [T]) {
    let len = out.len();
    // SAFETY: initialised elements may be seen as such that need not be; `gather` writes elements only.
    let out = unsafe { &mut *(std::ptr::from_mut(out) as *mut [MaybeUninit<T>]) };
    assert_eq!(gather(dims, data, 0, skip, out), len, "a piece that is not filled");
}

/// Room for a block, not touched before it is needed.
pub(super) struct Space<T> {
    block: [MaybeUninit<T>; BLOCK],
    /// How many elements at the beginning hold the repeated value.
    repeated: usize,
}

impl<T: Copy> Space<T> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Space { block: [const { MaybeUninit::uninit() }; BLOCK], repeated: 0 }
    }

    /// `len` times the value, which must be the same in each call.
    fn repeated(&mut self, value: T, len: usize) -> &[T] {
        if self.repeated < len {
            self.block[self.repeated..len].fill(MaybeUninit::new(value));
            self.repeated = len;
        }
        // SAFETY: the first `repeated` elements have been written, here or in an earlier call.
        unsafe { self.block[..len].assume_init_ref() }
    }

    /// `len` elements, written by `fill`, which returns their number.
    fn filled(&mut self, len: usize, fill: impl FnOnce(&mut [MaybeUninit<T>]) -> usize) -> &[T] {
        assert_eq!(fill(&mut self.block[..len]), len, "a block that is not filled");
        // SAFETY: `gather` writes elements in order and returns how many it has written: all of them.
        unsafe { self.block[..len].assume_init_ref() }
    }
}
