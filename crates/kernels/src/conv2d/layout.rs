//! Where in a canvas the taps of a kernel find their inputs.

use std::ops::Range;

use super::axis::Axis;
use super::canvas::gather;
use super::correlate::SLACK;
use crate::Number;

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

/// The canvas of the inputs that a band of output rows meets: for each channel, for each remainder class of
/// rows and of columns, a padded plane.
pub(super) struct Layout {
    axes: [Axis; 2],
    residues: [Vec<usize>; 2],
    rows: Range<usize>,
}

impl Layout {
    /// The layout for output rows `rows`.
    pub(super) fn new(axes: [Axis; 2], rows: Range<usize>) -> Self {
        Layout { axes, residues: [axes[0].residues(), axes[1].residues()], rows }
    }

    /// Output rows in a band for all of whose channels a canvas is small enough.
    pub(super) fn band(axes: [Axis; 2], channels: usize, images: usize, ns: f64) -> usize {
        let all = Layout::new(axes, 0..axes[0].output);
        band(axes[0].output, channels * all.classes() * all.pitch(), images, ns)
    }

    /// The output rows.
    pub(super) fn rows(&self) -> &Range<usize> {
        &self.rows
    }

    fn classes(&self) -> usize {
        self.residues[0].len() * self.residues[1].len()
    }

    /// Distance of rows in a canvas, and of the rows of results.
    pub(super) fn pitch(&self) -> usize {
        self.axes[1].output + self.axes[1].reach()
    }

    fn plane_len(&self) -> usize {
        (self.rows.len() + self.axes[0].reach()) * self.pitch()
    }

    /// Distance of channels. Zeros between them keep a channel's results free of the next one's values.
    pub(super) fn channel_len(&self) -> usize {
        self.classes() * self.plane_len() + SLACK
    }

    /// Number of results, those between rows included.
    pub(super) fn len(&self) -> usize {
        (self.rows.len() - 1) * self.pitch() + self.axes[1].output
    }

    /// Fills the canvas from the planes of an image's channels.
    pub(super) fn fill<T: Number>(&self, image: &[T], canvas: &mut [T]) {
        let plane_len = self.axes[0].input * self.axes[1].input;
        let channels = canvas.chunks_exact_mut(self.channel_len());
        for (c, channel) in channels.enumerate() {
            let plane = &image[c * plane_len..][..plane_len];
            let (classes, slack) = channel.split_at_mut(self.classes() * self.plane_len());
            let mut classes = classes.chunks_exact_mut(self.plane_len());
            for &a in &self.residues[0] {
                for &b in &self.residues[1] {
                    let rows = self.axes[0].met(&self.rows, a);
                    let columns = self.axes[1].met(&(0..self.axes[1].output), b);
                    let out = classes.next().expect("one plane for each pair of remainders");
                    gather(plane, self.axes[1].input, (rows, columns), out);
                }
            }
            slack.fill(T::ZERO);
        }
    }

    /// For each channel and kernel element, where the input for the first output is.
    pub(super) fn taps(&self, channels: usize) -> Vec<usize> {
        let index = |dim: usize, tap: usize| {
            let residue = self.axes[dim].residue(tap);
            self.residues[dim].iter().position(|&r| r == residue).expect("a remainder that a tap meets")
        };
        let [kh, kw] = self.axes.map(|axis| axis.kernel);
        let mut taps = Vec::with_capacity(channels * kh * kw);
        for c in 0..channels {
            for i in 0..kh {
                for j in 0..kw {
                    let class = index(0, i) * self.residues[1].len() + index(1, j);
                    let shift = self.axes[0].shift(i) * self.pitch() + self.axes[1].shift(j);
                    taps.push(c * self.channel_len() + class * self.plane_len() + shift);
                }
            }
        }
        taps
    }
}
