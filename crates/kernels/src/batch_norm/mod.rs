//! Batch normalisation of a contiguous `[N, C, S]` array (S: all spatial positions) per channel.
//!
//! Where S is short (1 for the rows of a linear layer), a row of `C·S` numbers is worked on at once, else
//! each run of S numbers of a channel.

mod gradient;
mod partial;
mod statistics;
#[cfg(test)]
mod tests;

pub use gradient::backward;
pub use statistics::{Moments, Normal, moments};

use crate::Float;
use crate::parallel;
use crate::simd::Kernel;

/// The estimated time for an element of one pass, in nanoseconds.
const NS: f64 = 0.4;
/// Elements in a task.
const PIECE: usize = 16_384;
/// Channels with fewer positions than this are worked on in whole rows of `C·S`.
const SHORT: usize = 32;

/// x̂ · weight + bias for each channel, where x̂ is what [`Normal`] makes of x.
///
/// `normals`, `weight` (1 where absent) and `bias` (0 where absent) have C elements.
pub fn normalize<T: Float>(
    x: &[T],
    [n, c, s]: [usize; 3],
    normals: &[Normal],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    out: &mut [T],
) {
    assert_eq!(x.len(), n * c * s, "input length");
    assert_eq!(out.len(), x.len(), "output length");
    assert_eq!(normals.len(), c, "channels");
    let affine = |k: usize| {
        let slope = normals[k].inverse * weight.map_or(1.0, |w| w[k].to_f64());
        // What the mean lacks is taken from the shift, where it costs nothing.
        let shift = bias.map_or(0.0, |b| b[k].to_f64()) - normals[k].rest * slope;
        [normals[k].mean, slope, shift].map(T::from_f64)
    };
    if normals.iter().all(|normal| normal.scale == 1.0) {
        let parameters: Vec<[T; 3]> = (0..c).map(affine).collect();
        by_channel((x, x), [n, c, s], &parameters, out, |v, _, [mean, slope, shift]| {
            (v - mean) * slope + shift
        });
    } else {
        let with_scale = |k: usize| {
            let [mean, slope, shift] = affine(k);
            [T::from_f64(normals[k].scale), mean, slope, shift]
        };
        let parameters: Vec<[T; 4]> = (0..c).map(with_scale).collect();
        by_channel((x, x), [n, c, s], &parameters, out, |v, _, [scale, mean, slope, shift]| {
            (v * scale - mean) * slope + shift
        });
    }
}

/// `out = f(a, b, parameters of the channel)` for each element.
fn by_channel<T: Float, const P: usize>(
    (a, b): (&[T], &[T]),
    [n, c, s]: [usize; 3],
    parameters: &[[T; P]],
    out: &mut [T],
    f: impl Fn(T, T, [T; P]) -> T + Sync,
) {
    let ns = NS * out.len() as f64;
    if out.is_empty() {
    } else if s < SHORT {
        let columns: [Vec<T>; P] =
            std::array::from_fn(|p| (0..c * s).map(|column| parameters[column / s][p]).collect());
        let columns: [&[T]; P] = std::array::from_fn(|p| &columns[p][..]);
        let piece = (PIECE / (c * s)).clamp(1, n) * c * s;
        parallel::chunks_mut(out, piece, ns, |i, out| {
            let (a, b) = (&a[i * piece..][..out.len()], &b[i * piece..][..out.len()]);
            T::run(ShortRuns { a, b, columns, out, f: &f });
        });
    } else {
        let runs = (PIECE / s).max(1);
        parallel::chunks_mut(out, runs * s, ns, |i, out| {
            let (a, b) = (&a[i * runs * s..][..out.len()], &b[i * runs * s..][..out.len()]);
            T::run(LongRuns { a, b, s, parameters, first: i * runs, out, f: &f });
        });
    }
}

struct ShortRuns<'a, T, F, const P: usize> {
    a: &'a [T],
    b: &'a [T],
    columns: [&'a [T]; P],
    out: &'a mut [T],
    f: &'a F,
}

impl<T: Float, F: Fn(T, T, [T; P]) -> T, const P: usize> Kernel for ShortRuns<'_, T, F, P> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let width = self.columns[0].len();
        let columns = self.columns.map(|column| &column[..width]);
        let inputs = self.a.chunks_exact(width).zip(self.b.chunks_exact(width));
        for ((a, b), out) in inputs.zip(self.out.chunks_exact_mut(width)) {
            for j in 0..width {
                out[j] = (self.f)(a[j], b[j], columns.map(|column| column[j]));
            }
        }
    }
}

struct LongRuns<'a, T, F, const P: usize> {
    a: &'a [T],
    b: &'a [T],
    s: usize,
    parameters: &'a [[T; P]],
    first: usize,
    out: &'a mut [T],
    f: &'a F,
}

impl<T: Float, F: Fn(T, T, [T; P]) -> T, const P: usize> Kernel for LongRuns<'_, T, F, P> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let inputs = self.a.chunks_exact(self.s).zip(self.b.chunks_exact(self.s));
        for (k, ((a, b), out)) in inputs.zip(self.out.chunks_exact_mut(self.s)).enumerate() {
            let parameters = self.parameters[(self.first + k) % self.parameters.len()];
            for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *out = (self.f)(a, b, parameters);
            }
        }
    }
}
