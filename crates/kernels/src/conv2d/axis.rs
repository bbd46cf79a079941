//! One dimension of a convolution.

use std::ops::Range;

use super::canvas::Lattice;

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
    pub(super) fn residues(&self) -> Vec<usize> {
        let mut residues: Vec<usize> = (0..self.kernel).map(|tap| self.residue(tap)).collect();
        residues.sort_unstable();
        residues.dedup();
        residues
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
