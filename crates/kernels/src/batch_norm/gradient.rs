//! The gradients of batch normalisation.

use std::ops::Range;

use super::by_channel;
use super::partial::{Partial, Pass, WIDTH};
use crate::Float;
use crate::lanes::{LANES, accumulate, accumulate2, merge};
use crate::simd::Kernel;

/// The gradients of [`normalize`](super::normalize) with respect to x, weight and bias.
///
/// Where `training`, `mean` and `inv_std` are those of `x` itself and the gradient flows through them too;
/// else they are constants. `grad_weight` and `grad_bias`, of C elements, are always written, whether or not
/// there is a weight or a bias.
#[expect(clippy::too_many_arguments, reason = "the arrays of the operation, each once")]
pub fn backward<T: Float>(
    grad: &[T],
    x: &[T],
    dims: [usize; 3],
    mean: &[T],
    inv_std: &[T],
    weight: Option<&[T]>,
    training: bool,
    grad_x: Option<&mut [T]>,
    grad_weight: &mut [T],
    grad_bias: &mut [T],
) {
    let [n, c, s] = dims;
    assert!(x.len() == n * c * s && grad.len() == x.len(), "input lengths");
    assert!(grad_weight.len() == c && grad_bias.len() == c, "output lengths");
    if x.is_empty() {
        grad_weight.fill(T::ZERO);
        return grad_bias.fill(T::ZERO);
    }
    let partial = Partial::new(dims, &Sums { grad, x, mean, dims });
    let count = (n * s) as f64;
    let parameters: Vec<[T; 4]> = (0..c)
        .map(|k| {
            let [sum, product] = partial.of_channel(k).fold([0.0; 2], |[a, b], (_, [x, y])| [a + x, b + y]);
            let inv_std = inv_std[k].to_f64();
            grad_bias[k] = T::from_f64(sum);
            grad_weight[k] = T::from_f64(product * inv_std);
            let slope = product * inv_std * inv_std / count;
            let scale = inv_std * weight.map_or(1.0, |w| w[k].to_f64());
            [mean[k], T::from_f64(sum / count), T::from_f64(slope), T::from_f64(scale)]
        })
        .collect();
    let Some(grad_x) = grad_x else { return };
    assert_eq!(grad_x.len(), x.len(), "gradient length");
    if training {
        by_channel((grad, x), dims, &parameters, grad_x, |g, x, [mean, average, slope, scale]| {
            (g - average - (x - mean) * slope) * scale
        });
    } else {
        by_channel((grad, grad), dims, &parameters, grad_x, |g, _, [_, _, _, scale]| g * scale);
    }
}

/// Σ g and Σ g·(x − mean).
struct Sums<'a, T> {
    grad: &'a [T],
    x: &'a [T],
    mean: &'a [T],
    dims: [usize; 3],
}

impl<T: Float> Pass for Sums<'_, T> {
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
        let mean = self.of.mean[self.channel].to_f64();
        let (mut sums, mut products) = ([0.0; LANES], [0.0; LANES]);
        for row in self.rows {
            let start = (row * c + self.channel) * s;
            let (grad, x) = (&self.of.grad[start..][..s], &self.of.x[start..][..s]);
            accumulate(&mut sums, grad, |sum, g| sum + g.to_f64());
            accumulate2(&mut products, (grad, x), |sum, g, x| sum + g.to_f64() * (x.to_f64() - mean));
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
        let mut means = [0.0; WIDTH];
        for (j, mean) in means[..width].iter_mut().enumerate() {
            *mean = self.of.mean[(self.first + j) / s].to_f64();
        }
        let (mut sums, mut products) = ([0.0; WIDTH], [0.0; WIDTH]);
        for row in self.rows {
            let start = row * c * s + self.first;
            let (grad, x) = (&self.of.grad[start..][..width], &self.of.x[start..][..width]);
            for j in 0..width {
                sums[j] += grad[j].to_f64();
                products[j] += grad[j].to_f64() * (x[j].to_f64() - means[j]);
            }
        }
        for (j, out) in self.out.iter_mut().enumerate() {
            *out = [sums[j], products[j]];
        }
    }
}
