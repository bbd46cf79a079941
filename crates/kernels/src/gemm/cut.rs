//! One dimension in pieces.

use std::ops::Range;

/// A dimension cut into nearly equal pieces, each a multiple of a unit (the last may be shorter).
#[derive(Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) size: usize,
    pub(crate) pieces: usize,
    unit: usize,
    /// Units in each piece, the first few of which have one more.
    units: usize,
    longer: usize,
}

impl Cut {
    /// At most `pieces` pieces, none of them empty unless the whole is.
    pub(crate) fn into(size: usize, pieces: usize, unit: usize) -> Self {
        let units = size.div_ceil(unit);
        let pieces = pieces.min(units).max(1);
        Cut { size, pieces, unit, units: units / pieces, longer: units % pieces }
    }

    /// The fewest pieces of at most `most`, which is rounded down to whole units, but not to none.
    pub(crate) fn of_at_most(size: usize, most: usize, unit: usize) -> Self {
        Cut::into(size, size.div_ceil((most / unit).max(1) * unit), unit)
    }

    pub(crate) fn range(&self, piece: usize) -> Range<usize> {
        self.start(piece)..self.start(piece + 1)
    }

    fn start(&self, piece: usize) -> usize {
        ((piece * self.units + piece.min(self.longer)) * self.unit).min(self.size)
    }

    /// No piece is longer.
    pub(crate) fn longest(&self) -> usize {
        (self.units + usize::from(self.longer > 0)) * self.unit
    }
}
