//! The tiles of all images, and blocks of them.

use std::ops::Range;

use super::{LINE, POSITIONS, TILE};
use crate::gemm::cut::Cut;

/// Blocks have multiples of so many tiles, where there are so many: the rows that a product takes at once.
pub(super) const UNIT: usize = 14;
/// Tiles next to each other that are transformed together at most: for these, lines of one register of channels fill
/// half of a first-level cache.
pub(super) const STRIP: usize = 16;
/// What a block needs at all positions takes at most so many bytes, where blocks do not get too small: half of a
/// second-level cache.
const BLOCK_BYTES: usize = 1 << 20;
/// There are at least this many blocks, where the tiles are enough for it: more than processors, so that these have
/// equal shares.
const BLOCKS: usize = 8;

/// The tiles of a convolution of `batch` images.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    pub(super) batch: usize,
    /// Height and width of the images that are read.
    pub(super) input: [usize; 2],
    /// Height and width of the results.
    pub(super) output: [usize; 2],
    /// Zeros added at each side of the input, at most 2.
    pub(super) padding: [usize; 2],
}

impl Tiles {
    /// Tiles of an image, downwards and to the right.
    fn counts(&self) -> [usize; 2] {
        self.output.map(|size| size.div_ceil(TILE))
    }

    /// All of them.
    pub(super) fn len(&self) -> usize {
        let [down, right] = self.counts();
        self.batch * down * right
    }

    /// Blocks, each of which needs numbers for so many channels at each position.
    pub(super) fn blocks(&self, channels: usize) -> Cut {
        let fitting = BLOCK_BYTES / (POSITIONS * 4 * channels.next_multiple_of(LINE));
        let sharing = self.len().div_ceil(BLOCKS);
        let most = fitting.min(sharing.next_multiple_of(UNIT)).max(UNIT);
        Cut::of_at_most(self.len(), most, UNIT)
    }

    /// The strips of a block, which is not empty.
    #[inline(always)]
    pub(super) fn strips(&self, block: Range<usize>) -> impl Iterator<Item = Strip> {
        let [down, right] = self.counts();
        // A line of tiles in nearly equal parts.
        let most = right.div_ceil(right.div_ceil(STRIP));
        let (line, mut column) = (block.start / right, block.start % right);
        let (mut image, mut row, mut first) = (line / down, line % down, 0);
        std::iter::from_fn(move || {
            let left = block.len() - first;
            if left == 0 {
                return None;
            }
            if column == right {
                (column, row) = (0, row + 1);
            }
            if row == down {
                (row, image) = (0, image + 1);
            }
            let strip = Strip { first, image, row, column, count: most.min(right - column).min(left) };
            first += strip.count;
            column += strip.count;
            Some(strip)
        })
    }
}

/// Tiles next to each other.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    /// The number of its first tile in the block.
    pub(super) first: usize,
    pub(super) image: usize,
    /// Where in the image it is, in tiles.
    pub(super) row: usize,
    pub(super) column: usize,
    /// How many tiles.
    pub(super) count: usize,
}
