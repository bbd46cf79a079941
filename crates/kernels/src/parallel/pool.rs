//! Threads that wait for work, and one piece of work at a time that they join in.
//!
//! A thread that has just worked looks out for more for a while before it sleeps: kernels follow each other within
//! microseconds, and waking a thread takes as long as a small kernel. Who hands out work waits only for threads that
//! have joined in, never for one that still has to wake.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// How long a thread looks out for work before it sleeps.
const AWAKE: Duration = Duration::from_micros(100);
/// Looks between two looks at the clock.
const LOOKS: usize = 64;

/// What the threads share.
struct Board {
    /// Odd while there is work to join in; counts up.
    round: AtomicUsize,
    /// Threads that may have joined in.
    joined: AtomicUsize,
    /// The work of this round; see the comments where it is read and written.
    work: UnsafeCell<Option<Work>>,
    /// What a thread panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    ended: AtomicBool,
    /// Whether threads look out for work before they sleep: not where there are more of them than processors.
    looks_out: bool,
}

/// Leaves a panic's payload where it is: to drop it may panic once more, and would end the thread that does so.
fn forget(panic: Option<Box<dyn Any + Send>>) {
    std::mem::forget(panic);
}

/// A function that outlives its round, which the compiler cannot know.
type Work = *const (dyn Fn() + Sync);

// SAFETY: `work` is written only while no thread is in it, and read only by threads that joined in; see `run` and
// `join`. The function that it points to is `Sync`.
unsafe impl Sync for Board {}
// SAFETY: as above.
unsafe impl Send for Board {}

/// Some threads besides the one that uses them.
pub(super) struct Pool {
    board: Arc<Board>,
    threads: Vec<(Thread, Arc<AtomicBool>)>,
    /// Held by who hands out work.
    busy: Mutex<()>,
}

impl Pool {
    /// Fewer threads than asked for where the system has no more.
    pub(super) fn new(threads: usize, looks_out: bool) -> Self {
        let board = Arc::new(Board {
            round: AtomicUsize::new(0),
            joined: AtomicUsize::new(0),
            work: UnsafeCell::new(None),
            panic: Mutex::new(None),
            ended: AtomicBool::new(false),
            looks_out,
        });
        let start = |i: usize| {
            let (board, asleep) = (board.clone(), Arc::new(AtomicBool::new(false)));
            let its_asleep = asleep.clone();
            let thread = std::thread::Builder::new().name(format!("chainrule-{i}"));
            let handle = thread.spawn(move || board.attend(&its_asleep)).ok()?;
            Some((handle.thread().clone(), asleep))
        };
        Pool { threads: (0..threads).map_while(start).collect(), board, busy: Mutex::new(()) }
    }

    /// Calls `work` here and on each thread that comes in time, and returns when all calls have. Calls it here alone
    /// where the threads are busy with something else. Panics where one of the calls did.
    pub(super) fn run(&self, work: &(dyn Fn() + Sync)) {
        let _busy = match self.busy.try_lock() {
            Ok(busy) => busy,
            // Somebody's work has panicked, which leaves nothing half done here: the round has ended all the same.
            Err(TryLockError::Poisoned(busy)) => busy.into_inner(),
            Err(TryLockError::WouldBlock) => return work(),
        };
        let board = &*self.board;
        // Where the work panicked here and on another thread, the other's panic was left.
        forget(board.panic.lock().unwrap_or_else(PoisonError::into_inner).take());
        let pointer = std::ptr::from_ref(work);
        // SAFETY: this changes the lifetime alone; the round, in which the pointer is used, ends within this function.
        let pointer = unsafe { std::mem::transmute::<*const (dyn Fn() + Sync + '_), Work>(pointer) };
        // SAFETY: no thread reads it: those of the last round have left, and none joins before the round begins.
        unsafe { *board.work.get() = Some(pointer) };
        board.round.fetch_add(1, SeqCst);
        let round = Round(board);
        for (thread, asleep) in &self.threads {
            if asleep.swap(false, SeqCst) {
                thread.unpark();
            }
        }
        work();
        drop(round);
        let panic = board.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

/// Ends the round and waits for who joined in, also when the work panics here.
struct Round<'a>(&'a Board);

impl Drop for Round<'_> {
    fn drop(&mut self) {
        self.0.round.fetch_add(1, SeqCst);
        let mut looks = 0;
        while self.0.joined.load(SeqCst) > 0 {
            looks += 1;
            if self.0.looks_out && looks < 10_000 {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.board.ended.store(true, SeqCst);
        self.threads.iter().for_each(|(thread, _)| thread.unpark());
    }
}

impl Board {
    /// The life of a thread.
    fn attend(&self, asleep: &AtomicBool) {
        let mut seen = 0;
        while let Some(round) = self.wait(seen, asleep) {
            seen = round;
            self.join(round);
        }
    }

    /// The next round after `seen`, or none when the pool has ended.
    fn wait(&self, seen: usize, asleep: &AtomicBool) -> Option<usize> {
        let news = || {
            let round = self.round.load(SeqCst);
            (round % 2 == 1 && round != seen).then_some(round)
        };
        let mut since = None;
        loop {
            if self.ended.load(SeqCst) {
                return None;
            }
            for _ in 0..if self.looks_out { LOOKS } else { 1 } {
                if let Some(round) = news() {
                    return Some(round);
                }
                std::hint::spin_loop();
            }
            if self.looks_out && since.get_or_insert_with(Instant::now).elapsed() < AWAKE {
                continue;
            }
            asleep.store(true, SeqCst);
            // Whoever begins a round after this look sees that we sleep.
            if news().is_none() && !self.ended.load(SeqCst) {
                std::thread::park();
            }
            asleep.store(false, SeqCst);
            since = None;
        }
    }

    /// Takes part in a round, unless it has ended meanwhile.
    fn join(&self, round: usize) {
        self.joined.fetch_add(1, SeqCst);
        // If the round is still on here, its end comes later and then waits for us; if not, we touch nothing.
        if self.round.load(SeqCst) == round {
            // SAFETY: written before the round began; not written again before we have left.
            let work = unsafe { *self.work.get() };
            // SAFETY: the function lives until its round has ended, which waits for us.
            let work = unsafe { &*work.expect("a round has work") };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
                forget(self.panic.lock().unwrap_or_else(PoisonError::into_inner).replace(panic));
            }
        }
        self.joined.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn many_short_rounds_do_all_their_work() {
        for looks_out in [false, true] {
            let pool = Pool::new(3, looks_out);
            for round in 0..if cfg!(miri) { 50 } else { 20_000usize } {
                let (next, sum) = (AtomicUsize::new(0), AtomicUsize::new(0));
                pool.run(&|| {
                    while next.fetch_add(1, SeqCst) < round % 7 {
                        sum.fetch_add(round, SeqCst);
                    }
                });
                assert_eq!(sum.into_inner(), round % 7 * round);
            }
        }
    }

    #[test]
    fn threads_join_in_after_they_slept() {
        let pool = Pool::new(1, true);
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(2));
            let others = AtomicUsize::new(0);
            let here = std::thread::current().id();
            pool.run(&|| {
                if std::thread::current().id() != here {
                    others.fetch_add(1, SeqCst);
                } else {
                    while others.load(SeqCst) == 0 {
                        std::thread::yield_now();
                    }
                }
            });
            assert_eq!(others.into_inner(), 1);
        }
    }

    #[test]
    fn a_panic_comes_back_and_the_pool_goes_on() {
        let pool = Pool::new(2, false);
        for here_too in [false, true] {
            let here = std::thread::current().id();
            let came = AtomicUsize::new(0);
            let result = catch_unwind(AssertUnwindSafe(|| {
                pool.run(&|| {
                    if std::thread::current().id() == here {
                        // Another thread panics in any case, so that there is a panic to be left over.
                        while came.load(SeqCst) == 0 {
                            std::thread::yield_now();
                        }
                        if !here_too {
                            return;
                        }
                    }
                    came.fetch_add(1, SeqCst);
                    panic!("on purpose");
                });
            }));
            assert!(result.is_err());
        }
        // The other threads still join in, and no panic is left over.
        let others = AtomicUsize::new(0);
        let here = std::thread::current().id();
        pool.run(&|| {
            if std::thread::current().id() != here {
                others.fetch_add(1, SeqCst);
            } else {
                while others.load(SeqCst) == 0 {
                    std::thread::yield_now();
                }
            }
        });
        assert!(others.into_inner() > 0);
    }

    /// A payload that panics when it is dropped.
    struct Vicious;

    impl Drop for Vicious {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("dropped");
            }
        }
    }

    #[test]
    fn a_payload_that_panics_when_dropped_ends_no_thread() {
        let pool = Pool::new(2, false);
        let all_here = |panics: bool| {
            let came = AtomicUsize::new(0);
            pool.run(&|| {
                came.fetch_add(1, SeqCst);
                while came.load(SeqCst) < 3 {
                    std::thread::yield_now();
                }
                if panics {
                    std::panic::panic_any(Vicious);
                }
            });
        };
        for _ in 0..3 {
            // Whoever catches such a payload has to leave it too.
            std::mem::forget(catch_unwind(AssertUnwindSafe(|| all_here(true))));
        }
        all_here(false);
    }

    #[test]
    fn work_from_several_threads_at_once_is_done() {
        let pool = Pool::new(2, false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..if cfg!(miri) { 20 } else { 1000 } {
                        let next = AtomicUsize::new(0);
                        let done = AtomicUsize::new(0);
                        pool.run(&|| {
                            while next.fetch_add(1, SeqCst) < 5 {
                                done.fetch_add(1, SeqCst);
                            }
                        });
                        assert_eq!(done.into_inner(), 5);
                    }
                });
            }
        });
    }
}
