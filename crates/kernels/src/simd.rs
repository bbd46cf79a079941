//! One body of code, compiled for several instruction sets, chosen when the program runs.
//!
//! A kernel is a value that implements [`Kernel`]; [`run`] calls its one method from inside a function
//! compiled for the best instruction set that the processor has. The method must be `#[inline(always)]`,
//! so that it is compiled once for each set; loops in it are vectorised by the compiler, and the arithmetic
//! is the same in each. A `mul_add` is rounded once in each, too: where the set lacks the instruction, a slow function
//! does it. So results do not depend on the set.
//!
//! The environment variable `CHAINRULE_SIMD` (`baseline`; `avx2` and `avx512` on x86-64; `neon` on AArch64) forces a
//! lower level.

use std::sync::OnceLock;

/// The instruction sets that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the compiler may assume of the target, which it makes use of by itself: SSE2 on x86-64, NEON on AArch64.
    Baseline,
    /// AArch64's NEON by name, where registers are named; other loops are those of the baseline.
    Neon,
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

/// The levels of the architecture by name, the lowest first.
#[cfg(target_arch = "x86_64")]
const LEVELS: &[(&str, Level)] =
    &[("baseline", Level::Baseline), ("avx2", Level::Avx2), ("avx512", Level::Avx512)];
#[cfg(target_arch = "aarch64")]
const LEVELS: &[(&str, Level)] = &[("baseline", Level::Baseline), ("neon", Level::Neon)];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const LEVELS: &[(&str, Level)] = &[("baseline", Level::Baseline)];

/// The level in use: the best that the processor has, or less where `CHAINRULE_SIMD` says so.
///
/// # Panics
/// Where `CHAINRULE_SIMD` names no level of the architecture.
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        let Ok(name) = std::env::var("CHAINRULE_SIMD") else {
            return best();
        };
        let Some((_, wanted)) = LEVELS.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = LEVELS.iter().map(|(known, _)| *known).collect();
            panic!("CHAINRULE_SIMD is {name:?}, but the levels here are {}", names.join(", "));
        };
        best().min(*wanted)
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

#[cfg(target_arch = "aarch64")]
fn best() -> Level {
    // Every target with the standard library has it in its baseline, so nothing has to be looked for.
    Level::Neon
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
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
        _ => {}
    }
    // NEON is the baseline of AArch64: a copy for it would be the same code.
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
