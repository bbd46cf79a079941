//! Fetching one batch, with panics turned into values.

use std::panic::{AssertUnwindSafe, catch_unwind};

use chainrule_tensor::random::with_seed;
use chainrule_tensor::{Error, ErrorKind, Result};

use super::epoch::Epoch;
use crate::Dataset;
use crate::location::is_ours;
use crate::panic_message::panic_message;

/// What came of a batch. A panic becomes an error only in the caller's thread, whose location it names.
pub(super) enum Fetched<B> {
    Done(Result<B>),
    Panicked(String),
}

/// Makes a batch. What the dataset draws from the default generator comes from one of the batch's own, so that it
/// depends neither on who makes the batch nor on what others draw meanwhile.
pub(super) fn fetch<D: Dataset>(dataset: &D, epoch: &Epoch, batch: usize) -> Fetched<D::Batch> {
    let get = || {
        with_seed(epoch.seed(batch), || dataset.get_batch_seeded(epoch.samples(batch), &epoch.seeds(batch)))
    };
    // A dataset is reached through a shared reference: what it leaves behind is behind locks of its own.
    match catch_unwind(AssertUnwindSafe(get)) {
        Ok(result) => Fetched::Done(result),
        Err(panic) => Fetched::Panicked(panic_message(panic)),
    }
}

impl<B> Fetched<B> {
    /// The batch, or an error that names it and its samples.
    #[track_caller]
    pub(super) fn into_result(self, epoch: &Epoch, batch: usize) -> Result<B> {
        let error = match self {
            Fetched::Done(Ok(batch)) => return Ok(batch),
            // What a dataset of this crate refuses is of interest where the batch was asked for.
            Fetched::Done(Err(error)) if is_ours(&error) => error.at_caller(),
            Fetched::Done(Err(error)) => error,
            Fetched::Panicked(message) => {
                Error::new(ErrorKind::Data, "DataLoader", format!("the dataset panicked: {message}"))
            }
        };
        Err(error.context(describe(epoch, batch)))
    }
}

fn describe(epoch: &Epoch, batch: usize) -> String {
    const SHOWN: usize = 64;
    let samples = epoch.samples(batch);
    let shown: Vec<String> = samples.iter().take(SHOWN).map(usize::to_string).collect();
    let more = match samples.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("batch {batch} of {} (samples {}{more})", epoch.len(), shown.join(", "))
}
