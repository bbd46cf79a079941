//! [`Sampler`]: the order in which an epoch visits the samples.

mod batch;
mod random;
mod sequential;
mod subset;
mod weighted;

use std::sync::Arc;

use chainrule_tensor::random::GeneratorState;
use chainrule_tensor::{Result, bail};

use crate::location::at_caller;

pub use batch::BatchSampler;
pub use random::RandomSampler;
pub use sequential::SequentialSampler;
pub use subset::SubsetRandomSampler;
pub use weighted::WeightedRandomSampler;

/// Chooses the samples of each epoch and their order (PyTorch: `torch.utils.data.Sampler`). A sampler of
/// `Vec<usize>` chooses whole batches.
///
/// ```
/// use chainrule_data::Sampler;
///
/// /// Every second sample.
/// struct Even;
///
/// impl Sampler for Even {
///     fn len(&self, n: usize) -> usize {
///         n.div_ceil(2)
///     }
///
///     fn indices(&self, n: usize) -> chainrule_tensor::Result<Vec<usize>> {
///         Ok((0..n).step_by(2).collect())
///     }
/// }
/// ```
pub trait Sampler<T = usize>: Send + Sync {
    /// How many samples (or batches) an epoch over a dataset of `n` samples visits; `n` unless said otherwise.
    fn len(&self, n: usize) -> usize {
        n
    }

    /// The samples (or batches) of the next epoch over a dataset of `n` samples, in order. Called once for each
    /// epoch.
    ///
    /// # Errors
    /// When the sampler's options do not fit a dataset of `n` samples, or so many indices do not fit in memory.
    #[track_caller]
    fn indices(&self, n: usize) -> Result<Vec<T>>;

    /// Called when an epoch was iterated to its end, not when it was broken off. Does nothing unless said
    /// otherwise.
    fn exhausted(&self, n: usize) {
        let _ = n;
    }

    /// The state of the sampler's own generator, for a checkpoint; none unless said otherwise.
    fn state(&self) -> Option<GeneratorState> {
        None
    }

    /// Goes back to what [`state`](Sampler::state) gave.
    ///
    /// # Errors
    /// When the sampler has a generator of its own and the state has none, or the other way round.
    #[track_caller]
    fn set_state(&self, state: Option<&GeneratorState>) -> Result<()> {
        if state.is_some() {
            bail!(Data, "Sampler", "the state has a generator, but the sampler has none of its own");
        }
        Ok(())
    }
}

impl<T, S: Sampler<T> + ?Sized> Sampler<T> for Arc<S> {
    fn len(&self, n: usize) -> usize {
        (**self).len(n)
    }

    // Behind a `dyn`, the caller's line is lost on the way.
    #[track_caller]
    fn indices(&self, n: usize) -> Result<Vec<T>> {
        at_caller((**self).indices(n))
    }

    fn exhausted(&self, n: usize) {
        (**self).exhausted(n);
    }

    fn state(&self) -> Option<GeneratorState> {
        (**self).state()
    }

    #[track_caller]
    fn set_state(&self, state: Option<&GeneratorState>) -> Result<()> {
        at_caller((**self).set_state(state))
    }
}
