//! Free blocks that all threads share, and how many there may be.
//!
//! One list a class, behind a lock that is held for a push or a pop. Blocks of one class alone serve a request, since
//! a training loop asks for the same classes in each step. What a program of changing sizes leaves behind is bounded:
//! before more than twice the most that was ever in use comes from the system, a request takes the block of a class
//! close above, or the classes that have not been asked for the longest go back to the system. A loop that needs more
//! than that, since its phases need different classes, is noticed by its asking again for what has gone back, and gets
//! up to three times.

use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use super::block::{Block, List};
use super::class::{CLASSES, bytes_of};
use super::pool::SMALL_CLASSES;

/// Up to so many bytes from the system nothing goes back for want of use.
const ALWAYS_ALLOWED: usize = 128 << 20;
/// How many classes a block may be above the one asked for: twice the size.
const CLOSE: usize = 4;

/// Free bytes that may be kept before blocks go back to the system as they are dropped.
static LIMIT: AtomicUsize = AtomicUsize::new(4 << 30);
static CLASS_LISTS: [Mutex<Class>; CLASSES] = [const { Mutex::new(Class::new()) }; CLASSES];
/// Bytes in the lists, and of blocks on the way there.
static FREE: AtomicUsize = AtomicUsize::new(0);
/// Bytes of data in blocks that came from the system and have not gone back.
static FROM_SYSTEM: AtomicI64 = AtomicI64::new(0);
/// How often the system gave one. The clock of [`Class::asked_at`] too: it stands still in a steady state.
static ASKED: AtomicU64 = AtomicU64::new(0);
/// The most bytes that were not free when the system was asked, since the start or the last `clear`.
static MOST_IN_USE: AtomicUsize = AtomicUsize::new(0);
/// Bytes that were asked for again after they had gone back for want of use.
static ASKED_AGAIN: AtomicUsize = AtomicUsize::new(0);

/// Free blocks of one size class.
struct Class {
    blocks: List,
    /// When a block of the class was last asked for.
    asked_at: u64,
    /// Blocks that went back for want of use and have not been asked for since.
    gone: usize,
}

impl Class {
    const fn new() -> Self {
        Class { blocks: List::new(usize::MAX), asked_at: 0, gone: 0 }
    }

    fn pop(&mut self) -> Option<Block> {
        let block = self.blocks.pop()?;
        // SAFETY: the block was in a list, so it is alive and nobody else knows it.
        FREE.fetch_sub(unsafe { block.header() }.bytes, Relaxed);
        Some(block)
    }
}

fn class_list(class: usize) -> MutexGuard<'static, Class> {
    CLASS_LISTS[class].lock().unwrap_or_else(|e| e.into_inner())
}

/// A block of the class or one close above it: one that was given back, else a new one from the system. `None` where
/// that has none.
pub(super) fn take(class: usize) -> Option<Block> {
    let bytes = bytes_of(class);
    if class < CLASSES {
        let mut list = class_list(class);
        list.asked_at = ASKED.load(Relaxed);
        if let Some(block) = list.pop() {
            return Some(block);
        }
        if list.gone > 0 {
            list.gone -= 1;
            ASKED_AGAIN.fetch_add(bytes, Relaxed);
        }
    }
    let from_system = FROM_SYSTEM.load(Relaxed).max(0) as usize;
    let in_use = from_system.saturating_sub(FREE.load(Relaxed)).saturating_add(bytes);
    let most = MOST_IN_USE.fetch_max(in_use, Relaxed).max(in_use);
    let again = ASKED_AGAIN.load(Relaxed).min(most);
    let allowed = most.saturating_mul(2).saturating_add(again).max(ALWAYS_ALLOWED);
    if from_system.saturating_add(bytes) > allowed {
        if let Some(block) = take_close_above(class) {
            return Some(block);
        }
        release_unused(from_system.saturating_add(bytes) - allowed);
    }
    let block = Block::new(class)?;
    ASKED.fetch_add(1, Relaxed);
    FROM_SYSTEM.fetch_add(bytes as i64, Relaxed);
    Some(block)
}

/// A free block of at most twice the size. (Small blocks are kept by threads, in lists of their exact class.)
fn take_close_above(class: usize) -> Option<Block> {
    if class < SMALL_CLASSES {
        return None;
    }
    (class + 1..(class + 1 + CLOSE).min(CLASSES)).find_map(|larger| class_list(larger).pop())
}

/// Gives so many bytes to the system, if there are as many free ones: first those of the classes that have not been
/// asked for the longest, of them first the large ones.
fn release_unused(bytes: usize) {
    let mut order: Vec<(u64, usize)> =
        (0..CLASSES).rev().map(|class| (class_list(class).asked_at, class)).collect();
    order.sort_by_key(|&(asked_at, _)| asked_at);
    let mut left = bytes;
    for (_, class) in order {
        while left > 0 {
            let mut list = class_list(class);
            let Some(block) = list.pop() else { break };
            list.gone += 1;
            drop(list);
            release(block);
            left = left.saturating_sub(bytes_of(class));
        }
    }
}

/// Keeps a block that belongs to nobody, or gives it to the system where enough is kept.
pub(super) fn give_back(block: Block) {
    // SAFETY: the block is alive, and nobody else knows it.
    let (class, bytes) = unsafe { (block.header().class, block.header().bytes) };
    // Counted before others can see the block: whoever takes it counts it out.
    let before = FREE.fetch_add(bytes, Relaxed);
    if class >= CLASSES
        || before.saturating_add(bytes) > LIMIT.load(Relaxed)
        || !class_list(class).blocks.push(block)
    {
        FREE.fetch_sub(bytes, Relaxed);
        release(block);
    }
}

/// Gives all free blocks back to the system. What may be kept follows from now on what is in use from now on.
pub(super) fn clear() {
    for class in 0..CLASSES {
        let mut list = class_list(class);
        while let Some(block) = list.pop() {
            release(block);
        }
        list.gone = 0;
    }
    MOST_IN_USE.store(0, Relaxed);
    ASKED_AGAIN.store(0, Relaxed);
}

/// Gives a block that nobody knows to the system.
#[cold]
pub(super) fn release(block: Block) {
    // SAFETY: the callers have taken the block out of a list, or got it from its last owner, and its data is behind
    // its header: a `Vec` has been taken out of it before.
    unsafe {
        FROM_SYSTEM.fetch_sub(block.header().bytes as i64, Relaxed);
        block.free();
    }
}

/// Sets the number of free bytes that may be kept.
pub(super) fn set_limit(bytes: usize) {
    LIMIT.store(bytes, Relaxed);
}

/// Bytes that came from the system and have not gone back.
pub(super) fn bytes_from_system() -> i64 {
    FROM_SYSTEM.load(Relaxed)
}

/// How often the system gave a block.
pub(super) fn system_allocations() -> u64 {
    ASKED.load(Relaxed)
}

#[cfg(test)]
mod tests {
    use crate::Buffer;
    use crate::memory::{stats, trim};

    /// The name of a variable that says which of these a child process runs.
    const CHILD: &str = "CHAINRULE_TEST_OF_CACHE";

    /// Runs a test of this module by itself in a process of its own, since the counters are the process's and a limit
    /// would hurt the other tests.
    fn in_a_process(test: &str, limit: &str) {
        let program = std::env::current_exe().unwrap();
        let script = format!("{limit} exec \"$0\" \"$@\"");
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .arg(program)
            .args(["--exact", &format!("memory::cache::tests::{test}"), "--nocapture", "--test-threads=1"])
            // Where it fails for want of memory, a backtrace needs some.
            .env("RUST_BACKTRACE", "0")
            .env(CHILD, test)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
    }

    /// Whether this is the child process.
    fn is_child(test: &str) -> bool {
        std::env::var(CHILD).is_ok_and(|of| of == test)
    }

    /// A buffer of so many bytes, of which only a few are touched.
    fn buffer(bytes: usize) -> Option<Buffer<f32>> {
        Buffer::try_recycled_unpoisoned(bytes / 4)
    }

    #[test]
    #[cfg_attr(miri, ignore = "it starts a process")]
    fn what_is_kept_goes_back_before_a_request_fails() {
        const NAME: &str = "what_is_kept_goes_back_before_a_request_fails";
        if !is_child(NAME) {
            return in_a_process(NAME, "ulimit -v 2500000 &&");
        }
        // Many at once, so that twice the most in use is beyond what the system has; then others instead of them.
        for mib in (20..400).step_by(9) {
            let count = 1000 / mib;
            let many: Vec<_> = (0..count).map(|_| buffer(mib << 20)).collect();
            assert!(many.iter().all(Option::is_some), "{count} of {mib} MiB: {:?}", stats());
        }
        // Small ones of this thread go back too.
        let small: Vec<_> = (0..1000).map(|_| buffer(1024)).collect();
        drop(small);
        assert!(stats().cached_bytes > 0);
        assert!(buffer(4 << 30).is_none());
        assert_eq!(stats().cached_bytes, 0);
        assert!(buffer(1 << 30).is_some());
    }

    #[test]
    #[cfg_attr(miri, ignore = "it starts a process")]
    fn what_is_kept_is_in_proportion_to_what_was_in_use() {
        const NAME: &str = "what_is_kept_is_in_proportion_to_what_was_in_use";
        if !is_child(NAME) {
            return in_a_process(NAME, "");
        }
        // A size is rounded up to its class.
        let most = 224 << 20;
        (1..=200usize).for_each(|mib| drop(buffer(mib << 20)));
        assert!(stats().cached_bytes <= 2 * most, "{:?}", stats());
        for _ in 0..3 {
            (1..=200usize).rev().chain(1..=200).for_each(|mib| drop(buffer(mib << 20)));
            assert!(stats().cached_bytes <= 3 * most, "{:?}", stats());
        }
        trim();
        assert_eq!(stats().cached_bytes, 0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "it starts a process")]
    fn a_loop_that_needs_more_than_its_peak_stops_asking() {
        const NAME: &str = "a_loop_that_needs_more_than_its_peak_stops_asking";
        if !is_child(NAME) {
            return in_a_process(NAME, "");
        }
        // Phases that each need 256 MiB, in blocks of other sizes: two and a half times the peak.
        let phase =
            |mib: usize, count: usize| drop((0..count).map(|_| buffer(mib << 20)).collect::<Vec<_>>());
        let step = || {
            phase(256, 1);
            phase(64, 4);
            phase(16, 8);
        };
        (0..5).for_each(|_| step());
        let before = stats().system_allocations;
        (0..20).for_each(|_| step());
        assert_eq!(stats().system_allocations, before);
    }
}
