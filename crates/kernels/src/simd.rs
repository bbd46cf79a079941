//! One body of code, compiled for several instruction sets, chosen when the program runs.
//!
//! A kernel is a value that implements [`Kernel`]; [`run`] calls its one method from inside a function
//! compiled for the best instruction set that the processor has. The method must be `#[inline(always)]`,
//! so that it is compiled once for each set; loops in it are vectorised by the compiler, and the arithmetic
//! is the same in each. A `mul_add` is rounded once in each, too: where the set lacks the instruction, a slow function
//! does it. So results do not depend on the set.
//!
//! The environment variable `CHAINRULE_SIMD` (`baseline`, `avx2`, `avx512`) forces a lower level.

use std::sync::OnceLock;

/// The instruction sets that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the compiler may assume of the target: SSE2 on x86-64, NEON on AArch64.
    Baseline,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 F, BW, DQ and VL.
    Avx512,
}

/// A piece of work to run at the best instruction set.
pub trait Kernel {
    /// What it returns.
    type Output;
    /// Does the work. Implementations must be `#[inline(always)]`.
    fn run(self) -> Self::Output;
}

/// The level in use: the best that the processor has, or less where `CHAINRULE_SIMD` says so.
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        let wanted = match std::env::var("CHAINRULE_SIMD").as_deref() {
            Ok("baseline") => Level::Baseline,
            Ok("avx2") => Level::Avx2,
            Ok("avx512") | Err(_) => Level::Avx512,
            Ok(other) => panic!("CHAINRULE_SIMD is {other:?}, not baseline, avx2 or avx512"),
        };
        wanted.min(best())
    })
}

#[cfg(target_arch = "x86_64")]
fn best() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl");
    match (avx2, avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        _ => Level::Baseline,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn best() -> Level {
    Level::Baseline
}

/// Runs a kernel at [`level`].
#[inline]
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    match level() {
        // SAFETY: `level` returned this value only because the processor has AVX-512 F, BW, DQ, VL, AVX2 and FMA.
        Level::Avx512 => return unsafe { avx512(kernel) },
        // SAFETY: `level` returned this value only because the processor has AVX2 and FMA.
        Level::Avx2 => return unsafe { avx2(kernel) },
        Level::Baseline => {}
    }
    kernel.run()
}

/// Runs a kernel at [`level`], or at AVX2 where that is higher: one copy less to compile.
#[inline]
pub fn run_to_avx2<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if level() >= Level::Avx2 {
        // SAFETY: `level` is at least this only where the processor has AVX2 and FMA.
        return unsafe { avx2(kernel) };
    }
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}
