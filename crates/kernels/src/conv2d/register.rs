//! Vector registers, and code compiled once for the best kind that the processor has.
//!
//! The compiler does not keep a block of accumulators in registers when they are written as arrays (measured:
//! thirty times slower), so the innermost loops of convolution name their registers.

use crate::Float;
use crate::simd::{Level, level};

/// A few numbers that are computed on together.
pub(super) trait Register<T>: Copy {
    /// How many numbers.
    const LEN: usize;
    /// How many rows of accumulators, three registers each, fit beside the operands of an inner loop.
    const ROWS: usize;

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
}

/// Four numbers, for processors without a wider register that is known here.
#[derive(Clone, Copy)]
pub(super) struct Portable<T>([T; 4]);

impl<T: Float> Register<T> for Portable<T> {
    const LEN: usize = 4;
    const ROWS: usize = 4;
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
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Register;
    use std::arch::x86_64::*;

    macro_rules! register {
        ($register:ty, $t:ty, $len:literal, $rows:literal, $splat:ident, $load:ident, $store:ident, $mul_add:ident, $sum:expr) => {
            impl Register<$t> for $register {
                const LEN: usize = $len;
                const ROWS: usize = $rows;
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

    register!(
        __m512,
        f32,
        16,
        8,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps,
        _mm512_reduce_add_ps
    );
    register!(
        __m512d,
        f64,
        8,
        8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_fmadd_pd,
        _mm512_reduce_add_pd
    );
    register!(__m256, f32, 8, 4, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps, sum8);
    register!(__m256d, f64, 4, 4, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_fmadd_pd, sum4);
}

/// Which registers hold a number.
pub(super) trait Registers: Float {
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
pub(super) trait Kernel<T> {
    /// Does the work. Implementations must be `#[inline(always)]`.
    ///
    /// # Safety
    ///
    /// The processor has the register.
    unsafe fn run<V: Register<T>>(self);
}

/// Runs the work with the widest register.
pub(super) fn run<T: Registers>(kernel: impl Kernel<T>) {
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
