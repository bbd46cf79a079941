//! [`CountingAllocator`]: how often a program asks the system for memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static CALLS: AtomicU64 = AtomicU64::new(0);

/// The system allocator, with a count of how often it was asked for memory: for tensors and for all else. What
/// [`stats`](super::stats) counts are the calls for tensors and nodes of graphs alone.
///
/// ```standalone_crate
/// use chainrule_kernels::memory::CountingAllocator;
///
/// #[global_allocator]
/// static ALLOCATOR: CountingAllocator = CountingAllocator;
///
/// fn main() {
///     let before = CountingAllocator::calls();
///     let values = vec![1.0; 10];
///     assert_eq!(CountingAllocator::calls(), before + 1);
/// #   drop(values);
/// }
/// ```
pub struct CountingAllocator;

impl CountingAllocator {
    /// How often memory was asked for so far (to let go of some is not counted); 0 where this is not the program's
    /// allocator.
    pub fn calls() -> u64 {
        CALLS.load(Relaxed)
    }
}

// SAFETY: every call goes to the system allocator as it came.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}
