//! Size classes and free lists.
//!
//! A block's size is rounded up to a class: four classes to each power of two, from 64 bytes up, so at most a
//! fifth of a block is slack. Small blocks are kept per thread, without locks; large ones in one shared list a
//! class, behind a lock that is held for a push or a pop.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::stats::{CACHED, SYSTEM};

pub(super) const ALIGN: usize = 64;
/// Blocks up to this size are kept in the lists of their thread.
const SMALL_BYTES: usize = 16 * 1024;
/// At most so many blocks of a class are kept by one thread.
const SMALL_KEPT: usize = 64;
const CLASSES: usize = 4 * 40;

/// Bytes that may be kept for reuse before blocks are given back to the system: 4 GiB unless changed.
static LIMIT: AtomicUsize = AtomicUsize::new(4 << 30);
static LARGE: [Mutex<Vec<Block>>; CLASSES] = [const { Mutex::new(Vec::new()) }; CLASSES];

thread_local! {
    static SMALL: RefCell<SmallBlocks> = const { RefCell::new(SmallBlocks([const { Vec::new() }; SMALL_CLASSES])) };
}
const SMALL_CLASSES: usize = class_of(SMALL_BYTES) + 1;

/// A block of memory of a class, at least once written.
pub(super) struct Block(pub(super) NonNull<u8>);

// SAFETY: a block in a free list belongs to nobody; whoever takes it out owns it alone.
unsafe impl Send for Block {}

struct SmallBlocks([Vec<Block>; SMALL_CLASSES]);

impl Drop for SmallBlocks {
    fn drop(&mut self) {
        for (class, blocks) in self.0.iter_mut().enumerate() {
            for block in blocks.drain(..) {
                CACHED.fetch_sub(bytes_of(class), Relaxed);
                release(block, class);
            }
        }
    }
}

/// No block is larger: half of what the language allows, so that a size rounded up to its class is in bounds.
pub(super) const MAX_BYTES: usize = isize::MAX as usize / 2;

/// The smallest class whose blocks have at least `bytes` bytes.
pub(super) const fn class_of(bytes: usize) -> usize {
    // In units of 16 bytes, a class is (4 + quarter) << power.
    let units = if bytes <= 64 { 4 } else { bytes.div_ceil(16) };
    let power = (usize::BITS - 1 - units.leading_zeros()) as usize - 2;
    let quarters = units.div_ceil(1 << power);
    4 * power + quarters - 4
}

/// The size of a class's blocks.
pub(super) const fn bytes_of(class: usize) -> usize {
    ((4 + class % 4) << (class / 4)) * 16
}

/// A block of the class: one that was given back, else a new one from the system, which may have none.
pub(super) fn take(class: usize) -> Option<Block> {
    let kept = if class < SMALL_CLASSES {
        SMALL.try_with(|small| small.borrow_mut().0[class].pop()).ok().flatten()
    } else if class < CLASSES {
        LARGE[class].lock().unwrap_or_else(|e| e.into_inner()).pop()
    } else {
        None
    };
    if kept.is_some() {
        CACHED.fetch_sub(bytes_of(class), Relaxed);
        return kept;
    }
    // SAFETY: the layout's size is at least 64.
    let block = NonNull::new(unsafe { alloc_zeroed(layout(class)) }).map(Block)?;
    SYSTEM.fetch_add(1, Relaxed);
    Some(block)
}

/// Keeps a block for reuse, or gives it to the system where enough is kept.
pub(super) fn give_back(block: Block, class: usize) {
    let bytes = bytes_of(class);
    if CACHED.load(Relaxed) + bytes > LIMIT.load(Relaxed) {
        return release(block, class);
    }
    let mut block = Some(block);
    if class < SMALL_CLASSES {
        // During the thread's end its lists may be gone already; then the block goes to the system.
        let _ = SMALL.try_with(|small| {
            let list = &mut small.borrow_mut().0[class];
            if list.len() < SMALL_KEPT {
                list.extend(block.take());
            }
        });
    } else if class < CLASSES {
        LARGE[class].lock().unwrap_or_else(|e| e.into_inner()).extend(block.take());
    }
    match block {
        None => _ = CACHED.fetch_add(bytes, Relaxed),
        Some(block) => release(block, class),
    }
}

/// Sets how many bytes may be kept for reuse (4 GiB at the start); what is over it goes back to the system
/// as buffers are dropped.
pub fn set_cache_limit(bytes: usize) {
    LIMIT.store(bytes, Relaxed);
}

/// Gives the kept memory back to the system: all large blocks, and the calling thread's small ones.
pub fn trim() {
    let _ = SMALL.try_with(|small| {
        for (class, blocks) in small.borrow_mut().0.iter_mut().enumerate() {
            empty(blocks, class);
        }
    });
    for (class, list) in LARGE.iter().enumerate() {
        empty(&mut list.lock().unwrap_or_else(|e| e.into_inner()), class);
    }
}

fn empty(blocks: &mut Vec<Block>, class: usize) {
    for block in blocks.drain(..) {
        CACHED.fetch_sub(bytes_of(class), Relaxed);
        release(block, class);
    }
}

fn release(block: Block, class: usize) {
    // SAFETY: the block was allocated by `take` with this layout and is owned by the caller.
    unsafe { dealloc(block.0.as_ptr(), layout(class)) }
}

fn layout(class: usize) -> Layout {
    Layout::from_size_align(bytes_of(class), ALIGN).expect("a size class below isize::MAX")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_promise() {
        for bytes in (0..5000).chain([1 << 20, (1 << 20) + 1, 123_456_789, 1 << 40]) {
            let class = class_of(bytes);
            assert!(bytes_of(class) >= bytes);
            assert!(class == 0 || bytes_of(class - 1) < bytes.max(65), "{bytes} fits a smaller class");
            assert!(bytes < 256 || bytes_of(class) as f64 <= 1.26 * bytes as f64);
        }
    }
}
