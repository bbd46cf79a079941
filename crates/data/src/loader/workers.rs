//! [`Workers`]: threads that make batches in advance.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use chainrule_tensor::{Error, Result};

use super::epoch::Epoch;
use super::fetch::{Fetched, fetch};
use crate::Dataset;

thread_local! {
    static IN_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is one of a loader's workers.
pub(crate) fn in_worker() -> bool {
    IN_WORKER.get()
}

/// Worker `w` of `n` makes the batches `w`, `w + n`, `w + 2n`, … and puts them into a channel of its own. So the order
/// needs no bookkeeping, and a thread that ended, in whatever way, shows as a closed channel instead of a wait for ever.
pub(super) struct Workers<B> {
    lines: Vec<Line<B>>,
    threads: Vec<JoinHandle<()>>,
}

/// What connects the caller with a worker. The channels take memory for what is in them only, however many batches may
/// be made in advance.
struct Line<B> {
    batches: Receiver<Fetched<B>>,
    /// Leave to make one batch more, for one that was received.
    leave: Sender<()>,
}

impl<B: Send + 'static> Workers<B> {
    /// Starts the threads; each has at most `prefetch` batches made or in the making.
    #[track_caller]
    pub(super) fn start<D>(dataset: &D, epoch: &Arc<Epoch>, workers: usize, prefetch: usize) -> Result<Self>
    where
        D: Dataset<Batch = B> + Clone + 'static,
    {
        let workers = workers.min(epoch.len());
        let mut started = Workers { lines: Vec::new(), threads: Vec::new() };
        for worker in 0..workers {
            let (sender, batches) = channel();
            let (leave, leaves) = channel();
            let (dataset, epoch) = (dataset.clone(), epoch.clone());
            let thread = std::thread::Builder::new()
                .name(format!("chainrule-loader-{worker}"))
                .spawn(move || work(&dataset, &epoch, (worker, workers), &sender, prefetch, &leaves));
            match thread {
                Ok(thread) => started.threads.push(thread),
                Err(error) => {
                    return Err(Error::io("DataLoader", format!("starting worker {worker}"), error));
                }
            }
            started.lines.push(Line { batches, leave });
        }
        Ok(started)
    }

    /// The outcome of a batch; batches are asked for in order.
    pub(super) fn receive(&self, batch: usize) -> Fetched<B> {
        let worker = batch % self.lines.len();
        let Line { batches, leave } = &self.lines[worker];
        match batches.recv() {
            Ok(fetched) => {
                // A worker that made its last batch needs no leave.
                let _ = leave.send(());
                fetched
            }
            Err(_) => Fetched::Panicked(format!("worker {worker} is gone")),
        }
    }
}

fn work<D: Dataset>(
    dataset: &D,
    epoch: &Epoch,
    (worker, workers): (usize, usize),
    batches: &Sender<Fetched<D::Batch>>,
    prefetch: usize,
    leaves: &Receiver<()>,
) {
    IN_WORKER.set(true);
    for (made, batch) in (worker..epoch.len()).step_by(workers).enumerate() {
        // Nobody listens any more when the iterator is gone.
        let listens = made < prefetch || leaves.recv().is_ok();
        if !listens || batches.send(fetch(dataset, epoch, batch)).is_err() {
            return;
        }
    }
}

impl<B> Drop for Workers<B> {
    fn drop(&mut self) {
        self.lines.clear();
        for thread in self.threads.drain(..) {
            // A panic was reported already, as a closed channel.
            let _ = thread.join();
        }
    }
}
