//! Mean and variance of each channel.

use std::ops::Range;

use super::partial::{Partial, Pass, WIDTH};
use crate::Float;
use crate::lanes::{LANES, accumulate, merge};
use crate::scaling::{near_one, not_negative, two_sum};
use crate::simd::Kernel;

/// Mean and squared differences from it of the values of a channel.
///
/// Values are multiplied by a power of two, `scale`, where their squares would leave the range of `f64`, and 1 else. The mean
/// of what they are multiplied to is `mean + rest`: around a large mean a small variance hangs on what rounding took.
/// `squares` is the sum of the squared differences from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// What the values are multiplied by.
    pub scale: f64,
    /// The mean.
    pub mean: f64,
    /// What the mean lacks.
    pub rest: f64,
    /// The sum of the squared differences.
    pub squares: f64,
}

/// What values are normalised with: x̂ = (x · `scale` − `mean` − `rest`) · `inverse`, where `mean` is a number of the
/// values' type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    /// A power of two, 1 unless the values are far from 1.
    pub scale: f64,
    /// Their mean.
    pub mean: f64,
    /// What rounding took from the mean.
    pub rest: f64,
    /// 1 / √(variance + eps)
    pub inverse: f64,
}

impl Moments {
    /// As four numbers.
    pub fn to_array(self) -> [f64; 4] {
        [self.scale, self.mean, self.rest, self.squares]
    }

    /// From its four numbers.
    pub fn from_array([scale, mean, rest, squares]: [f64; 4]) -> Moments {
        Moments { scale, mean, rest, squares }
    }

    /// What `count` values of `T` are normalised with.
    pub fn normal<T: Float>(self, count: f64, eps: f64) -> Normal {
        let Moments { scale, mean, rest, squares } = self;
        let deviation = (squares / count + eps * scale * scale).sqrt();
        // Squares of an `f32` are numbers of `f64`, but differences or the reciprocal may be none of `f32`.
        let far = size_of::<T>() == 4 && !(1e-18..1e18).contains(&deviation);
        let near = if far { near_one::<T>(deviation) } else { 1.0 };
        let [scale, mean, rest, inverse] = [scale * near, mean * near, rest * near, 1.0 / (deviation * near)];
        let rounded = T::from_f64(mean).to_f64();
        Normal { scale, mean: rounded, rest: (mean - rounded) + rest, inverse }
    }
}

impl Normal {
    /// With mean and variance that are given.
    pub fn given<T: Float>(mean: T, var: T, eps: f64) -> Normal {
        let inverse = 1.0 / (var.to_f64() + eps).sqrt();
        Normal { scale: 1.0, mean: mean.to_f64(), rest: 0.0, inverse }
    }

    /// As four numbers.
    pub fn to_array(self) -> [f64; 4] {
        [self.scale, self.mean, self.rest, self.inverse]
    }

    /// From its four numbers.
    pub fn from_array([scale, mean, rest, inverse]: [f64; 4]) -> Normal {
        Normal { scale, mean, rest, inverse }
    }
}

/// Calls `write` with the moments of each channel of a contiguous `[N, C, S]` array, in order; NaN of no positions. A
/// variance far below `negligible` need not be exact.
///
/// Each block's squared differences are taken from its own mean, in `f64`, and blocks are merged by the
/// pairwise rule of Chan, Golub and LeVeque (1979), so that a large mean does not drown a small variance.
pub fn moments<T: Float>(x: &[T], dims: [usize; 3], negligible: f64, mut write: impl FnMut(usize, Moments)) {
    let [n, c, s] = dims;
    assert_eq!(x.len(), n * c * s, "input length");
    if x.is_empty() {
        let nothing = Moments { scale: 1.0, mean: f64::NAN, rest: 0.0, squares: f64::NAN };
        return (0..c).for_each(|channel| write(channel, nothing));
    }
    let partial = Partial::new(dims, &Differences { x, dims });
    for channel in 0..c {
        let moments = merged(partial.of_channel(channel));
        let variance = moments.squares / (n * s) as f64;
        // Squares of `f32` are in the range of `f64`, whatever they are.
        let in_range = size_of::<T>() == 4 || variance < 1e300 && variance.max(negligible) > 1e-270;
        let careful = || {
            let values = (0..n * s).map(|i| x[(i / s * c + channel) * s + i % s].to_f64());
            in_a_scale_of_their_own(values, negligible)
        };
        write(channel, if in_range { moments } else { careful().unwrap_or(moments) });
    }
}

/// The moments of all blocks of a channel, from the number of positions of each and its [mean, rest, squares].
fn merged(blocks: impl Iterator<Item = (usize, [f64; 3])>) -> Moments {
    let (mut count, mut of_all) = (0.0, Moments { scale: 1.0, mean: 0.0, rest: 0.0, squares: 0.0 });
    for (more, [mean, rest, squares]) in blocks {
        let more = more as f64;
        if count == 0.0 {
            of_all = Moments { mean, rest, squares, ..of_all };
        } else {
            let total = count + more;
            let difference = (mean - of_all.mean) + (rest - of_all.rest);
            [of_all.mean, of_all.rest] = two_sum(of_all.mean, of_all.rest + difference * (more / total));
            of_all.squares += squares + difference * difference * (count * more / total);
        }
        count += more;
    }
    of_all
}

/// The moments of numbers whose squares are too large or too small; `None` where some are infinite or NaN.
#[cold]
fn in_a_scale_of_their_own(values: impl Iterator<Item = f64> + Clone, negligible: f64) -> Option<Moments> {
    let mut largest = 0.0f64;
    let mut count = 0.0;
    for v in values.clone() {
        if !v.is_finite() {
            return None;
        }
        largest = largest.max(v.abs());
        count += 1.0;
    }
    let scale = near_one::<f64>(largest.max(negligible.sqrt()));
    let scaled = values.map(|v| v * scale);
    let mean = scaled.clone().sum::<f64>() / count;
    let rest = scaled.clone().map(|v| v - mean).sum::<f64>() / count;
    let squares = scaled.map(|v| (v - mean) * (v - mean)).sum::<f64>();
    Some(Moments { scale, mean, rest, squares: not_negative(squares - count * rest * rest) })
}

/// Mean, what rounding took from it, and the sum of squared differences from it.
struct Differences<'a, T> {
    x: &'a [T],
    dims: [usize; 3],
}

impl<T: Float> Pass<3> for Differences<'_, T> {
    fn channel(&self, channel: usize, rows: Range<usize>) -> [f64; 3] {
        T::run(ChannelDifferences { x: self.x, dims: self.dims, channel, rows })
    }

    fn columns(&self, first: usize, rows: Range<usize>, out: &mut [[f64; 3]]) {
        let inner = self.dims[1] * self.dims[2];
        let x = &self.x[rows.start * inner..rows.end * inner];
        T::run(ColumnDifferences { x, inner, first, out });
    }
}

struct ChannelDifferences<'a, T> {
    x: &'a [T],
    dims: [usize; 3],
    channel: usize,
    rows: Range<usize>,
}

impl<T: Float> Kernel for ChannelDifferences<'_, T> {
    type Output = [f64; 3];
    #[inline(always)]
    fn run(self) -> [f64; 3] {
        let [_, c, s] = self.dims;
        let run = |row: usize| &self.x[(row * c + self.channel) * s..][..s];
        let count = (self.rows.len() * s) as f64;
        let mut lanes = [0.0; LANES];
        for row in self.rows.clone() {
            accumulate(&mut lanes, run(row), |sum, v| sum + v.to_f64());
        }
        let mean = merge(lanes, |a, b| a + b) / count;
        let mut lanes = [0.0; LANES];
        for row in self.rows.clone() {
            accumulate(&mut lanes, run(row), |sum, v| {
                let difference = v.to_f64() - mean;
                sum + difference * difference
            });
        }
        let squares = merge(lanes, |a, b| a + b);
        if size_of::<T>() == 4 {
            // The mean of numbers of half as many digits.
            return [mean, 0.0, squares];
        }
        let mut lanes = [0.0; LANES];
        for row in self.rows {
            accumulate(&mut lanes, run(row), |sum, v| sum + (v.to_f64() - mean));
        }
        let rest = merge(lanes, |a, b| a + b) / count;
        [mean, rest, not_negative(squares - count * rest * rest)]
    }
}

struct ColumnDifferences<'a, T> {
    x: &'a [T],
    inner: usize,
    first: usize,
    out: &'a mut [[f64; 3]],
}

impl<T: Float> Kernel for ColumnDifferences<'_, T> {
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
            *out = [mean, 0.0, squares];
        }
        if size_of::<T>() == 4 {
            return;
        }
        for row in self.x.chunks_exact(self.inner) {
            for ([mean, rest, _], &v) in self.out.iter_mut().zip(&row[self.first..][..width]) {
                *rest += (v.to_f64() - *mean) / rows as f64;
            }
        }
        for [_, rest, squares] in self.out {
            *squares = not_negative(*squares - rows as f64 * *rest * *rest);
        }
    }
}
