//! The one door to threads.
//!
//! Each task writes its own part of the output, and where a cut shows in a result (in the order of a sum) it is made by
//! sizes alone, never by how many threads there are; so results are the same bits for every thread count. Small work
//! stays on the calling thread, one thread means that no pool exists, and work inside a task never starts more threads.

mod pool;

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::memory::OutOfMemory;
use pool::Pool;

/// Work that is estimated to take less than this many nanoseconds is not shared out: waking a sleeping
/// thread costs about as much. (Miri, which looks for races, has no time for large work: there all is shared out.)
const WORTH_SHARING_NS: f64 = if cfg!(miri) { 0.0 } else { 30_000.0 };

/// More threads are never made: a system that has no room for their stacks ends the process.
const MOST_THREADS: usize = 512;

/// What is asked for by `set_num_threads`; 0 until somebody asks.
static THREADS: AtomicUsize = AtomicUsize::new(0);
static POOL: RwLock<Option<(usize, Arc<Pool>)>> = RwLock::new(None);

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// The number of threads that kernels use: what [`set_num_threads`] said, else the environment variable
/// `CHAINRULE_NUM_THREADS`, else the processors that this process may use (affinity and container quota
/// counted). At most 512. A variable that holds no number above 0 is reported on standard error, once, and ignored.
pub fn num_threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => {
            let n = std::env::var("CHAINRULE_NUM_THREADS").map_or_else(|_| available(), |text| asked(&text));
            // A concurrent `set_num_threads` wins.
            let _ = THREADS.compare_exchange(0, n, Ordering::Relaxed, Ordering::Relaxed);
            THREADS.load(Ordering::Relaxed)
        }
        n => n,
    }
}

/// The number of threads that the environment asks for.
fn asked(text: &str) -> usize {
    match text.trim().parse::<usize>() {
        Ok(n) if n > 0 => n.min(MOST_THREADS),
        _ => {
            eprintln!(
                "chainrule: CHAINRULE_NUM_THREADS must be a number above 0, not {text:?}; it is ignored"
            );
            available()
        }
    }
}

fn available() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Sets the number of threads that kernels use from now on. With 1 there is no pool at all. Zero counts as 1, more than
/// 512 as 512.
pub fn set_num_threads(threads: usize) {
    THREADS.store(threads.clamp(1, MOST_THREADS), Ordering::Relaxed);
    *POOL.write().unwrap_or_else(PoisonError::into_inner) = None;
}

/// The pool, with one thread fewer than [`num_threads`]: the caller works too.
fn pool(threads: usize) -> Arc<Pool> {
    if let Some((size, pool)) = &*POOL.read().unwrap_or_else(PoisonError::into_inner)
        && *size == threads
    {
        return pool.clone();
    }
    let mut slot = POOL.write().unwrap_or_else(PoisonError::into_inner);
    match &*slot {
        Some((size, pool)) if *size == threads => pool.clone(),
        _ => {
            let pool = Arc::new(Pool::new(threads - 1, threads <= available()));
            *slot = Some((threads, pool.clone()));
            pool
        }
    }
}

/// Runs `task(0)`, …, `task(tasks - 1)`, each once, on several threads where the whole is estimated to take
/// longer than `total_ns` nanoseconds on one.
pub fn run(tasks: usize, total_ns: f64, task: impl Fn(usize) + Sync) {
    share(tasks, total_ns, &task);
}

/// [`run`] with tasks for which there may be no memory: the rest of them is left out then.
pub(crate) fn try_run(
    tasks: usize,
    total_ns: f64,
    task: impl Fn(usize) -> Result<(), OutOfMemory> + Sync,
) -> Result<(), OutOfMemory> {
    let failed = OnceLock::new();
    run(tasks, total_ns, |i| {
        if failed.get().is_none()
            && let Err(error) = task(i)
        {
            // Another thread's error is as good.
            let _ = failed.set(error);
        }
    });
    failed.into_inner().map_or(Ok(()), Err)
}

/// [`run`], compiled once and not for every task there is.
fn share(tasks: usize, total_ns: f64, task: &(dyn Fn(usize) + Sync)) {
    let threads = if tasks < 2 || total_ns < WORTH_SHARING_NS || INSIDE.get() { 1 } else { num_threads() };
    if threads == 1 {
        return (0..tasks).for_each(task);
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let _inside = Inside::enter();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= tasks {
                break;
            }
            task(i);
        }
    };
    pool(threads).run(&work);
}

/// Marks this thread as working on a task, until dropped.
struct Inside(bool);

impl Inside {
    fn enter() -> Self {
        Inside(INSIDE.replace(true))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(self.0);
    }
}

/// Cuts `out` into pieces of `chunk` elements (the last may be shorter) and calls `task(index, piece)` for each.
pub fn chunks_mut<T: Send>(
    out: &mut [T],
    chunk: usize,
    total_ns: f64,
    task: impl Fn(usize, &mut [T]) + Sync,
) {
    let len = out.len();
    if len <= chunk {
        // One piece, or none.
        return if len > 0 {
            task(0, out)
        };
    }
    let base = SendPtr(out.as_mut_ptr());
    run(len.div_ceil(chunk.max(1)), total_ns, |i| {
        let start = i * chunk;
        let end = (start + chunk).min(len);
        // SAFETY: tasks get disjoint ranges of `out`, each index is run once, and `out` stays mutably
        // borrowed until `run` returns.
        let piece = unsafe { std::slice::from_raw_parts_mut(base.get().add(start), end - start) };
        task(i, piece);
    });
}

/// [`chunks_mut`] with tasks for which there may be no memory: the rest of them is left out then.
pub(crate) fn try_chunks_mut<T: Send>(
    out: &mut [T],
    chunk: usize,
    total_ns: f64,
    task: impl Fn(usize, &mut [T]) -> Result<(), OutOfMemory> + Sync,
) -> Result<(), OutOfMemory> {
    let failed = OnceLock::new();
    chunks_mut(out, chunk, total_ns, |i, piece| {
        if failed.get().is_none()
            && let Err(error) = task(i, piece)
        {
            let _ = failed.set(error);
        }
    });
    failed.into_inner().map_or(Ok(()), Err)
}

/// As [`chunks_mut`], over two slices cut into the same number of pieces.
pub fn chunks_mut2<T: Send, U: Send>(
    (a, chunk_a): (&mut [T], usize),
    (b, chunk_b): (&mut [U], usize),
    total_ns: f64,
    task: impl Fn(usize, &mut [T], &mut [U]) + Sync,
) {
    let (len_a, len_b) = (a.len(), b.len());
    let tasks = len_a.div_ceil(chunk_a.max(1));
    assert_eq!(tasks, len_b.div_ceil(chunk_b.max(1)), "the two slices give different numbers of pieces");
    let (base_a, base_b) = (SendPtr(a.as_mut_ptr()), SendPtr(b.as_mut_ptr()));
    run(tasks, total_ns, |i| {
        let (start_a, start_b) = (i * chunk_a, i * chunk_b);
        let (end_a, end_b) = ((start_a + chunk_a).min(len_a), (start_b + chunk_b).min(len_b));
        // SAFETY: tasks get disjoint ranges of `a`, each index is run once, and `a` stays mutably borrowed.
        let piece_a = unsafe { std::slice::from_raw_parts_mut(base_a.get().add(start_a), end_a - start_a) };
        // SAFETY: the same for `b`.
        let piece_b = unsafe { std::slice::from_raw_parts_mut(base_b.get().add(start_b), end_b - start_b) };
        task(i, piece_a, piece_b);
    });
}

/// A pointer that may cross to another thread: the users above hand each thread a range of its own.
pub(crate) struct SendPtr<T>(pub(crate) *mut T);

impl<T> SendPtr<T> {
    pub(crate) fn get(&self) -> *mut T {
        self.0
    }
}

// SAFETY: only ranges that no other thread touches are reached through it (see the users).
unsafe impl<T: Send> Send for SendPtr<T> {}
// SAFETY: as above; sharing the pointer itself is harmless.
unsafe impl<T: Send> Sync for SendPtr<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_visited_once_for_every_thread_count() {
        for threads in [1, 2, 3, 8] {
            set_num_threads(threads);
            let mut out = vec![0usize; 1003];
            chunks_mut(&mut out, 10, 1e9, |i, piece| piece.iter_mut().for_each(|x| *x += i + 1));
            for (j, x) in out.iter().enumerate() {
                assert_eq!(*x, j / 10 + 1);
            }
        }
    }

    #[test]
    fn a_number_of_threads_is_bounded_and_a_wrong_one_is_ignored() {
        assert_eq!((asked("3"), asked(" 7 "), asked("100000")), (3, 7, MOST_THREADS));
        for wrong in ["abc", "", "0", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(asked(wrong), available(), "{wrong:?}");
        }
    }

    #[test]
    fn nested_work_stays_on_its_thread() {
        set_num_threads(4);
        run(8, 1e9, |_| {
            let outer = std::thread::current().id();
            run(8, 1e9, |_| assert_eq!(std::thread::current().id(), outer));
        });
    }
}
