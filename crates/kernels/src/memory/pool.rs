//! Free blocks, by size class.
//!
//! Small ones are kept per thread, without locks; large ones in one shared list a class, behind a lock that is held
//! for a push or a pop.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use super::block::{Block, List};
use super::class::{CLASSES, bytes_of, class_of};
use super::stats::{self, Counters};

/// Blocks up to this size are kept in the lists of their thread.
const SMALL_BYTES: usize = 16 * 1024;
const SMALL_CLASSES: usize = class_of(SMALL_BYTES) + 1;
/// At most so many bytes of a class are kept by one thread.
const SMALL_KEPT: usize = 1 << 20;

/// Bytes that may be kept for reuse before blocks are given back to the system: 4 GiB unless changed.
static LIMIT: AtomicUsize = AtomicUsize::new(4 << 30);
static LARGE: [Mutex<List>; CLASSES] = [const { Mutex::new(List::new()) }; CLASSES];
/// Bytes in the shared lists.
static SHARED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static LOCAL: RefCell<Local> = RefCell::new(Local::new());
}

/// What belongs to one thread.
struct Local {
    small: [List; SMALL_CLASSES],
    counters: &'static Counters,
}

impl Local {
    fn new() -> Self {
        Local { small: [const { List::new() }; SMALL_CLASSES], counters: stats::take() }
    }

    #[inline]
    fn take(&mut self, class: usize) -> Option<Block> {
        let block = match self.small.get_mut(class).and_then(List::pop) {
            Some(block) => {
                self.counters.kept(-(bytes_of(class) as i64));
                block
            }
            None => self.take_shared(class)?,
        };
        self.counters.took(bytes_of(class));
        Some(block)
    }

    /// A block that this thread does not keep.
    #[cold]
    fn take_shared(&mut self, class: usize) -> Option<Block> {
        if (SMALL_CLASSES..CLASSES).contains(&class)
            && let Some(block) = large(class).pop()
        {
            SHARED.fetch_sub(bytes_of(class), Relaxed);
            return Some(block);
        }
        let block = Block::new(class)?;
        self.counters.asked_the_system();
        Some(block)
    }

    #[inline]
    fn give_back(&mut self, block: Block, class: usize) {
        let bytes = bytes_of(class);
        self.counters.gave_back(bytes);
        let kept = SHARED.load(Relaxed) + self.counters.kept_bytes();
        if kept + bytes > LIMIT.load(Relaxed) {
            release(block);
        } else if let Some(list) = self.small.get_mut(class) {
            if list.len() * bytes < SMALL_KEPT {
                list.push(block);
                self.counters.kept(bytes as i64);
            } else {
                release(block);
            }
        } else {
            give_back_shared(block, class);
        }
    }

    fn trim(&mut self) {
        for (class, list) in self.small.iter_mut().enumerate() {
            self.counters.kept(-((list.len() * bytes_of(class)) as i64));
            empty(list);
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.trim();
        stats::give_back(self.counters);
    }
}

/// A block of the class: one that was given back, else a new one from the system, which may have none.
#[inline]
pub(super) fn take(class: usize) -> Option<Block> {
    // While a thread ends its own lists may be gone already.
    LOCAL.try_with(|local| local.borrow_mut().take(class)).unwrap_or_else(|_| Local::new().take(class))
}

/// Keeps a block that belongs to nobody for reuse, or gives it to the system where enough is kept.
#[inline]
pub(super) fn give_back(block: Block, class: usize) {
    let here = LOCAL.try_with(|local| local.borrow_mut().give_back(block, class));
    if here.is_err() {
        Local::new().give_back(block, class);
    }
}

#[cold]
fn give_back_shared(block: Block, class: usize) {
    if class < CLASSES {
        large(class).push(block);
        SHARED.fetch_add(bytes_of(class), Relaxed);
    } else {
        release(block);
    }
}

fn large(class: usize) -> MutexGuard<'static, List> {
    LARGE[class].lock().unwrap_or_else(|e| e.into_inner())
}

/// Bytes kept in the shared lists.
pub(super) fn shared_bytes() -> usize {
    SHARED.load(Relaxed)
}

/// Sets how many bytes may be kept for reuse (4 GiB at the start); what is over it goes back to the system
/// as buffers are dropped.
pub fn set_cache_limit(bytes: usize) {
    LIMIT.store(bytes, Relaxed);
}

/// Gives the kept memory back to the system: all large blocks, and the calling thread's small ones.
pub fn trim() {
    let _ = LOCAL.try_with(|local| local.borrow_mut().trim());
    for class in SMALL_CLASSES..CLASSES {
        let mut list = large(class);
        SHARED.fetch_sub(list.len() * bytes_of(class), Relaxed);
        empty(&mut list);
    }
}

fn empty(list: &mut List) {
    while let Some(block) = list.pop() {
        release(block);
    }
}

#[cold]
fn release(block: Block) {
    // SAFETY: the callers have taken the block out of a list, or got it from its last owner, and its data is behind
    // its header: a `Vec` has been taken out of it before.
    unsafe { block.free() }
}
