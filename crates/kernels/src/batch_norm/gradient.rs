//! The gradients of batch normalisation.

use std::ops::Range;

use super::partial::{Partial, Pass, WIDTH};
use super::{Normal, by_channel};
use crate::Float;
use crate::lanes::{LANES, accumulate, accumulate2, merge};
use crate::simd::Kernel;

/// The gradients of [`normalize`](super::normalize) with respect to x, weight and bias.
///
/// Where `training`, `normals` are those of `x` itself and the gradient flows through them too;
/// else they are constants. `grad_weight` and `grad_bias`, of C elements, are always written, whether or not
/// there is a weight or a bias.
#[expect(clippy::too_many_arguments, reason = "the arrays of the operation, each once")]
pub fn backward<T: Float>(
    grad: &[T],
    x: &[T],
    dims: [usize; 3],
    normals: &[Normal],
    weight: Option<&[T]>,
    training: bool,
    grad_x: Option<&mut [T]>,
    grad_weight: &mut [T],
    grad_bias: &mut [T],
) {
    let [n, c, s] = dims;
    assert!(x.len() == n * c * s && grad.len() == x.len(), "input lengths");
    assert!(grad_weight.len() == c && grad_bias.len() == c && normals.len() == c, "lengths of channels");
    if x.is_empty() {
        grad_weight.fill(T::ZERO);
        return grad_bias.fill(T::ZERO);
    }
    let scaled = normals.iter().any(|normal| normal.scale != 1.0);
    let sums = Sums { grad, x, normals, dims, scaled };
    let partial = Partial::new(dims, &sums);
    let count = (n * s) as f64;
    let parameters: Vec<[T; 5]> = (0..c)
        .map(|k| {
            let Normal { scale, mean, rest, inverse } = normals[k];
            let [sum, product] = partial.of_channel(k).fold([0.0; 2], |[a, b], (_, [x, y])| [a + x, b + y]);
            // The mean of ĝ·x̂, where x̂ is of the mean with what it lacks.
            let product = (product - rest * sum) * inverse;
            grad_bias[k] = T::from_f64(sum);
            grad_weight[k] = T::from_f64(product);
            let slope = product / count * inverse;
            let factor = inverse * weight.map_or(1.0, |w| w[k].to_f64());
            let average = sum / count - rest * slope;
            [mean, average, slope, factor, scale].map(T::from_f64)
        })
        .collect();
    let Some(grad_x) = grad_x else { return };
    assert_eq!(grad_x.len(), x.len(), "gradient length");
    if scaled {
        by_channel((grad, x), dims, &parameters, grad_x, |g, x, [mean, average, slope, factor, scale]| {
            (g - average - (x * scale - mean) * slope) * factor * scale
        });
        return;
    }
    let parameters: Vec<[T; 4]> =
        parameters.iter().map(|&[mean, average, slope, factor, _]| [mean, average, slope, factor]).collect();
    if training {
        by_channel((grad, x), dims, &parameters, grad_x, |g, x, [mean, average, slope, factor]| {
            (g - average - (x - mean) * slope) * factor
        });
    } else {
        by_channel((grad, grad), dims, &parameters, grad_x, |g, _, [_, _, _, factor]| g * factor);
    }
}

/// Σ g and Σ g·(x · scale − mean).
struct Sums<'a, T> {
    grad: &'a [T],
    x: &'a [T],
    normals: &'a [Normal],
    dims: [usize; 3],
    /// Whether any scale is another than 1.
    scaled: bool,
}

impl<T: Float> Pass<2> for Sums<'_, T> {
    fn channel(&self, channel: usize, rows: Range<usize>) -> [f64; 2] {
        T::run(ChannelSums { of: self, channel, rows })
    }

    fn columns(&self, first: usize, rows: Range<usize>, out: &mut [[f64; 2]]) {
        T::run(ColumnSums { of: self, first, rows, out });
    }
}

struct ChannelSums<'a, T> {
    of: &'a Sums<'a, T>,
    channel: usize,
    rows: Range<usize>,
}

impl<T: Float> Kernel for ChannelSums<'_, T> {
    type Output = [f64; 2];
    #[inline(always)]
    fn run(self) -> [f64; 2] {
        let [_, c, s] = self.of.dims;
        let Normal { scale, mean, .. } = self.of.normals[self.channel];
        let (mut sums, mut products) = ([0.0; LANES], [0.0; LANES]);
        for row in self.rows {
            let start = (row * c + self.channel) * s;
            let (grad, x) = (&self.of.grad[start..][..s], &self.of.x[start..][..s]);
            accumulate(&mut sums, grad, |sum, g| sum + g.to_f64());
            if self.of.scaled {
                accumulate2(&mut products, (grad, x), |sum, g, x| {
                    sum + g.to_f64() * (x.to_f64() * scale - mean)
                });
            } else {
                accumulate2(&mut products, (grad, x), |sum, g, x| sum + g.to_f64() * (x.to_f64() - mean));
            }
        }
        [merge(sums, |a, b| a + b), merge(products, |a, b| a + b)]
    }
}

struct ColumnSums<'a, T> {
    of: &'a Sums<'a, T>,
    first: usize,
    rows: Range<usize>,
    out: &'a mut [[f64; 2]],
}

impl<T: Float> Kernel for ColumnSums<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let [_, c, s] = self.of.dims;
        let width = self.out.len();
        let (mut means, mut scales) = ([0.0; WIDTH], [1.0; WIDTH]);
        for (j, (mean, scale)) in means[..width].iter_mut().zip(&mut scales).enumerate() {
            Normal { mean: *mean, scale: *scale, .. } = self.of.normals[(self.first + j) / s];
        }
        let (mut sums, mut products) = ([0.0; WIDTH], [0.0; WIDTH]);
        for row in self.rows {
            let start = row * c * s + self.first;
            let (grad, x) = (&self.of.grad[start..][..width], &self.of.x[start..][..width]);
            if self.of.scaled {
                for j in 0..width {
                    sums[j] += grad[j].to_f64();
                    products[j] += grad[j].to_f64() * (x[j].to_f64() * scales[j] - means[j]);
                }
            } else {
                for j in 0..width {
                    sums[j] += grad[j].to_f64();
                    products[j] += grad[j].to_f64() * (x[j].to_f64() - means[j]);
                }
            }
        }
        for (j, out) in self.out.iter_mut().enumerate() {
            *out = [sums[j], products[j]];
        }
    }
}
