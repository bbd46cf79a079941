//! The registers of AArch64.

use std::arch::aarch64::*;

use super::{Register, Registers};

/// self · b + c, in the order of our operands.
#[target_feature(enable = "neon")]
#[inline]
fn mul_add4(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
    vfmaq_f32(c, a, b)
}

/// As [`mul_add4`].
#[target_feature(enable = "neon")]
#[inline]
fn mul_add2(a: float64x2_t, b: float64x2_t, c: float64x2_t) -> float64x2_t {
    vfmaq_f64(c, a, b)
}

/// The order of `Portable`'s sum; that of `vaddvq_f32` is not promised.
#[target_feature(enable = "neon")]
#[inline]
fn sum4(x: float32x4_t) -> f32 {
    vpadds_f32(vadd_f32(vget_low_f32(x), vget_high_f32(x)))
}

/// # Safety
///
/// As [`Register::transpose`].
#[target_feature(enable = "neon")]
#[inline]
unsafe fn transpose4(row: impl Fn(usize) -> *const f32, to: *mut f32, stride: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        // Columns 0 and 2 of two rows, and columns 1 and 3, as pairs of one number of each row.
        let pairs = |first: usize| {
            let (a, b) = (vld1q_f32(row(first)), vld1q_f32(row(first + 1)));
            [vreinterpretq_f64_f32(vtrn1q_f32(a, b)), vreinterpretq_f64_f32(vtrn2q_f32(a, b))]
        };
        let (upper, lower) = (pairs(0), pairs(2));
        for j in 0..2 {
            let (a, b) = (upper[j], lower[j]);
            vst1q_f32(to.add(j * stride), vreinterpretq_f32_f64(vtrn1q_f64(a, b)));
            vst1q_f32(to.add((j + 2) * stride), vreinterpretq_f32_f64(vtrn2q_f64(a, b)));
        }
    }
}

/// # Safety
///
/// As [`Register::transpose`].
#[target_feature(enable = "neon")]
#[inline]
unsafe fn transpose2(row: impl Fn(usize) -> *const f64, to: *mut f64, stride: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let (a, b) = (vld1q_f64(row(0)), vld1q_f64(row(1)));
        vst1q_f64(to, vtrn1q_f64(a, b));
        vst1q_f64(to.add(stride), vtrn2q_f64(a, b));
    }
}

// Of the 32 registers 24 are sums, 8 rows of three or 12 rows of two, and three to seven hold operands: with 14 rows of two
// only four are left, and the compiler, which reads numbers of A in pairs, moves sums about at every step.
register!(float32x4_t, f32, 4, 8, 12, vdupq_n_f32, vld1q_f32, vst1q_f32, mul_add4, sum4, transpose4);
register!(float64x2_t, f64, 2, 8, 12, vdupq_n_f64, vld1q_f64, vst1q_f64, mul_add2, vpaddd_f64, transpose2);

impl Registers for f32 {
    type Neon = float32x4_t;
}

impl Registers for f64 {
    type Neon = float64x2_t;
}
