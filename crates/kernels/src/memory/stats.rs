//! Counters of the memory pool.
//!
//! Each thread has counters of its own, which it alone writes: a locked instruction for every buffer would cost more
//! than all else that taking one does. Whoever asks adds them up.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use super::cache;

/// Threads look at whether there is a new peak each time that their own buffers have grown by so many bytes.
const STEP: i64 = 64 * 1024;

static SLOTS: Mutex<Vec<Slot>> = Mutex::new(Vec::new());
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// What the memory pool has done so far, over all threads.
///
/// ```standalone_crate
/// use chainrule_kernels::{Buffer, memory};
///
/// let before = memory::stats();
/// let buffer = Buffer::<f32>::zeros(1000);
/// assert_eq!(memory::stats().in_use_bytes, before.in_use_bytes + 4096);
/// drop(buffer);
/// let buffer = Buffer::<f32>::zeros(1000); // the same block again
/// let after = memory::stats();
/// assert_eq!(after.buffers_taken, before.buffers_taken + 2);
/// assert!(after.system_allocations <= before.system_allocations + 1);
/// # drop(buffer);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Bytes of live buffers, tensors and nodes of graphs, rounded up to size classes. Where other threads take and
    /// drop some meanwhile, this is a number of about this moment.
    pub in_use_bytes: usize,
    /// The largest `in_use_bytes` since the start or the last [`reset_peak`], to within 64 KiB for each thread that
    /// takes buffers.
    pub peak_bytes: usize,
    /// Bytes kept for reuse, in free blocks: what [`trim`](super::trim), called on every thread, gives back.
    pub cached_bytes: usize,
    /// Blocks handed out, for buffers, tensors and nodes. A buffer that takes over a `Vec` counts as one of the
    /// smallest size, for its header.
    pub buffers_taken: u64,
    /// Blocks for which the system allocator had to be asked. In the steady state of a training loop of fixed shapes
    /// it does not grow.
    pub system_allocations: u64,
}

/// The counters now, of all threads together.
pub fn stats() -> Stats {
    let slots = slots();
    let sum = |count: fn(&Counters) -> &AtomicI64| {
        slots.iter().map(|slot| count(slot.counters).load(Relaxed)).sum::<i64>().max(0)
    };
    let in_use_bytes = sum(|c| &c.in_use) as usize;
    Stats {
        in_use_bytes,
        peak_bytes: PEAK.fetch_max(in_use_bytes, Relaxed).max(in_use_bytes),
        cached_bytes: (cache::bytes_from_system() - in_use_bytes as i64).max(0) as usize,
        buffers_taken: sum(|c| &c.taken) as u64,
        system_allocations: cache::system_allocations(),
    }
}

/// Starts measuring [`Stats::peak_bytes`] anew.
pub fn reset_peak() {
    PEAK.store(0, Relaxed);
    stats();
}

fn slots() -> MutexGuard<'static, Vec<Slot>> {
    SLOTS.lock().unwrap_or_else(|e| e.into_inner())
}

/// Counters, and whether a thread writes them. Those of a thread that has ended stay, and go to the next new thread.
struct Slot {
    counters: &'static Counters,
    taken: bool,
}

/// Counters that no other thread writes from now until they are [given back](give_back).
pub(super) fn take() -> &'static Counters {
    let mut slots = slots();
    if let Some(slot) = slots.iter_mut().find(|slot| !slot.taken) {
        slot.taken = true;
        return slot.counters;
    }
    let counters = Box::leak(Box::default());
    slots.push(Slot { counters, taken: true });
    counters
}

/// Leaves counters to another thread.
pub(super) fn give_back(counters: &'static Counters) {
    if let Some(slot) = slots().iter_mut().find(|slot| std::ptr::eq(slot.counters, counters)) {
        slot.taken = false;
    }
}

/// What one thread counts. A buffer may be dropped on another thread than it was taken on, so bytes may be negative
/// here.
#[derive(Default)]
pub(super) struct Counters {
    in_use: AtomicI64,
    /// Where `in_use` has to get for the next look at the peak.
    mark: AtomicI64,
    taken: AtomicI64,
}

/// No other thread writes, so this needs no locked instruction.
#[inline]
fn add(counter: &AtomicI64, change: i64) -> i64 {
    let sum = counter.load(Relaxed) + change;
    counter.store(sum, Relaxed);
    sum
}

impl Counters {
    /// A buffer was handed out.
    #[inline]
    pub(super) fn took(&self, bytes: usize) {
        add(&self.taken, 1);
        if add(&self.in_use, bytes as i64) > self.mark.load(Relaxed) {
            self.look_at_peak();
        }
    }

    /// A buffer came back.
    #[inline]
    pub(super) fn gave_back(&self, bytes: usize) {
        let highest = add(&self.in_use, -(bytes as i64)) + STEP;
        if highest < self.mark.load(Relaxed) {
            self.mark.store(highest, Relaxed);
        }
    }

    #[cold]
    fn look_at_peak(&self) {
        stats();
        self.mark.store(self.in_use.load(Relaxed) + STEP, Relaxed);
    }
}
