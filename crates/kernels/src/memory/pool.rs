//! Free blocks, by size class.
//!
//! Small ones are kept per thread, without locks; large ones, and small ones of which a thread has enough, in lists that
//! all threads [share](super::cache). So blocks come back to a thread that makes what another one drops.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::block::{Block, List};
use super::cache::{self, release};
use super::class::{bytes_of, class_of};
use super::stats::{self, Counters};

/// Blocks up to this size are kept in the lists of their thread.
pub(super) const SMALL_BYTES: usize = 16 * 1024;
pub(super) const SMALL_CLASSES: usize = class_of(SMALL_BYTES) + 1;
/// At most so many bytes of a class are kept by one thread.
const SMALL_KEPT: usize = 1 << 20;

/// Whether small blocks are kept at all.
static KEEP_SMALL: AtomicBool = AtomicBool::new(true);

thread_local! {
    static LOCAL: UnsafeCell<Local> = UnsafeCell::new(Local::new());
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
        let lists = || std::array::from_fn(|class| List::new(SMALL_KEPT / bytes_of(class)));
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
            Some(block) => block,
            None => take_elsewhere(self, class)?,
        };
        // SAFETY: the block is alive, and nobody else knows it.
        self.counters.took(unsafe { block.header() }.bytes);
        Some(block)
    }

    #[inline]
    fn give_back(&mut self, block: Block) {
        // SAFETY: the block is alive, and nobody else knows it.
        let header = unsafe { block.header() };
        self.counters.gave_back(header.bytes);
        let list = self.small.get_mut(header.class).filter(|_| KEEP_SMALL.load(Relaxed));
        if !list.is_some_and(|list| list.push(block)) {
            cache::give_back(block);
        }
    }

    #[inline]
    fn give_back_value(&mut self, block: Block, class: usize) {
        self.counters.gave_back(bytes_of(class));
        if !(KEEP_SMALL.load(Relaxed) && self.values[class].push(block)) {
            release(block);
        }
    }

    fn trim(&mut self) {
        self.small.iter_mut().chain(&mut self.values).for_each(empty);
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.trim();
        stats::give_back(self.counters);
    }
}

/// Runs `f` with what belongs to this thread; while the thread ends, with what is made for this one time.
#[inline]
fn with_local<R>(f: impl Fn(&mut Local) -> R) -> R {
    // SAFETY: the functions above, which are all that is called here, do not come back here, so this is the only
    // reference.
    LOCAL.try_with(|local| f(unsafe { &mut *local.get() })).unwrap_or_else(|_| f(&mut Local::new()))
}

/// A block of the class: one that was given back, else a new one from the system, which may have none.
#[inline]
pub(super) fn take(class: usize) -> Option<Block> {
    with_local(|local| local.take(class))
}

/// Keeps a block that belongs to nobody for reuse, or gives it to the system where enough is kept.
#[inline]
pub(super) fn give_back(block: Block) {
    with_local(|local| local.give_back(block));
}

/// As [`take`], for a value of any type; the class is one of small blocks.
#[inline]
pub(super) fn take_value(class: usize) -> Option<Block> {
    with_local(|local| local.take_value(class))
}

/// As [`give_back`], for a block that held a value of any type.
#[inline]
pub(super) fn give_back_value(block: Block, class: usize) {
    with_local(|local| local.give_back_value(block, class));
}

/// A block that this thread does not keep. Where the system refuses, it gets back all that is kept, and is asked again.
#[cold]
fn take_elsewhere(local: &mut Local, class: usize) -> Option<Block> {
    cache::take(class).or_else(|| {
        local.trim();
        cache::clear();
        cache::take(class)
    })
}

/// Sets how many bytes may be kept for reuse (4 GiB at the start); what is over it goes back to the system
/// as buffers are dropped. The limit is that of what threads share: blocks of more than 16 KiB, and smaller
/// ones of which a thread has enough. Of these each thread keeps at most 1 MiB of a size for itself, and none where the
/// limit is below 32 MiB.
///
/// Whatever the limit, no more than two to three times the most that was in use comes from the system (or 128 MiB):
/// before, blocks that have not been asked for the longest go back.
pub fn set_cache_limit(bytes: usize) {
    cache::set_limit(bytes);
    KEEP_SMALL.store(bytes >= 32 << 20, Relaxed);
}

/// Gives the kept memory back to the system: what threads share, and the calling thread's own small blocks.
pub fn trim() {
    with_local(Local::trim);
    cache::clear();
}

fn empty(list: &mut List) {
    while let Some(block) = list.pop() {
        release(block);
    }
}
