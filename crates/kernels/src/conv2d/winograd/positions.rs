//! Where the numbers of the 36 positions are in memory.

use super::{LINE, POSITIONS};

/// For each position, for each register of channels, for each row (a tile, or another channel) one register.
#[derive(Clone, Copy)]
pub(super) struct Positions {
    channels: usize,
    /// The number of rows that there is memory for.
    pub(super) rows: usize,
}

impl Positions {
    pub(super) fn new(channels: usize, rows: usize) -> Self {
        Positions { channels, rows }
    }

    /// Distance of positions. A line more than what is used keeps them from competing for places in the cache.
    pub(super) fn step(&self) -> usize {
        self.channels.next_multiple_of(LINE) * self.rows + LINE
    }

    /// The numbers of all positions.
    pub(super) fn len(&self) -> usize {
        POSITIONS * self.step()
    }

    /// Where a row is at a position, the register being that of channels from `group · lanes` on.
    #[inline(always)]
    pub(super) fn at(&self, position: usize, group: usize, row: usize, lanes: usize) -> usize {
        position * self.step() + (group * self.rows + row) * lanes
    }

    /// Registers of channels.
    #[inline(always)]
    pub(super) fn groups(&self, lanes: usize) -> usize {
        self.channels.div_ceil(lanes)
    }
}
