//! The maps of Winograd's algorithm F(4, 3) in one direction.
//!
//! The points are 0, ±a, ±b and ∞ with a = √½ and b = √2. Rounding errors grow with the numbers in the matrices, and
//! these points keep them small: with the usual ones, 0, ±1, ±2 and ∞, the mean error is one and a half times as great,
//! and the greatest three times. As a·b = 1, (x² − a²)(x² − b²) = x⁴ − 5/2·x² + 1.
//!
//! ```text
//!      ⎡ 1   0  -5/2   0   1   0 ⎤       ⎡  1            ⎤
//!      ⎢ 0  -b   -2    a   1   0 ⎥       ⎢ -⅔  -⅔a   -⅓ ⎥        ⎡ 1  1    1    1   1   0 ⎤
//! Bᵀ = ⎢ 0   b   -2   -a   1   0 ⎥   G = ⎢ -⅔   ⅔a   -⅓ ⎥   Aᵀ = ⎢ 0  a   -a    b  -b   0 ⎥
//!      ⎢ 0  -a   -½    b   1   0 ⎥       ⎢  ⅙   ⅙b    ⅓ ⎥        ⎢ 0  ½    ½    2   2   0 ⎥
//!      ⎢ 0   a   -½   -b   1   0 ⎥       ⎢  ⅙  -⅙b    ⅓ ⎥        ⎣ 0  ½a  -½a  2b  -2b  1 ⎦
//!      ⎣ 0   1    0  -5/2  0   1 ⎦       ⎣             1 ⎦
//! ```
//!
//! Rows of ±a and ±b share their even and their odd part.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::{REACH, TILE};
use crate::register::{Register, Registers};

const A: f64 = FRAC_1_SQRT_2;
const B: f64 = SQRT_2;

/// x · factor + y
#[inline(always)]
unsafe fn add<T: Registers, V: Register<T>>(x: V, factor: f64, y: V) -> V {
    // SAFETY: the caller promises that the processor has the register.
    unsafe { x.mul_add(V::splat(T::of(factor)), y) }
}

/// x · factor
#[inline(always)]
unsafe fn times<T: Registers, V: Register<T>>(x: V, factor: f64) -> V {
    // SAFETY: the caller promises that the processor has the register.
    unsafe { x.mul_add(V::splat(T::of(factor)), V::splat(T::ZERO)) }
}

/// A map from numbers next to each other in an image to the six points.
pub(super) trait Lift {
    /// How many numbers it takes: the first ones of those that it is given.
    const TAKES: usize;
    /// The values at the points.
    ///
    /// # Safety
    ///
    /// The processor has the register.
    unsafe fn lift<T: Registers, V: Register<T>>(x: [V; REACH]) -> [V; REACH];
}

/// Bᵀ, of inputs.
pub(super) struct Inputs;

impl Lift for Inputs {
    const TAKES: usize = REACH;
    #[inline(always)]
    unsafe fn lift<T: Registers, V: Register<T>>(x: [V; REACH]) -> [V; REACH] {
        // SAFETY: the caller's promise.
        unsafe {
            let (even_a, odd_a) = (add(x[2], -2.0, x[4]), add(x[1], -2.0, x[3]));
            let (even_b, odd_b) = (add(x[2], -0.5, x[4]), add(x[1], -0.5, x[3]));
            [
                add(add(x[2], -2.5, x[4]), 1.0, x[0]),
                add(odd_a, A, even_a),
                add(odd_a, -A, even_a),
                add(odd_b, B, even_b),
                add(odd_b, -B, even_b),
                add(add(x[3], -2.5, x[1]), 1.0, x[5]),
            ]
        }
    }
}

/// A, of gradients of results.
pub(super) struct Gradients;

impl Lift for Gradients {
    const TAKES: usize = TILE;
    #[inline(always)]
    unsafe fn lift<T: Registers, V: Register<T>>(x: [V; REACH]) -> [V; REACH] {
        // SAFETY: the caller's promise.
        unsafe {
            let (even_a, odd_a) = (add(x[2], 0.5, x[0]), add(x[3], 0.5, x[1]));
            let (even_b, odd_b) = (add(x[2], 2.0, x[0]), add(x[3], 2.0, x[1]));
            [
                x[0],
                add(odd_a, A, even_a),
                add(odd_a, -A, even_a),
                add(odd_b, B, even_b),
                add(odd_b, -B, even_b),
                x[3],
            ]
        }
    }
}

/// Aᵀ: the results of a tile from the products at the points.
///
/// # Safety
///
/// The processor has the register.
#[inline(always)]
pub(super) unsafe fn results<T: Registers, V: Register<T>>(x: [V; REACH]) -> [V; TILE] {
    // SAFETY: the caller's promise.
    unsafe {
        let (even_a, odd_a) = (add(x[1], 1.0, x[2]), add(x[2], -1.0, x[1]));
        let (even_b, odd_b) = (add(x[3], 1.0, x[4]), add(x[4], -1.0, x[3]));
        [
            add(add(even_a, 1.0, x[0]), 1.0, even_b),
            times(add(odd_b, 2.0, odd_a), A),
            add(even_b, 2.0, times(even_a, 0.5)),
            add(add(odd_b, 8.0, odd_a), 0.5 * A, x[5]),
        ]
    }
}

/// G, of the taps of a kernel.
///
/// # Safety
///
/// The processor has the register.
#[inline(always)]
pub(super) unsafe fn taps<T: Registers, V: Register<T>>(x: [V; 3]) -> [V; REACH] {
    // SAFETY: the caller's promise.
    unsafe {
        let even_a = times(add(x[2], 0.5, x[0]), -2.0 / 3.0);
        let even_b = times(add(x[2], 2.0, x[0]), 1.0 / 6.0);
        [
            x[0],
            add(x[1], -2.0 / 3.0 * A, even_a),
            add(x[1], 2.0 / 3.0 * A, even_a),
            add(x[1], 1.0 / 6.0 * B, even_b),
            add(x[1], -1.0 / 6.0 * B, even_b),
            x[2],
        ]
    }
}

/// Gᵀ: the gradients of taps from those at the points.
///
/// # Safety
///
/// The processor has the register.
#[inline(always)]
pub(super) unsafe fn tap_gradients<T: Registers, V: Register<T>>(x: [V; REACH]) -> [V; 3] {
    // SAFETY: the caller's promise.
    unsafe {
        let (even_a, odd_a) = (add(x[1], 1.0, x[2]), add(x[2], -1.0, x[1]));
        let (even_b, odd_b) = (add(x[3], 1.0, x[4]), add(x[4], -1.0, x[3]));
        [
            add(even_b, 1.0 / 6.0, add(even_a, -2.0 / 3.0, x[0])),
            times(add(odd_a, -2.0, odd_b), 1.0 / 6.0 * B),
            add(add(even_a, -1.0, even_b), 1.0 / 3.0, x[5]),
        ]
    }
}
