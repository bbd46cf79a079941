//! Vector registers, and code compiled once for the best kind that the processor has.
//!
//! The compiler does not keep a block of accumulators in registers when they are written as arrays (measured:
//! thirty times slower), so the innermost loops of products and convolutions name their registers.

use crate::Float;
use crate::simd::{Level, level};

/// The numbers of the longest register. Memory for lanes is often a multiple of so many, whichever the register.
pub(crate) const LINE: usize = 16;

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

/// Makes a type of the processor's a register, out of its instructions.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
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

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Which registers hold a number.
pub(crate) trait Registers: Float {
    /// With AVX-512.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Register<Self>;
    /// With AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Register<Self>;
    /// With NEON.
    #[cfg(target_arch = "aarch64")]
    type Neon: Register<Self>;
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
impl<T: Float> Registers for T {}

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
        #[cfg(target_arch = "aarch64")]
        // SAFETY: every AArch64 processor has NEON. It is in the target's baseline, so no function is compiled for it.
        Level::Neon => unsafe { kernel.run::<T::Neon>() },
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
