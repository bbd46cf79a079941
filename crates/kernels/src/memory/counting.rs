//! [`CountingAllocator`]: how often a program asks the system for memory, and a limit to it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

static CALLS: AtomicU64 = AtomicU64::new(0);
/// Bytes in use, and how many there may be.
static IN_USE: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

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

    /// From now on there is no memory beyond so many bytes in use, as on a small machine.
    pub fn limit(bytes: usize) {
        LIMIT.store(bytes, Relaxed);
    }

    /// Counts bytes in, and calls for them where they are within the limit.
    fn asked(bytes: usize, call: impl FnOnce() -> *mut u8) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        // Without overflow: a layout is at most `isize::MAX` bytes.
        if IN_USE.fetch_add(bytes, Relaxed) + bytes <= LIMIT.load(Relaxed) {
            let pointer = call();
            if !pointer.is_null() {
                return pointer;
            }
        }
        IN_USE.fetch_sub(bytes, Relaxed);
        std::ptr::null_mut()
    }
}

// SAFETY: every call goes to the system allocator as it came, or is refused, which an allocator may.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        Self::asked(layout.size(), || unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        Self::asked(layout.size(), || unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new memory may both be there for a moment.
        // SAFETY: the caller's promise.
        let moved = Self::asked(size, || unsafe { System.realloc(pointer, layout, size) });
        if !moved.is_null() {
            IN_USE.fetch_sub(layout.size(), Relaxed);
        }
        moved
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}
