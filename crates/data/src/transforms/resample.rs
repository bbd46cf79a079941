//! Images in another size.

use chainrule_tensor::Result;

use super::scratch::with_scratch;
use super::{Image, ImageSize};
use crate::allocate::{too_large, try_vec};

/// Writes a rectangle of an image, `(top, left)` and `[height, width]`, in the size `[rows, columns]`: a bilinear
/// filter that is widened where the image becomes smaller (PyTorch: `interpolate` with `mode="bilinear"` and
/// `antialias=True`). Fails where there is no memory for the weights or the image between its two directions.
pub(super) fn resample(
    operation: &str,
    image: Image<'_>,
    (top, left): (usize, usize),
    [height, width]: [usize; 2],
    [rows, columns]: [usize; 2],
    out: &mut [f32],
) -> Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    let ImageSize { channels, .. } = image.size();
    let horizontal = Filter::new(operation, width, columns)?;
    let vertical = Filter::new(operation, height, rows)?;
    with_scratch(operation, height.saturating_mul(columns), |narrow| {
        for channel in 0..channels {
            for (row, narrow) in (top..top + height).zip(narrow.chunks_exact_mut(columns)) {
                let from = &image.row(channel, row)[left..][..width];
                for (to, (start, weights)) in narrow.iter_mut().zip(horizontal.pixels()) {
                    let from = &from[start..][..weights.len()];
                    *to = from.iter().zip(weights).map(|(x, w)| x * w).sum();
                }
            }
            let out = &mut out[channel * rows * columns..][..rows * columns];
            for (to, (start, weights)) in out.chunks_exact_mut(columns).zip(vertical.pixels()) {
                to.fill(0.0);
                for (row, &weight) in (start..).zip(weights) {
                    let from = &narrow[row * columns..][..columns];
                    to.iter_mut().zip(from).for_each(|(to, x)| *to += x * weight);
                }
            }
        }
        Ok(())
    })
}

/// What neighbouring pixels contribute to each pixel, in one direction.
struct Filter {
    /// For each pixel, the first that contributes to it, and where its weights end.
    spans: Vec<(usize, usize)>,
    /// Those of all pixels, one after the other.
    weights: Vec<f32>,
}

impl Filter {
    /// For `to` pixels that come of `from`; neither is 0.
    fn new(operation: &str, from: usize, to: usize) -> Result<Filter> {
        let scale = from as f64 / to as f64;
        let reach = scale.max(1.0);
        let mut spans = try_vec(operation, to)?;
        let mut weights = Vec::new();
        for i in 0..to {
            let middle = scale * (i as f64 + 0.5);
            let start = (middle - reach + 0.5).max(0.0) as usize;
            let end = ((middle + reach + 0.5) as usize).min(from);
            let weight = |j: usize| (1.0 - ((j as f64 - middle + 0.5) / reach).abs()).max(0.0);
            let total: f64 = (start..end).map(weight).sum();
            if weights.try_reserve(end - start).is_err() {
                return Err(too_large(operation, weights.len() + (end - start), size_of::<f32>()));
            }
            weights.extend((start..end).map(|j| (weight(j) / total) as f32));
            spans.push((start, weights.len()));
        }
        Ok(Filter { spans, weights })
    }

    /// For each pixel, the first that contributes to it, and the weights of that one and those after it.
    fn pixels(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let mut before = 0;
        self.spans.iter().map(move |&(start, end)| {
            let weights = &self.weights[before..end];
            before = end;
            (start, weights)
        })
    }
}
