//! Counters of the memory pool.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

pub(super) static IN_USE: AtomicUsize = AtomicUsize::new(0);
pub(super) static PEAK: AtomicUsize = AtomicUsize::new(0);
pub(super) static CACHED: AtomicUsize = AtomicUsize::new(0);
pub(super) static TAKEN: AtomicU64 = AtomicU64::new(0);
pub(super) static SYSTEM: AtomicU64 = AtomicU64::new(0);

/// What the memory pool has done so far, over all threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Bytes in live buffers, rounded up to size classes.
    pub in_use_bytes: usize,
    /// The largest `in_use_bytes` since the start or the last [`reset_peak`].
    pub peak_bytes: usize,
    /// Bytes kept for reuse.
    pub cached_bytes: usize,
    /// Buffers handed out.
    pub buffers_taken: u64,
    /// Buffers for which the system allocator had to be asked.
    pub system_allocations: u64,
}

/// The counters now.
pub fn stats() -> Stats {
    Stats {
        in_use_bytes: IN_USE.load(Relaxed),
        peak_bytes: PEAK.load(Relaxed),
        cached_bytes: CACHED.load(Relaxed),
        buffers_taken: TAKEN.load(Relaxed),
        system_allocations: SYSTEM.load(Relaxed),
    }
}

/// Starts measuring [`Stats::peak_bytes`] anew.
pub fn reset_peak() {
    PEAK.store(IN_USE.load(Relaxed), Relaxed);
}

pub(super) fn took(bytes: usize) {
    TAKEN.fetch_add(1, Relaxed);
    let now = IN_USE.fetch_add(bytes, Relaxed) + bytes;
    if now > PEAK.load(Relaxed) {
        PEAK.fetch_max(now, Relaxed);
    }
}

pub(super) fn gave_back(bytes: usize) {
    IN_USE.fetch_sub(bytes, Relaxed);
}
