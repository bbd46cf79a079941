//! [`Sampler`]: the order in which an epoch visits the samples.

mod random;
mod sequential;
mod subset;
mod weighted;

use chainrule_tensor::Result;

pub use random::RandomSampler;
pub use sequential::SequentialSampler;
pub use subset::SubsetRandomSampler;
pub use weighted::WeightedRandomSampler;

/// Chooses the samples of each epoch and their order (PyTorch: `torch.utils.data.Sampler`).
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
pub trait Sampler: Send + Sync {
    /// How many samples an epoch over a dataset of `n` samples visits; `n` unless said otherwise.
    fn len(&self, n: usize) -> usize {
        n
    }

    /// The samples of the next epoch over a dataset of `n` samples, in order. Called once for each epoch.
    ///
    /// # Errors
    /// When the sampler's options do not fit a dataset of `n` samples.
    fn indices(&self, n: usize) -> Result<Vec<usize>>;

    /// Called when an epoch was iterated to its end, not when it was broken off. Does nothing unless said
    /// otherwise.
    fn exhausted(&self, n: usize) {
        let _ = n;
    }
}
