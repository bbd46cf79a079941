//! How a matrix product is cut into blocks.

/// Speed of one thread that costs are estimated with, in floating-point operations a nanosecond.
const SPEED: f64 = 60.0;
/// Blocks are multiples of this many rows and columns, the size of the largest micro-kernel.
const TILE: usize = 16;
/// The depth is cut into multiples of this, the depth to which operands are packed at a time.
const DEPTH_TILE: usize = 256;

/// The estimated time of a product on one thread.
pub(super) fn nanoseconds(m: usize, n: usize, k: usize) -> f64 {
    20.0 + 2.0 * m as f64 * n as f64 * k as f64 / SPEED
}

/// One dimension, cut into `count` pieces of `piece` (the last may be shorter).
pub(super) struct Cut {
    size: usize,
    piece: usize,
    pub(super) count: usize,
}

impl Cut {
    /// At most `pieces` pieces, each a multiple of `tile`, and none of them empty.
    pub(super) fn new(size: usize, pieces: usize, tile: usize) -> Self {
        let piece = size.div_ceil(pieces.max(1)).next_multiple_of(tile).max(1);
        Cut { size, piece, count: size.div_ceil(piece).max(1) }
    }

    /// Start and length of a piece.
    pub(super) fn range(&self, index: usize) -> (usize, usize) {
        let start = index * self.piece;
        (start, self.piece.min(self.size - start))
    }
}

/// A product cut into blocks of the output, and of the depth where these are too few.
pub(super) struct Plan {
    pub(super) rows: Cut,
    pub(super) columns: Cut,
    pub(super) depth: Cut,
    pub(super) nanoseconds: f64,
}

impl Plan {
    pub(super) fn new(m: usize, n: usize, k: usize) -> Self {
        let nanoseconds = nanoseconds(m, n, k);
        // A few blocks as soon as a second thread is worth it, many only for large products: each block packs
        // its operands anew.
        let wanted = (nanoseconds / 60_000.0).min(8.0).max((nanoseconds / 2e6).min(64.0)) as usize;
        let wanted = wanted.max(1);
        let cut = |rows: usize| {
            let rows = Cut::new(m, rows, TILE);
            let columns = Cut::new(n, wanted.div_ceil(rows.count), TILE);
            (rows, columns)
        };
        let packed = |(rows, columns): &(Cut, Cut)| rows.count * n + columns.count * m;
        // Most blocks first, then least packing.
        let (rows, columns) = (1..=wanted)
            .map(cut)
            .min_by_key(|cut| (wanted.saturating_sub(cut.0.count * cut.1.count), packed(cut)))
            .expect("at least one way to cut");
        let parts = wanted / (rows.count * columns.count);
        let depth = Cut::new(k, parts.max(1), DEPTH_TILE);
        Plan { rows, columns, depth, nanoseconds }
    }

    pub(super) fn tasks(&self) -> usize {
        self.rows.count * self.columns.count * self.depth.count
    }
}
