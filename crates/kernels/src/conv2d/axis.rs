//! One dimension of a convolution.

use std::ops::Range;

use super::canvas::Lattice;
use crate::memory::{OutOfMemory, try_collect};

#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) dilation: usize,
}

impl Axis {
    /// Which remainders of the padded position by the stride are met by some tap, ascending.
    pub(super) fn residues(&self) -> Result<Vec<usize>, OutOfMemory> {
        let mut residues = try_collect((0..self.kernel).map(|tap| self.residue(tap)), self.kernel)?;
        residues.sort_unstable();
        residues.dedup();
        Ok(residues)
    }

    /// The outputs that meet the input with a tap, and the place where the first of them does.
    pub(super) fn met_by(&self, tap: usize) -> (Range<usize>, usize) {
        let ahead = tap * self.dilation;
        let first = self.padding.saturating_sub(ahead).div_ceil(self.stride);
        let end = (self.input + self.padding).saturating_sub(ahead).div_ceil(self.stride).min(self.output);
        match first < end {
            true => (first..end, first * self.stride + ahead - self.padding),
            false => (0..0, 0),
        }
    }

    /// The remainder that a tap meets.
    pub(super) fn residue(&self, tap: usize) -> usize {
        tap * self.dilation % self.stride
    }

    /// How far ahead of the output position a tap looks, within its remainder class.
    pub(super) fn shift(&self, tap: usize) -> usize {
        tap * self.dilation / self.stride
    }

    /// The shift of the last tap.
    pub(super) fn reach(&self) -> usize {
        self.shift(self.kernel - 1)
    }

    /// The input positions of a remainder class that outputs `range` meet.
    pub(super) fn met(&self, range: &Range<usize>, residue: usize) -> Lattice {
        Lattice {
            start: (range.start * self.stride + residue) as isize - self.padding as isize,
            step: self.stride,
            count: range.len() + self.reach(),
        }
    }
}
