//! Images in another size.

use super::scratch::with_scratch;
use super::{Image, ImageSize};

/// Writes a rectangle of an image, `(top, left)` and `[height, width]`, in the size `[rows, columns]`: a bilinear
/// filter that is widened where the image becomes smaller (PyTorch: `interpolate` with `mode="bilinear"` and
/// `antialias=True`).
pub(super) fn resample(
    image: Image<'_>,
    (top, left): (usize, usize),
    [height, width]: [usize; 2],
    [rows, columns]: [usize; 2],
    out: &mut [f32],
) {
    let ImageSize { channels, .. } = image.size();
    let horizontal: Vec<Weights> = (0..columns).map(|i| Weights::new(i, width, columns)).collect();
    let vertical: Vec<Weights> = (0..rows).map(|i| Weights::new(i, height, rows)).collect();
    with_scratch(height * columns, |narrow| {
        for channel in 0..channels {
            for (row, narrow) in (top..top + height).zip(narrow.chunks_exact_mut(columns.max(1))) {
                let from = &image.row(channel, row)[left..][..width];
                for (to, weights) in narrow.iter_mut().zip(&horizontal) {
                    let from = &from[weights.start..][..weights.values.len()];
                    *to = from.iter().zip(&weights.values).map(|(x, w)| x * w).sum();
                }
            }
            let out = &mut out[channel * rows * columns..][..rows * columns];
            for (to, weights) in out.chunks_exact_mut(columns.max(1)).zip(&vertical) {
                to.fill(0.0);
                for (row, &weight) in (weights.start..).zip(&weights.values) {
                    let from = &narrow[row * columns..][..columns];
                    to.iter_mut().zip(from).for_each(|(to, x)| *to += x * weight);
                }
            }
        }
    });
}

/// What neighbouring pixels contribute to one pixel, in one direction.
struct Weights {
    start: usize,
    values: Vec<f32>,
}

impl Weights {
    /// For pixel `i` of `to` that come of `from`.
    fn new(i: usize, from: usize, to: usize) -> Weights {
        let scale = from as f64 / to as f64;
        let reach = scale.max(1.0);
        let middle = scale * (i as f64 + 0.5);
        let start = (middle - reach + 0.5).max(0.0) as usize;
        let end = ((middle + reach + 0.5) as usize).min(from);
        let weight = |j: usize| (1.0 - ((j as f64 - middle + 0.5) / reach).abs()).max(0.0);
        let total: f64 = (start..end).map(weight).sum();
        Weights { start, values: (start..end).map(|j| (weight(j) / total) as f32).collect() }
    }
}
