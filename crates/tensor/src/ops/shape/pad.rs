//! Pad.

use chainrule_kernels::{Number, blocks};

use crate::autograd::{Backward, Context, record};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Shape, Tensor, bail, dispatch};

/// What padding is filled with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PadMode {
    /// This value. Default 0.
    Constant(f64),
    /// The elements next to the edge in reverse order, without the edge itself; the padding is smaller than
    /// the size.
    Reflect,
    /// The element at the edge.
    Replicate,
    /// The elements at the other end; the padding is at most the size (of what is left, where the other end
    /// is cut).
    Circular,
}

impl Default for PadMode {
    fn default() -> Self {
        PadMode::Constant(0.0)
    }
}

/// A constant around a tensor.
struct SurroundBackward {
    /// Where the first element of the input went.
    start: Shape,
    input: Shape,
}

impl Backward for SurroundBackward {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.crop(&self.start, &self.input)?)])
    }
}

impl Tensor {
    /// Each dimension extended at both ends; `pad` holds the numbers of elements added before and after,
    /// starting with the last dimension: `[left, right, top, bottom]` for images. Negative numbers take
    /// elements away (PyTorch: `torch.nn.functional.pad`, for any number of dimensions in every mode).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, PadMode, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([1.0, 2.0, 3.0]);
    /// assert_eq!(x.pad([1, 2], PadMode::Constant(0.0))?.to_vec::<f32>()?, [0.0, 1.0, 2.0, 3.0, 0.0, 0.0]);
    /// assert_eq!(x.pad([1, -1], PadMode::Reflect)?.to_vec::<f32>()?, [2.0, 1.0, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `pad` has an odd length or more pairs than there are dimensions, when more is taken away than
    /// there is, when the mode has no element to fill with, and when there is no memory for the result.
    #[track_caller]
    pub fn pad(&self, pad: impl AsRef<[isize]>, mode: PadMode) -> Result<Tensor> {
        let pad = pad.as_ref();
        if !pad.len().is_multiple_of(2) || pad.len() / 2 > self.rank() {
            bail!(
                Shape,
                "pad",
                "{pad:?} has {} numbers, not two for each of the last dimensions of shape {}",
                pad.len(),
                self.shape()
            );
        }
        let pairs: Vec<[isize; 2]> = pad.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
        let mut shape = self.shape().clone();
        for (k, &[before, after]) in pairs.iter().enumerate() {
            let dim = self.rank() - 1 - k;
            let size = self.shape()[dim];
            let taken = |n: isize| i128::from(n.min(0) as i64);
            let left = size as i128 + taken(before) + taken(after);
            let largest = match mode {
                PadMode::Constant(_) => i128::MAX,
                PadMode::Reflect => size as i128 - 1,
                PadMode::Replicate if size == 0 => 0,
                PadMode::Replicate => i128::MAX,
                // What is taken away at one end cannot fill the other.
                PadMode::Circular => left,
            };
            if left < 0 || before.max(after).max(0) as i128 > largest.max(0) {
                bail!(
                    Shape,
                    "pad",
                    "padding ({before}, {after}) does not fit dimension {dim} of size {size} (shape {}, {mode:?})",
                    self.shape()
                );
            }
            let padded = size as i128 + before as i128 + after as i128;
            let Some(padded) = isize::try_from(padded).ok().map(isize::unsigned_abs) else {
                bail!(
                    Memory,
                    "pad",
                    "padding ({before}, {after}) of dimension {dim} of size {size} gives a tensor that does not fit in memory"
                );
            };
            shape.sizes_mut()[dim] = padded;
        }
        match mode {
            PadMode::Constant(value) => self.pad_constant(&pairs, value, &shape),
            _ => self.pad_from_itself(&pairs, mode, &shape),
        }
    }

    #[track_caller]
    fn pad_constant(&self, pairs: &[[isize; 2]], value: f64, shape: &Shape) -> Result<Tensor> {
        let pair = |dim: usize| pairs.get(self.rank() - 1 - dim).copied().unwrap_or_default();
        let taken = |n: isize| n.min(0).unsigned_abs();
        let added = |n: isize| n.max(0) as usize;
        let dims = || (0..self.rank()).map(|dim| (self.shape()[dim], pair(dim)));
        let kept: Shape = dims().map(|(n, [a, b])| n - taken(a) - taken(b)).collect();
        let cropped = match kept == *self.shape() {
            true => self.clone(),
            false => self.crop(&dims().map(|(_, [a, _])| taken(a)).collect(), &kept)?,
        };
        cropped.surround(&dims().map(|(_, [a, _])| added(a)).collect(), value, shape)
    }

    /// This tensor in a larger one of `value`s, with its first element at the index `start`.
    #[track_caller]
    pub(crate) fn surround(&self, start: &Shape, value: f64, shape: &Shape) -> Result<Tensor> {
        if shape == self.shape() {
            return Ok(self.clone());
        }
        let x = self.detach().contiguous()?;
        let out = dispatch!(self.dtype(), T => {
            let mut out = shape.allocate::<T>("pad")?;
            blocks::pad(x.as_slice::<T>()?, x.shape(), start, T::from_f64(value), shape, &mut out);
            Tensor::from_parts(out, shape.clone())
        });
        record(SurroundBackward { start: start.clone(), input: self.shape().clone() }, &[self], &[], out)
    }

    /// Padding with elements of the tensor, one dimension after the other.
    #[track_caller]
    fn pad_from_itself(&self, pairs: &[[isize; 2]], mode: PadMode, shape: &Shape) -> Result<Tensor> {
        // Before anything is copied for a result that there is no room for.
        shape.checked_numel("pad")?;
        let mut x = self.clone();
        for (k, &[before, after]) in pairs.iter().enumerate() {
            if [before, after] == [0, 0] {
                continue;
            }
            let dim = self.rank() - 1 - k;
            let n = self.shape()[dim] as i64;
            let (first, kept) = (-before.min(0) as i64, n + (before.min(0) + after.min(0)) as i64);
            let source = |i: i64| match mode {
                PadMode::Reflect if i < 0 => -i,
                PadMode::Reflect if i >= n => 2 * (n - 1) - i,
                PadMode::Circular => first + (i - first).rem_euclid(kept.max(1)),
                _ => i.clamp(0, (n - 1).max(0)),
            };
            let length = Shape::from([shape[dim]]);
            let mut index = length.allocate::<i64>("pad")?;
            for (place, index) in index.iter_mut().enumerate() {
                *index = source(place as i64 - before as i64);
            }
            x = x.index_select(dim as isize, &Tensor::from_parts(index, length))?;
        }
        Ok(x)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["[1]", "1 numbers"], || values(1, [3]).pad([1], PadMode::default())),
            Refusal::new(&["[1, 1, 1, 1]", "[3]"], || values(1, [3]).pad([1, 1, 1, 1], PadMode::default())),
            Refusal::new(&["(-2, -2)", "size 3"], || values(1, [2, 3]).pad([-2, -2], PadMode::default())),
            Refusal::new(&["(3, 0)", "size 3"], || values(1, [2, 3]).pad([3, 0], PadMode::Reflect)),
            Refusal::new(&["(0, 4)", "size 3"], || values(1, [2, 3]).pad([0, 4], PadMode::Circular)),
        ]
    },
    bench: &[(&[&[64, 16, 28, 28]], |x| Ok(vec![x[0].pad([1, 1, 1, 1], PadMode::Constant(0.0))?]))],
    ..Row::new("pad", "torch.nn.functional.pad", || {
        vec![
            Sample::new("constant", [values(1, [2, 3])], |x| x[0].pad([1, 2, 0, 1], PadMode::Constant(0.5))),
            Sample::new("middle", [values(1, [2, 2, 2])], |x| {
                x[0].pad([0, 0, 1, 1], PadMode::Constant(0.0))
            }),
            Sample::new("taken away", [values(1, [2, 4])], |x| x[0].pad([-1, 2], PadMode::Constant(0.0))),
            Sample::new("reflect", [values(1, [3, 3])], |x| x[0].pad([2, 1, -1, 2], PadMode::Reflect)),
            Sample::new("replicate", [values(1, [2, 3])], |x| x[0].pad([2, 1, -1, 2], PadMode::Replicate)),
            Sample::new("circular", [values(1, [2, 3])], |x| x[0].pad([3, 1, 1, 0], PadMode::Circular)),
        ]
    })
};
