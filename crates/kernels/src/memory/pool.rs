//! Free blocks, by size class.
//!
//! Small ones are kept per thread, without locks; large ones, and small ones of which a thread has enough, in one shared
//! list a class, behind a lock that is held for a push or a pop. So blocks come back to a thread that makes what another
//! one drops.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use super::block::{Block, List};
use super::class::{CLASSES, bytes_of, class_of};
use super::stats::{self, Counters};

/// Blocks up to this size are kept in the lists of their thread.
pub(super) const SMALL_BYTES: usize = 16 * 1024;
const SMALL_CLASSES: usize = class_of(SMALL_BYTES) + 1;
/// At most so many bytes of a class are kept by one thread.
const SMALL_KEPT: usize = 1 << 20;

/// Bytes of large blocks that may be kept for reuse before blocks are given back to the system.
static LIMIT: AtomicUsize = AtomicUsize::new(4 << 30);
/// Whether small blocks are kept at all.
static KEEP_SMALL: AtomicBool = AtomicBool::new(true);
static LISTS: [Mutex<List>; CLASSES] = [const { Mutex::new(List::new(usize::MAX)) }; CLASSES];
/// Bytes in the shared lists, and of blocks on the way there.
static SHARED: AtomicUsize = AtomicUsize::new(0);
/// Bytes of data in blocks that came from the system and have not gone back.
static FROM_SYSTEM: AtomicI64 = AtomicI64::new(0);
/// How often the system gave one.
static ASKED: AtomicU64 = AtomicU64::new(0);

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
            None => take_elsewhere(class)?,
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
            give_back_elsewhere(block);
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

/// A block that this thread does not keep.
#[cold]
fn take_elsewhere(class: usize) -> Option<Block> {
    if class < CLASSES
        && let Some(block) = shared(class).pop()
    {
        SHARED.fetch_sub(bytes_of(class), Relaxed);
        return Some(block);
    }
    let block = Block::new(class)?;
    ASKED.fetch_add(1, Relaxed);
    FROM_SYSTEM.fetch_add(bytes_of(class) as i64, Relaxed);
    Some(block)
}

/// Gives a block back that this thread does not keep.
#[cold]
fn give_back_elsewhere(block: Block) {
    // SAFETY: the block is alive, and nobody else knows it.
    let (class, bytes) = unsafe { (block.header().class, block.header().bytes) };
    // Counted before others can see the block: whoever takes it counts it out.
    let before = SHARED.fetch_add(bytes, Relaxed);
    if class >= CLASSES || before + bytes > LIMIT.load(Relaxed) || !shared(class).push(block) {
        SHARED.fetch_sub(bytes, Relaxed);
        release(block);
    }
}

fn shared(class: usize) -> MutexGuard<'static, List> {
    LISTS[class].lock().unwrap_or_else(|e| e.into_inner())
}

/// Bytes that came from the system and have not gone back.
pub(super) fn bytes_from_system() -> i64 {
    FROM_SYSTEM.load(Relaxed)
}

/// How often the system gave a block.
pub(super) fn system_allocations() -> u64 {
    ASKED.load(Relaxed)
}

/// Sets how many bytes may be kept for reuse (4 GiB at the start); what is over it goes back to the system
/// as buffers are dropped. The limit is that of what threads share: blocks of more than 16 KiB, and smaller
/// ones of which a thread has enough. Of these each thread keeps at most 1 MiB of a size for itself, and none where the
/// limit is below 32 MiB.
pub fn set_cache_limit(bytes: usize) {
    LIMIT.store(bytes, Relaxed);
    KEEP_SMALL.store(bytes >= 32 << 20, Relaxed);
}

/// Gives the kept memory back to the system: what threads share, and the calling thread's own small blocks.
pub fn trim() {
    with_local(Local::trim);
    for class in 0..CLASSES {
        let mut list = shared(class);
        while let Some(block) = list.pop() {
            SHARED.fetch_sub(bytes_of(class), Relaxed);
            release(block);
        }
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
    unsafe {
        FROM_SYSTEM.fetch_sub(block.header().bytes as i64, Relaxed);
        block.free();
    }
}
