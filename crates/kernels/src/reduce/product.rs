//! Products of floats, whose exponents have no bounds on the way: what comes in between may be larger or smaller than
//! any number of the type, and the result is rounded once.
//!
//! A product is a number between 1 and 2 with a sign, the mantissa, and an exponent that is counted apart. Both are kept for
//! many products side by side, in arrays of their own, so that the loops vectorise.

use super::NS;
use super::fold::{Blocks, block_rows, task_outputs};
use crate::parallel;
use crate::scaling::power_of_two;
use crate::simd::Kernel;
use crate::strips::strips_mut;
use crate::{Buffer, Float};

/// Products that run side by side.
const WIDTH: usize = 64;
/// The bits of an exponent, and those of the exponent 0.
const EXPONENT: u64 = 0x7ff << 52;
const ONE: u64 = 1023 << 52;

/// Products of `x`, contiguous `[outer, n, inner]`, over n into `out`, `[outer, inner]`. 1 where n is 0.
pub fn prod<T: Float>(x: &[T], [outer, n, inner]: [usize; 3], out: &mut [T]) {
    assert_eq!(x.len(), outer * n * inner, "input length");
    assert_eq!(out.len(), outer * inner, "output length");
    if x.is_empty() {
        return out.fill(T::ONE);
    }
    let rows = block_rows(inner).min(n);
    let count = n.div_ceil(rows);
    let chunk = task_outputs(rows, inner);
    let blocks = Blocks { n, rows, inner };
    let ns = 4.0 * NS * x.len() as f64;
    if count == 1 {
        return parallel::chunks_mut(out, chunk, ns, |i, out| {
            T::run(Whole { x, blocks, first: i * chunk, out });
        });
    }
    let mut mantissas = Buffer::<f64>::recycled(outer * count * inner);
    let mut exponents = Buffer::<i64>::recycled(outer * count * inner);
    parallel::chunks_mut2((&mut mantissas, chunk), (&mut exponents, chunk), ns, |i, mantissas, exponents| {
        T::run(Parts { x, blocks, first: i * chunk, mantissas, exponents });
    });
    for (i, out) in out.iter_mut().enumerate() {
        let first = i / inner * count * inner + i % inner;
        let (mut mantissa, mut exponent) = (1.0, 0);
        for at in (first..).step_by(inner).take(count) {
            mantissa *= mantissas[at];
            exponent += exponents[at];
            settle(&mut mantissa, &mut exponent);
        }
        *out = T::from_f64(joined(mantissa, exponent));
    }
}

/// Moves the exponent of a mantissa to where exponents are counted. 0, infinities and NaN stay.
#[inline(always)]
fn settle(mantissa: &mut f64, exponent: &mut i64) {
    let bits = mantissa.to_bits();
    let own = bits & EXPONENT;
    let regular = (own != 0) & (own != EXPONENT);
    *exponent += if regular { (own >> 52) as i64 - 1023 } else { 0 };
    *mantissa = f64::from_bits(if regular { bits & !EXPONENT | ONE } else { bits });
}

/// A factor with its exponent apart, unless it is an `f32`: of these a few can be multiplied before it matters.
#[inline(always)]
fn factor<T: Float>(x: T) -> (f64, i64) {
    if size_of::<T>() == 4 {
        return (x.to_f64(), 0);
    }
    let x = x.to_f64();
    let tiny = x.abs() < f64::MIN_POSITIVE;
    let mut mantissa = if tiny { x * power_of_two(54) } else { x };
    let mut exponent = if tiny { -54 } else { 0 };
    settle(&mut mantissa, &mut exponent);
    (mantissa, exponent)
}

/// mantissa · 2^exponent, rounded once.
#[inline(always)]
fn joined(mantissa: f64, exponent: i64) -> f64 {
    // Beyond these bounds everything is infinite or 0. Two steps, of which only the second can be rounded.
    let exponent = exponent.clamp(-1200, 1200) as i32;
    let half = exponent / 2;
    mantissa * power_of_two(half) * power_of_two(exponent - half)
}

/// Products side by side.
struct Products {
    mantissas: [f64; WIDTH],
    exponents: [i64; WIDTH],
}

impl Products {
    const NONE: Products = Products { mantissas: [1.0; WIDTH], exponents: [0; WIDTH] };

    /// Multiplies with up to four rows, of at most as many elements as there are products.
    #[inline(always)]
    fn multiply<'a, T: Float>(&mut self, rows: impl Iterator<Item = &'a [T]>, width: usize) {
        for row in rows {
            for ((mantissa, exponent), &x) in self.mantissas.iter_mut().zip(&mut self.exponents).zip(row) {
                let (own, more) = factor(x);
                *mantissa *= own;
                *exponent += more;
            }
        }
        for (mantissa, exponent) in self.mantissas[..width].iter_mut().zip(&mut self.exponents[..width]) {
            settle(mantissa, exponent);
        }
    }

    /// All of them multiplied.
    #[inline(always)]
    fn merge(&self, width: usize) -> (f64, i64) {
        let (mut mantissa, mut exponent) = (1.0, 0);
        for (own, more) in self.mantissas[..width].iter().zip(&self.exponents[..width]) {
            mantissa *= own;
            exponent += more;
            settle(&mut mantissa, &mut exponent);
        }
        (mantissa, exponent)
    }
}

/// Some of the products, each of one block.
struct Whole<'a, T> {
    x: &'a [T],
    blocks: Blocks,
    first: usize,
    out: &'a mut [T],
}

impl<T: Float> Kernel for Whole<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        products(self.x, self.blocks, self.first, self.out.len(), |k, mantissa, exponent| {
            self.out[k] = T::from_f64(joined(mantissa, exponent));
        });
    }
}

/// Some of the products of blocks.
struct Parts<'a, T> {
    x: &'a [T],
    blocks: Blocks,
    first: usize,
    mantissas: &'a mut [f64],
    exponents: &'a mut [i64],
}

impl<T: Float> Kernel for Parts<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        products(self.x, self.blocks, self.first, self.mantissas.len(), |k, mantissa, exponent| {
            (self.mantissas[k], self.exponents[k]) = (mantissa, exponent);
        });
    }
}

/// Gives `put` the products of `len` blocks from `first` on.
#[inline(always)]
fn products<T: Float>(
    x: &[T],
    blocks: Blocks,
    first: usize,
    len: usize,
    mut put: impl FnMut(usize, f64, i64),
) {
    let inner = blocks.inner;
    if inner == 1 {
        for k in 0..len {
            let (start, rows) = blocks.at(first + k);
            let width = if rows < WIDTH { 1 } else { WIDTH };
            let mut products = Products::NONE;
            for group in x[start..start + rows].chunks(4 * width) {
                products.multiply(group.chunks(width), width);
            }
            let (mantissa, exponent) = products.merge(width);
            put(k, mantissa, exponent);
        }
        return;
    }
    let mut done = 0;
    while done < len {
        let (block, column) = ((first + done) / inner, (first + done) % inner);
        let width = (inner - column).min(WIDTH).min(len - done);
        let (start, rows) = blocks.at(block);
        let row = |r: usize| &x[start + r * inner + column..][..width];
        let mut products = Products::NONE;
        for r in (0..rows).step_by(4) {
            products.multiply((r..rows.min(r + 4)).map(row), width);
        }
        for lane in 0..width {
            put(done + lane, products.mantissas[lane], products.exponents[lane]);
        }
        done += width;
    }
}

/// `scale` times the product of all xⱼ with j ≠ i, at each i: the gradient of a product, exact where values are zero.
/// `x` and `out` are `[outer, n, inner]`, `scale` is `[outer, inner]`.
pub fn prod_of_others<T: Float>(x: &[T], scale: &[T], dims: [usize; 3], out: &mut [T]) {
    let [outer, n, inner] = dims;
    assert_eq!(x.len(), outer * n * inner, "input length");
    assert_eq!(scale.len(), outer * inner, "scale length");
    strips_mut(out, dims, WIDTH, 20.0 * NS * x.len() as f64, |plane, column, mut out| {
        let x = &x[plane * n * inner..][..n * inner];
        let scale = &scale[plane * inner + column..][..out.width()];
        let row = |row: usize| &x[row * inner + column..][..scale.len()];
        let mut others = Others::NONE;
        // The scale is a factor of every product.
        for row in (0..n).map(row).chain([scale]) {
            for (lane, &x) in row.iter().enumerate() {
                others.count(lane, x);
            }
        }
        for r in 0..n {
            for (lane, (out, &x)) in out.row_mut(r).iter_mut().zip(row(r)).enumerate() {
                *out = T::from_f64(others.without(lane, x));
            }
        }
    });
}

/// Products of what is neither 0 nor infinite nor NaN, and how many of each of these there are.
struct Others {
    regular: Products,
    zeros: [i64; WIDTH],
    infinities: [i64; WIDTH],
    nans: [i64; WIDTH],
}

impl Others {
    const NONE: Others =
        Others { regular: Products::NONE, zeros: [0; WIDTH], infinities: [0; WIDTH], nans: [0; WIDTH] };

    /// Multiplies a product with a factor.
    #[inline(always)]
    fn count<T: Float>(&mut self, lane: usize, x: T) {
        let (own, more) = regular(x);
        self.regular.mantissas[lane] *= own;
        self.regular.exponents[lane] += more;
        settle(&mut self.regular.mantissas[lane], &mut self.regular.exponents[lane]);
        self.zeros[lane] += i64::from(x == T::ZERO);
        self.infinities[lane] += i64::from(x.abs() == T::INFINITY);
        self.nans[lane] += i64::from(x.is_nan());
    }

    /// The product of all but one of the factors.
    #[inline(always)]
    fn without<T: Float>(&self, lane: usize, x: T) -> f64 {
        let (own, less) = regular(x);
        let zeros = self.zeros[lane] - i64::from(x == T::ZERO);
        let infinities = self.infinities[lane] - i64::from(x.abs() == T::INFINITY);
        let nans = self.nans[lane] - i64::from(x.is_nan());
        let mantissa = self.regular.mantissas[lane] / own;
        let product = joined(mantissa, self.regular.exponents[lane] - less);
        if nans > 0 || zeros > 0 && infinities > 0 {
            f64::NAN
        } else if zeros > 0 {
            0.0
        } else if infinities > 0 {
            f64::INFINITY.copysign(mantissa)
        } else {
            product
        }
    }
}

/// A factor with its exponent apart; the sign alone of 0 and of infinities, and 1 for NaN.
#[inline(always)]
fn regular<T: Float>(x: T) -> (f64, i64) {
    let special = (x == T::ZERO) | !x.is_finite();
    let sign = if x < T::ZERO { -1.0 } else { 1.0 };
    let (mut mantissa, mut exponent) = factor(x);
    if size_of::<T>() == 4 {
        settle(&mut mantissa, &mut exponent);
    }
    if special { (sign, 0) } else { (mantissa, exponent) }
}
