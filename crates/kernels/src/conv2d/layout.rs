//! Where in a canvas the taps of a kernel find their inputs.

use std::ops::Range;

use super::axis::Axis;
use super::canvas::gather;
use super::correlate::SLACK;
use crate::Number;
use crate::memory::{OutOfMemory, try_vec};

/// Canvases are kept below this many elements where bands of rows can do it, to stay in the second-level cache.
const CANVAS: usize = 1 << 17;
/// Bands have at least this many rows: the rows that a kernel reaches beyond a band are copied twice.
const FEWEST_ROWS: usize = 4;
/// Estimated nanoseconds that are worth a task of their own.
const TASK_NS: f64 = 50_000.0;
/// There are at least this many tasks, where the work is worth it.
const TASKS: f64 = 8.0;

/// The rows of a band, where each of `rows` rows needs `row_len` elements of canvas, in `images` images that
/// take `ns` nanoseconds.
pub(super) fn band(rows: usize, row_len: usize, images: usize, ns: f64) -> usize {
    let fitting = CANVAS / row_len.max(1);
    let tasks = (ns / TASK_NS).clamp(1.0, TASKS) as usize;
    let sharing = rows.div_ceil(tasks.div_ceil(images.max(1)));
    fitting.min(sharing).clamp(FEWEST_ROWS.min(rows).max(1), rows.max(1))
}

/// The output rows in bands, and the remainders that rows and columns of the input are sorted by.
pub(super) struct Bands {
    axes: [Axis; 2],
    residues: [Vec<usize>; 2],
    channels: usize,
    /// Rows in a band, but for the last.
    rows: usize,
}

impl Bands {
    /// Bands for all of whose channels a canvas is small enough.
    pub(super) fn new(axes: [Axis; 2], channels: usize, images: usize, ns: f64) -> Result<Self, OutOfMemory> {
        let residues = [axes[0].residues()?, axes[1].residues()?];
        let mut bands = Bands { axes, residues, channels, rows: axes[0].output };
        let row_len = channels * bands.classes() * bands.pitch();
        bands.rows = band(axes[0].output, row_len, images, ns);
        Ok(bands)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.axes[0].output.div_ceil(self.rows)
    }

    /// The canvas of a band.
    pub(super) fn layout(&self, band: usize) -> Layout<'_> {
        let start = band * self.rows;
        Layout { bands: self, rows: start..(start + self.rows).min(self.axes[0].output) }
    }

    fn classes(&self) -> usize {
        self.residues[0].len() * self.residues[1].len()
    }

    /// Distance of rows in a canvas, and of the rows of results.
    fn pitch(&self) -> usize {
        self.axes[1].output + self.axes[1].reach()
    }
}

/// The canvas of the inputs that a band of output rows meets: for each channel, for each remainder class of
/// rows and of columns, a padded plane.
pub(super) struct Layout<'a> {
    bands: &'a Bands,
    rows: Range<usize>,
}

impl Layout<'_> {
    /// The output rows.
    pub(super) fn rows(&self) -> &Range<usize> {
        &self.rows
    }

    /// Distance of rows in a canvas, and of the rows of results.
    pub(super) fn pitch(&self) -> usize {
        self.bands.pitch()
    }

    /// The elements of the canvas.
    pub(super) fn canvas_len(&self) -> usize {
        self.bands.channels * self.channel_len()
    }

    fn plane_len(&self) -> usize {
        (self.rows.len() + self.bands.axes[0].reach()) * self.pitch()
    }

    /// Distance of channels. Zeros between them keep a channel's results free of the next one's values.
    fn channel_len(&self) -> usize {
        self.bands.classes() * self.plane_len() + SLACK
    }

    /// Number of results, those between rows included.
    pub(super) fn len(&self) -> usize {
        (self.rows.len() - 1) * self.pitch() + self.bands.axes[1].output
    }

    /// Fills the canvas from the planes of an image's channels.
    pub(super) fn fill<T: Number>(&self, image: &[T], canvas: &mut [T]) {
        let Bands { axes, residues, .. } = self.bands;
        let plane_len = axes[0].input * axes[1].input;
        let channels = canvas.chunks_exact_mut(self.channel_len());
        for (c, channel) in channels.enumerate() {
            let plane = &image[c * plane_len..][..plane_len];
            let (classes, slack) = channel.split_at_mut(self.bands.classes() * self.plane_len());
            let mut classes = classes.chunks_exact_mut(self.plane_len());
            for &a in &residues[0] {
                for &b in &residues[1] {
                    let rows = axes[0].met(&self.rows, a);
                    let columns = axes[1].met(&(0..axes[1].output), b);
                    let out = classes.next().expect("one plane for each pair of remainders");
                    gather(plane, axes[1].input, (rows, columns), out);
                }
            }
            slack.fill(T::ZERO);
        }
    }

    /// For each channel and kernel element, where the input for the first output is, with room for some more places. It
    /// is the same for all bands of as many rows.
    pub(super) fn taps(&self, more: usize) -> Result<Vec<usize>, OutOfMemory> {
        let Bands { axes, residues, channels, .. } = self.bands;
        let index = |dim: usize, tap: usize| {
            residues[dim].binary_search(&axes[dim].residue(tap)).expect("a remainder that a tap meets")
        };
        let [kh, kw] = axes.map(|axis| axis.kernel);
        let mut taps = try_vec(channels * kh * kw + more)?;
        for c in 0..*channels {
            for i in 0..kh {
                for j in 0..kw {
                    let class = index(0, i) * residues[1].len() + index(1, j);
                    let shift = axes[0].shift(i) * self.pitch() + axes[1].shift(j);
                    taps.push(c * self.channel_len() + class * self.plane_len() + shift);
                }
            }
        }
        Ok(taps)
    }
}
