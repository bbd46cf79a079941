//! [`Workers`]: threads that make batches in advance.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
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

/// Worker `w` of `n` makes the batches `w`, `w + n`, `w + 2n`, … and puts them into a channel of its own, which
/// holds a few. So the order needs no bookkeeping, and a thread that ended, in whatever way, shows as a closed
/// channel instead of a wait for ever.
pub(super) struct Workers<B> {
    channels: Vec<Receiver<Fetched<B>>>,
    threads: Vec<JoinHandle<()>>,
}

impl<B: Send + 'static> Workers<B> {
    /// Starts the threads; each has at most `prefetch_factor` batches made or in the making.
    #[track_caller]
    pub(super) fn start<D>(dataset: &D, epoch: &Arc<Epoch>, workers: usize, prefetch: usize) -> Result<Self>
    where
        D: Dataset<Batch = B> + Clone + 'static,
    {
        let workers = workers.min(epoch.len());
        let mut started = Workers { channels: Vec::new(), threads: Vec::new() };
        for worker in 0..workers {
            // One batch more than the channel holds is in the worker's hands.
            let (sender, receiver) = sync_channel(prefetch - 1);
            let (dataset, epoch) = (dataset.clone(), epoch.clone());
            let thread = std::thread::Builder::new()
                .name(format!("chainrule-loader-{worker}"))
                .spawn(move || work(&dataset, &epoch, worker, workers, &sender));
            match thread {
                Ok(thread) => started.threads.push(thread),
                Err(error) => {
                    return Err(Error::io("DataLoader", format!("starting worker {worker}"), error));
                }
            }
            started.channels.push(receiver);
        }
        Ok(started)
    }

    /// The outcome of a batch; batches are asked for in order.
    pub(super) fn receive(&self, batch: usize) -> Fetched<B> {
        let worker = batch % self.channels.len();
        self.channels[worker].recv().unwrap_or_else(|_| Fetched::Panicked(format!("worker {worker} is gone")))
    }
}

fn work<D: Dataset>(
    dataset: &D,
    epoch: &Epoch,
    worker: usize,
    workers: usize,
    sender: &SyncSender<Fetched<D::Batch>>,
) {
    IN_WORKER.set(true);
    for batch in (worker..epoch.len()).step_by(workers) {
        // Nobody listens any more when the iterator is gone.
        if sender.send(fetch(dataset, epoch, batch)).is_err() {
            return;
        }
    }
}

impl<B> Drop for Workers<B> {
    fn drop(&mut self) {
        self.channels.clear();
        for thread in self.threads.drain(..) {
            // A panic was reported already, as a closed channel.
            let _ = thread.join();
        }
    }
}
