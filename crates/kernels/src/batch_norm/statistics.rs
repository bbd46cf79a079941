//! Mean and variance of each channel.

use std::ops::Range;

use super::partial::{Partial, Pass, WIDTH};
use crate::Float;
use crate::lanes::{LANES, accumulate, merge};
use crate::simd::Kernel;

/// The mean and the biased variance of each channel of a contiguous `[N, C, S]` array; NaN of no positions.
///
/// Each block's squared differences are taken from its own mean, in `f64`, and blocks are merged by the
/// pairwise rule of Chan, Golub and LeVeque (1979), so that a large mean does not drown a small variance.
pub fn statistics<T: Float>(x: &[T], dims: [usize; 3], mean: &mut [T], var: &mut [T]) {
    let [n, c, s] = dims;
    assert_eq!(x.len(), n * c * s, "input length");
    assert!(mean.len() == c && var.len() == c, "output lengths");
    if x.is_empty() {
        mean.fill(T::NAN);
        return var.fill(T::NAN);
    }
    let partial = Partial::new(dims, &Moments { x, dims });
    for (k, (mean, var)) in mean.iter_mut().zip(var).enumerate() {
        let (mut count, mut middle, mut squares) = (0.0, 0.0, 0.0);
        for (more, [m, q]) in partial.of_channel(k) {
            let more = more as f64;
            let total = count + more;
            let difference = m - middle;
            middle += difference * (more / total);
            squares += q + difference * difference * (count * more / total);
            count = total;
        }
        (*mean, *var) = (T::from_f64(middle), T::from_f64(squares / count));
    }
}

/// The mean and the sum of squared differences from it.
struct Moments<'a, T> {
    x: &'a [T],
    dims: [usize; 3],
}

impl<T: Float> Pass for Moments<'_, T> {
    fn channel(&self, channel: usize, rows: Range<usize>) -> [f64; 2] {
        T::run(ChannelMoments { x: self.x, dims: self.dims, channel, rows })
    }

    fn columns(&self, first: usize, rows: Range<usize>, out: &mut [[f64; 2]]) {
        let inner = self.dims[1] * self.dims[2];
        let x = &self.x[rows.start * inner..rows.end * inner];
        T::run(ColumnMoments { x, inner, first, out });
    }
}

struct ChannelMoments<'a, T> {
    x: &'a [T],
    dims: [usize; 3],
    channel: usize,
    rows: Range<usize>,
}

impl<T: Float> Kernel for ChannelMoments<'_, T> {
    type Output = [f64; 2];
    #[inline(always)]
    fn run(self) -> [f64; 2] {
        let [_, c, s] = self.dims;
        let run = |row: usize| &self.x[(row * c + self.channel) * s..][..s];
        let mut lanes = [0.0; LANES];
        for row in self.rows.clone() {
            accumulate(&mut lanes, run(row), |sum, v| sum + v.to_f64());
        }
        let mean = merge(lanes, |a, b| a + b) / (self.rows.len() * s) as f64;
        let mut lanes = [0.0; LANES];
        for row in self.rows {
            accumulate(&mut lanes, run(row), |sum, v| {
                let difference = v.to_f64() - mean;
                sum + difference * difference
            });
        }
        [mean, merge(lanes, |a, b| a + b)]
    }
}

struct ColumnMoments<'a, T> {
    x: &'a [T],
    inner: usize,
    first: usize,
    out: &'a mut [[f64; 2]],
}

impl<T: Float> Kernel for ColumnMoments<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let width = self.out.len();
        let rows = self.x.len() / self.inner;
        let (mut means, mut squares) = ([0.0; WIDTH], [0.0; WIDTH]);
        let (means, squares) = (&mut means[..width], &mut squares[..width]);
        for row in self.x.chunks_exact(self.inner) {
            for (sum, &v) in means.iter_mut().zip(&row[self.first..][..width]) {
                *sum += v.to_f64();
            }
        }
        means.iter_mut().for_each(|sum| *sum /= rows as f64);
        for row in self.x.chunks_exact(self.inner) {
            for ((sum, &v), &mean) in squares.iter_mut().zip(&row[self.first..][..width]).zip(means.iter()) {
                let difference = v.to_f64() - mean;
                *sum += difference * difference;
            }
        }
        for ((out, &mean), &squares) in self.out.iter_mut().zip(means.iter()).zip(squares.iter()) {
            *out = [mean, squares];
        }
    }
}
