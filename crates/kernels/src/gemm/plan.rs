//! How a matrix product is shared out: in blocks.

use super::cut::Cut;

/// Speed of one thread that costs are estimated with, in floating-point operations a nanosecond.
const SPEED: f64 = 90.0;
/// A piece of work worth handing to another thread.
const PIECE_NS: f64 = 20_000.0;
/// As much work for each thread is worth cutting once more, so that threads which are held up leave it to others.
const EVEN_NS: f64 = 100_000.0;
/// Rows and columns of the smallest block that is computed at full speed.
const BLOCK: usize = 64;
/// Blocks are multiples of this many rows and columns.
const TILE: usize = 32;
/// The depth is cut into multiples of this, the depth to which operands are packed at a time.
const DEPTH_TILE: usize = 256;

/// The estimated time of a product on one thread.
pub(super) fn nanoseconds(m: usize, n: usize, k: usize) -> f64 {
    20.0 + 2.0 * m as f64 * n as f64 * k as f64 / SPEED
}

/// A product cut into blocks of the output, and of the depth where these are too few.
///
/// The depth is cut by the sizes alone, because how it is cut shows in the last bits of a result; rows and columns are
/// cut for the number of threads, because that does not show.
pub(super) struct Plan {
    pub(super) rows: Cut,
    pub(super) columns: Cut,
    pub(super) depth: Cut,
    pub(super) nanoseconds: f64,
}

impl Plan {
    pub(super) fn new((m, n, k): (usize, usize, usize), threads: usize) -> Self {
        let nanoseconds = nanoseconds(m, n, k);
        // As many pieces as are worth a thread.
        let wanted = ((nanoseconds / PIECE_NS) as usize).max(1);
        let blocks = m.div_ceil(BLOCK) * n.div_ceil(BLOCK);
        let depth = Cut::into(k, (wanted.min(8) / blocks).max(1), DEPTH_TILE);
        // Up to four pieces for each thread even out what else runs on the machine; each block packs its operands anew.
        let each = ((nanoseconds / threads as f64 / EVEN_NS) as usize).clamp(1, 4);
        let pieces = if threads == 1 { 1 } else { wanted.min(each * threads).div_ceil(depth.pieces) };
        let cut = |rows: usize| {
            let rows = Cut::into(m, rows, TILE);
            let columns = Cut::into(n, pieces.div_ceil(rows.pieces), TILE);
            (rows, columns)
        };
        let packed = |(rows, columns): &(Cut, Cut)| rows.pieces * n + columns.pieces * m;
        // Most blocks first, then least packing.
        let (rows, columns) = (1..=pieces)
            .map(cut)
            .min_by_key(|cut| (pieces.saturating_sub(cut.0.pieces * cut.1.pieces), packed(cut)))
            .expect("at least one way to cut");
        Plan { rows, columns, depth, nanoseconds }
    }

    pub(super) fn tasks(&self) -> usize {
        self.rows.pieces * self.columns.pieces * self.depth.pieces
    }
}
