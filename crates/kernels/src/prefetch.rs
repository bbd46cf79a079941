//! Asking for memory before it is read, where the processor cannot see by itself what comes next.

/// Asks for the line of memory at `p`, which need not be there, to be brought into the first-level cache.
#[inline(always)]
pub(crate) fn to_first_level<T>(p: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch of any address does nothing that the program can see; every x86-64 processor has it.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(p.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}

/// As [`to_first_level`], into the second-level cache.
#[inline(always)]
pub(crate) fn to_second_level<T>(p: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as above.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(p.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}

/// Asks for the lines that hold so many bytes from `p` on, up to [`MOST_BYTES`].
#[inline(always)]
pub(crate) fn slice<T>(p: *const T, bytes: usize) {
    for at in (0..bytes.min(MOST_BYTES)).step_by(LINE) {
        to_first_level(p.wrapping_byte_add(at));
    }
}

/// The bytes of a line.
const LINE: usize = 64;
/// After so many bytes in order the processor asks for the following ones itself.
const MOST_BYTES: usize = 1024;
