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
pub(super) const SMALL_BYTES: usize = 16 * 1024;
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
    /// Blocks that held something else than numbers, and must not be taken for numbers: bytes between the fields of a
    /// value have no contents.
    values: [List; SMALL_CLASSES],
    counters: &'static Counters,
}

impl Local {
    fn new() -> Self {
        let lists = || [const { List::new() }; SMALL_CLASSES];
        Local { small: lists(), values: lists(), counters: stats::take() }
    }

    #[inline]
    fn take(&mut self, class: usize) -> Option<Block> {
        let kept = self.small.get_mut(class).and_then(List::pop);
        self.taken(kept, class)
    }

    #[inline]
    fn take_value(&mut self, class: usize) -> Option<Block> {
        let kept = self.values[class].pop();
        self.taken(kept, class)
    }

    /// A block that was kept, or else another one.
    #[inline]
    fn taken(&mut self, kept: Option<Block>, class: usize) -> Option<Block> {
        let block = match kept {
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
        self.counters.gave_back(bytes_of(class));
        match self.small.get_mut(class) {
            Some(list) => keep(list, block, class, self.counters),
            None if may_keep(class, self.counters) => give_back_shared(block, class),
            None => release(block),
        }
    }

    #[inline]
    fn give_back_value(&mut self, block: Block, class: usize) {
        self.counters.gave_back(bytes_of(class));
        keep(&mut self.values[class], block, class, self.counters);
    }

    fn trim(&mut self) {
        for lists in [&mut self.small, &mut self.values] {
            for (class, list) in lists.iter_mut().enumerate() {
                self.counters.kept(-((list.len() * bytes_of(class)) as i64));
                empty(list);
            }
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.trim();
        stats::give_back(self.counters);
    }
}

/// Whether another block of the class may be kept.
#[inline]
fn may_keep(class: usize, counters: &Counters) -> bool {
    SHARED.load(Relaxed) + counters.kept_bytes() + bytes_of(class) <= LIMIT.load(Relaxed)
}

#[inline]
fn keep(list: &mut List, block: Block, class: usize, counters: &Counters) {
    if list.len() * bytes_of(class) < SMALL_KEPT && may_keep(class, counters) {
        list.push(block);
        counters.kept(bytes_of(class) as i64);
    } else {
        release(block);
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

/// As [`take`], for a value of any type; the class is one of small blocks.
#[inline]
pub(super) fn take_value(class: usize) -> Option<Block> {
    let here = LOCAL.try_with(|local| local.borrow_mut().take_value(class));
    here.unwrap_or_else(|_| Local::new().take_value(class))
}

/// As [`give_back`], for a block that held a value of any type.
#[inline]
pub(super) fn give_back_value(block: Block, class: usize) {
    let here = LOCAL.try_with(|local| local.borrow_mut().give_back_value(block, class));
    if here.is_err() {
        Local::new().give_back_value(block, class);
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
