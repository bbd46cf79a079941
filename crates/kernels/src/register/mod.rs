//! Vector registers, and code compiled once for the best kind that the processor has.
//!
//! The compiler does not keep a block of accumulators in registers when they are written as arrays (measured:
//! thirty times slower), so the innermost loops of products and convolutions name their registers.

use crate::Float;
use crate::simd::{Level, level};

/// A few numbers that are computed on together.
pub(crate) trait Register<T>: Copy {
    /// How many numbers.
    const LEN: usize;
    /// How many rows of accumulators, three registers each, fit beside the operands of an inner loop.
    const ROWS: usize;
    /// How many rows of accumulators, two registers each, fit beside the operands of an inner loop.
    const TILE_ROWS: usize;

    /// The same number everywhere.
    ///
    /// # Safety
    ///
    /// The processor has the register.
    unsafe fn splat(x: T) -> Self;
    /// Reads from memory.
    ///
    /// # Safety
    ///
    /// `LEN` numbers may be read at `p`, and the processor has the register.
    unsafe fn load(p: *const T) -> Self;
    /// Writes to memory.
    ///
    /// # Safety
    ///
    /// `LEN` numbers may be written at `p`, and the processor has the register.
    unsafe fn store(self, p: *mut T);
    /// self · b + c
    ///
    /// # Safety
    ///
    /// The processor has the register.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    /// The sum of the numbers.
    ///
    /// # Safety
    ///
    /// The processor has the register.
    unsafe fn sum(self) -> T;
    /// `to[j · stride + i] = row(i)[j]` for i and j below LEN.
    ///
    /// # Safety
    ///
    /// These numbers may be read and written, elsewhere; the processor has the register.
    unsafe fn transpose(row: impl Fn(usize) -> *const T, to: *mut T, stride: usize);
}

/// Four numbers, for processors without a wider register that is known here.
#[derive(Clone, Copy)]
pub(crate) struct Portable<T>([T; 4]);

impl<T: Float> Register<T> for Portable<T> {
    const LEN: usize = 4;
    const ROWS: usize = 4;
    const TILE_ROWS: usize = 6;
    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        Portable([x; 4])
    }
    #[inline(always)]
    unsafe fn load(p: *const T) -> Self {
        // SAFETY: four numbers may be read at `p`; unaligned reads are allowed.
        Portable(unsafe { p.cast::<[T; 4]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut T) {
        // SAFETY: four numbers may be written at `p`; unaligned writes are allowed.
        unsafe { p.cast::<[T; 4]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        Portable(std::array::from_fn(|i| self.0[i] * b.0[i] + c.0[i]))
    }
    #[inline(always)]
    unsafe fn sum(self) -> T {
        let [a, b, c, d] = self.0;
        (a + c) + (b + d)
    }
    #[inline(always)]
    unsafe fn transpose(row: impl Fn(usize) -> *const T, to: *mut T, stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| Self::load(row(i)).0);
            for j in 0..4 {
                Portable([a[j], b[j], c[j], d[j]]).store(to.add(j * stride));
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Register;
    use std::arch::x86_64::*;

    macro_rules! register {
        ($register:ty, $t:ty, $len:literal, $rows:literal, $tile_rows:literal, $splat:ident, $load:ident, $store:ident, $mul_add:ident, $sum:expr, $transpose:expr) => {
            impl Register<$t> for $register {
                const LEN: usize = $len;
                const ROWS: usize = $rows;
                const TILE_ROWS: usize = $tile_rows;
                #[inline(always)]
                unsafe fn splat(x: $t) -> Self {
                    // SAFETY: the caller promises that the processor has the register.
                    unsafe { $splat(x) }
                }
                #[inline(always)]
                unsafe fn load(p: *const $t) -> Self {
                    // SAFETY: as above, and the memory may be read; no alignment is needed.
                    unsafe { $load(p) }
                }
                #[inline(always)]
                unsafe fn store(self, p: *mut $t) {
                    // SAFETY: as above, and the memory may be written; no alignment is needed.
                    unsafe { $store(p, self) }
                }
                #[inline(always)]
                unsafe fn mul_add(self, b: Self, c: Self) -> Self {
                    // SAFETY: the caller promises that the processor has the register.
                    unsafe { $mul_add(self, b, c) }
                }
                #[inline(always)]
                unsafe fn sum(self) -> $t {
                    // SAFETY: the caller promises that the processor has the register.
                    unsafe { $sum(self) }
                }
                #[inline(always)]
                unsafe fn transpose(row: impl Fn(usize) -> *const $t, to: *mut $t, stride: usize) {
                    // SAFETY: the caller promises memory and processor.
                    unsafe { $transpose(row, to, stride) }
                }
            }
        };
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    fn sum8(x: __m256) -> f32 {
        let x = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
        let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
        _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)))
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    fn sum4(x: __m256d) -> f64 {
        let x = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd::<1>(x));
        _mm_cvtsd_f64(_mm_add_sd(x, _mm_unpackhi_pd(x, x)))
    }

    /// # Safety
    ///
    /// As [`Register::transpose`].
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn transpose4(row: impl Fn(usize) -> *const f64, to: *mut f64, stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let row = |i: usize| _mm256_loadu_pd(row(i));
            let (low0, high0) = (_mm256_unpacklo_pd(row(0), row(1)), _mm256_unpackhi_pd(row(0), row(1)));
            let (low2, high2) = (_mm256_unpacklo_pd(row(2), row(3)), _mm256_unpackhi_pd(row(2), row(3)));
            _mm256_storeu_pd(to, _mm256_permute2f128_pd::<0x20>(low0, low2));
            _mm256_storeu_pd(to.add(stride), _mm256_permute2f128_pd::<0x20>(high0, high2));
            _mm256_storeu_pd(to.add(2 * stride), _mm256_permute2f128_pd::<0x31>(low0, low2));
            _mm256_storeu_pd(to.add(3 * stride), _mm256_permute2f128_pd::<0x31>(high0, high2));
        }
    }

    /// Transposes each 4 × 4 block of four registers of `f32`: pairs, then pairs of pairs.
    macro_rules! transpose_lanes {
        ($x:expr, $low:ident, $high:ident, $shuffle:ident) => {{
            let [a, b, c, d] = $x;
            let (ab_low, ab_high) = ($low(a, b), $high(a, b));
            let (cd_low, cd_high) = ($low(c, d), $high(c, d));
            [
                $shuffle::<0x44>(ab_low, cd_low),
                $shuffle::<0xEE>(ab_low, cd_low),
                $shuffle::<0x44>(ab_high, cd_high),
                $shuffle::<0xEE>(ab_high, cd_high),
            ]
        }};
    }

    /// # Safety
    ///
    /// As [`Register::transpose`].
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn transpose8(row: impl Fn(usize) -> *const f32, to: *mut f32, stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let rows = |first: usize| {
                let x = [0, 1, 2, 3].map(|i| _mm256_loadu_ps(row(first + i)));
                transpose_lanes!(x, _mm256_unpacklo_ps, _mm256_unpackhi_ps, _mm256_shuffle_ps)
            };
            let (upper, lower) = (rows(0), rows(4));
            for j in 0..4 {
                let (a, b) = (upper[j], lower[j]);
                _mm256_storeu_ps(to.add(j * stride), _mm256_permute2f128_ps::<0x20>(a, b));
                _mm256_storeu_ps(to.add((j + 4) * stride), _mm256_permute2f128_ps::<0x31>(a, b));
            }
        }
    }

    /// # Safety
    ///
    /// As [`Register::transpose`].
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    #[inline]
    unsafe fn transpose16(row: impl Fn(usize) -> *const f32, to: *mut f32, stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let rows = |first: usize| {
                let x = [0, 1, 2, 3].map(|i| _mm512_loadu_ps(row(first + i)));
                transpose_lanes!(x, _mm512_unpacklo_ps, _mm512_unpackhi_ps, _mm512_shuffle_ps)
            };
            let [a, b, c, d] = [rows(0), rows(4), rows(8), rows(12)];
            // Lane i of the four quarters of column j: to row j + 4 · i.
            for j in 0..4 {
                let ab_even = _mm512_shuffle_f32x4::<0x88>(a[j], b[j]);
                let ab_odd = _mm512_shuffle_f32x4::<0xDD>(a[j], b[j]);
                let cd_even = _mm512_shuffle_f32x4::<0x88>(c[j], d[j]);
                let cd_odd = _mm512_shuffle_f32x4::<0xDD>(c[j], d[j]);
                let out = |lane: usize| to.add((j + 4 * lane) * stride);
                _mm512_storeu_ps(out(0), _mm512_shuffle_f32x4::<0x88>(ab_even, cd_even));
                _mm512_storeu_ps(out(1), _mm512_shuffle_f32x4::<0x88>(ab_odd, cd_odd));
                _mm512_storeu_ps(out(2), _mm512_shuffle_f32x4::<0xDD>(ab_even, cd_even));
                _mm512_storeu_ps(out(3), _mm512_shuffle_f32x4::<0xDD>(ab_odd, cd_odd));
            }
        }
    }

    /// # Safety
    ///
    /// As [`Register::transpose`].
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    #[inline]
    unsafe fn transpose8_f64(row: impl Fn(usize) -> *const f64, to: *mut f64, stride: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let pair = |first: usize| {
                let a = _mm512_loadu_pd(row(first));
                let b = _mm512_loadu_pd(row(first + 1));
                [_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b)]
            };
            let [a, b, c, d] = [pair(0), pair(2), pair(4), pair(6)];
            for j in 0..2 {
                let ab_even = _mm512_shuffle_f64x2::<0x88>(a[j], b[j]);
                let ab_odd = _mm512_shuffle_f64x2::<0xDD>(a[j], b[j]);
                let cd_even = _mm512_shuffle_f64x2::<0x88>(c[j], d[j]);
                let cd_odd = _mm512_shuffle_f64x2::<0xDD>(c[j], d[j]);
                let out = |lane: usize| to.add((j + 2 * lane) * stride);
                _mm512_storeu_pd(out(0), _mm512_shuffle_f64x2::<0x88>(ab_even, cd_even));
                _mm512_storeu_pd(out(1), _mm512_shuffle_f64x2::<0x88>(ab_odd, cd_odd));
                _mm512_storeu_pd(out(2), _mm512_shuffle_f64x2::<0xDD>(ab_even, cd_even));
                _mm512_storeu_pd(out(3), _mm512_shuffle_f64x2::<0xDD>(ab_odd, cd_odd));
            }
        }
    }

    register!(
        __m512,
        f32,
        16,
        8,
        14,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps,
        _mm512_reduce_add_ps,
        transpose16
    );
    register!(
        __m512d,
        f64,
        8,
        8,
        14,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_fmadd_pd,
        _mm512_reduce_add_pd,
        transpose8_f64
    );
    register!(
        __m256,
        f32,
        8,
        4,
        6,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps,
        sum8,
        transpose8
    );
    register!(
        __m256d,
        f64,
        4,
        4,
        6,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_fmadd_pd,
        sum4,
        transpose4
    );
}

/// Which registers hold a number.
pub(crate) trait Registers: Float {
    /// With AVX-512.
    type Avx512: Register<Self>;
    /// With AVX2 and FMA.
    type Avx2: Register<Self>;
}

#[cfg(target_arch = "x86_64")]
impl Registers for f32 {
    type Avx512 = std::arch::x86_64::__m512;
    type Avx2 = std::arch::x86_64::__m256;
}

#[cfg(target_arch = "x86_64")]
impl Registers for f64 {
    type Avx512 = std::arch::x86_64::__m512d;
    type Avx2 = std::arch::x86_64::__m256d;
}

#[cfg(not(target_arch = "x86_64"))]
impl<T: Float> Registers for T {
    type Avx512 = Portable<T>;
    type Avx2 = Portable<T>;
}

/// A piece of work written over any register.
pub(crate) trait Kernel<T> {
    /// Does the work. Implementations must be `#[inline(always)]`.
    ///
    /// # Safety
    ///
    /// The processor has the register.
    unsafe fn run<V: Register<T>>(self);
}

/// Runs the work with the widest register.
pub(crate) fn run<T: Registers>(kernel: impl Kernel<T>) {
    match level() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX-512, AVX2 and FMA where `level` says so.
        Level::Avx512 => unsafe { avx512(kernel) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX2 and FMA where `level` says so.
        Level::Avx2 => unsafe { avx2(kernel) },
        // SAFETY: every processor has this.
        _ => unsafe { kernel.run::<Portable<T>>() },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn avx512<T: Registers>(kernel: impl Kernel<T>) {
    // SAFETY: this function is compiled for, and only called on, processors that have the register.
    unsafe { kernel.run::<T::Avx512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<T: Registers>(kernel: impl Kernel<T>) {
    // SAFETY: as in `avx512`.
    unsafe { kernel.run::<T::Avx2>() }
}
