//! [`WeightedRandomSampler`].

use std::sync::Arc;

use chainrule_tensor::random::{Generator, GeneratorState};
use chainrule_tensor::{Error, ErrorKind, Result, bail};

use super::Sampler;
use crate::allocate::try_filled;
use crate::random_source::{RandomSource, to_indices};

/// Samples drawn with given probabilities, such as to balance classes (PyTorch: `WeightedRandomSampler`, with
/// the same random numbers, drawn straight from the process-wide generator or its own).
#[derive(Clone, Debug)]
pub struct WeightedRandomSampler {
    weights: Arc<[f64]>,
    num_samples: usize,
    replacement: bool,
    source: Arc<RandomSource>,
}

impl WeightedRandomSampler {
    /// Draws `num_samples` samples for each epoch, sample `i` with a probability proportional to `weights[i]`,
    /// with replacement. The weights need not add up to 1.
    pub fn new(weights: impl Into<Arc<[f64]>>, num_samples: usize) -> Self {
        WeightedRandomSampler {
            weights: weights.into(),
            num_samples,
            replacement: true,
            source: Arc::default(),
        }
    }

    /// Whether a sample may be drawn more than once; default true.
    pub fn replacement(mut self, replacement: bool) -> Self {
        self.replacement = replacement;
        self
    }

    /// Takes the random numbers from `generator` instead of the process-wide one.
    pub fn generator(mut self, generator: Generator) -> Self {
        self.source = Arc::new(RandomSource::own(generator));
        self
    }
}

impl Sampler for WeightedRandomSampler {
    fn len(&self, _: usize) -> usize {
        self.num_samples
    }

    /// # Errors
    /// When there are more weights than samples, a weight is negative or not finite, all are zero, no
    /// samples are asked for, more without replacement than there are weights above zero, or more than fit in memory.
    #[track_caller]
    fn indices(&self, n: usize) -> Result<Vec<usize>> {
        if self.weights.len() > n {
            bail!(
                Value,
                "WeightedRandomSampler",
                "there are {} weights, but only {n} samples",
                self.weights.len()
            );
        }
        let (weights, samples) = (&self.weights[..], self.num_samples);
        if !self.replacement && samples > weights.len() {
            bail!(
                Value,
                "WeightedRandomSampler",
                "without replacement at most as many samples as weights can be drawn, got {samples} samples and {} \
                 weights",
                weights.len()
            );
        }
        let mut drawn = try_filled("WeightedRandomSampler", samples, 0)?;
        let sizes = [1, weights.len(), samples];
        match self.source.with(|g| g.multinomial_rows(&mut drawn, weights, sizes, self.replacement)) {
            Ok(()) => Ok(to_indices(drawn)),
            Err(message) => Err(Error::new(ErrorKind::Value, "WeightedRandomSampler", message)),
        }
    }

    fn state(&self) -> Option<GeneratorState> {
        self.source.state()
    }

    #[track_caller]
    fn set_state(&self, state: Option<&GeneratorState>) -> Result<()> {
        self.source.set_state("WeightedRandomSampler", state)
    }
}
