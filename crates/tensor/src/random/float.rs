//! What the distributions need to know of `f32` and `f64`.

use super::Generator;
use super::box_muller;

/// The floating-point types random numbers can be drawn in.
///
/// Sealed: the streams are defined for `f32` and `f64` only.
pub trait RandomFloat: Copy + PartialEq + sealed::Sealed {
    /// The largest finite value.
    const MAX: f64;

    /// The smallest positive value with all its digits.
    const MIN_POSITIVE: f64;

    /// The largest value less than 1.
    const BELOW_ONE: f64;

    /// Rounds to this type.
    fn from_f64(value: f64) -> Self;

    /// A uniform value in `[0, 1)`: a multiple of 2^-24 from one output for
    /// `f32`, of 2^-53 from two outputs for `f64`.
    fn unit(generator: &mut Generator) -> Self;

    /// Moves a value of `[0, 1)` to `[from, to)`.
    fn stretch(self, from: Self, to: Self) -> Self;

    /// Turns sixteen uniform values into sixteen normal ones, pairing value
    /// `i` with value `i + 8`.
    fn normal_block(block: &mut [Self; 16], mean: Self, std: Self);
}

impl RandomFloat for f32 {
    const MAX: f64 = f32::MAX as f64;
    const MIN_POSITIVE: f64 = f32::MIN_POSITIVE as f64;
    const BELOW_ONE: f64 = 1.0_f32.next_down() as f64;

    fn from_f64(value: f64) -> Self {
        value as f32
    }

    #[inline]
    fn unit(generator: &mut Generator) -> Self {
        (generator.random() & ((1 << 24) - 1)) as f32 * (1.0 / (1 << 24) as f32)
    }

    #[inline]
    fn stretch(self, from: Self, to: Self) -> Self {
        // Rounded once, as PyTorch's build does it.
        self.mul_add(to - from, from)
    }

    fn normal_block(block: &mut [Self; 16], mean: Self, std: Self) {
        box_muller::block_f32(block, mean, std);
    }
}

impl RandomFloat for f64 {
    const MAX: f64 = f64::MAX;
    const MIN_POSITIVE: f64 = f64::MIN_POSITIVE;
    const BELOW_ONE: f64 = 1.0_f64.next_down();

    fn from_f64(value: f64) -> Self {
        value
    }

    #[inline]
    fn unit(generator: &mut Generator) -> Self {
        (generator.random64() & ((1 << 53) - 1)) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    #[inline]
    fn stretch(self, from: Self, to: Self) -> Self {
        // Rounded once, as PyTorch's build does it.
        self.mul_add(to - from, from)
    }

    fn normal_block(block: &mut [Self; 16], mean: Self, std: Self) {
        box_muller::block_f64(block, mean, std);
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}
