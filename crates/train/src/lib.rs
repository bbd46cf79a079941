//! What surrounds a training loop that one writes oneself: metrics, the best weights, progress.
//!
//! Most users depend on the crate `chainrule`, which re-exports all of this.
//!
//! - [`correct`] and [`accuracy`]: how often the largest logit is that of the target; [`num_targets`]: of how many.
//! - [`RunningMean`]: the mean loss of an epoch, of batches of any size.
//! - [`BestWeights`]: the weights of the best epoch so far.
//! - [`Progress`]: how far an epoch is: a bar on a terminal, now and then a line elsewhere.
//!
//! None of them keeps a graph: they take plain numbers, or look at values only.

mod accuracy;
mod best_weights;
mod progress;
mod running_mean;

pub use accuracy::{AccuracyOptions, accuracy, accuracy_with, correct, correct_with, num_targets};
pub use best_weights::BestWeights;
pub use progress::Progress;
pub use running_mean::RunningMean;
