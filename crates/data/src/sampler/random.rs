//! [`RandomSampler`].

use std::sync::Arc;

use chainrule_tensor::random::{Generator, GeneratorState, with_default};
use chainrule_tensor::{Result, bail};

use super::Sampler;
use crate::allocate::try_filled;
use crate::random_source::{RandomSource, to_indices};

/// All samples in random order, or samples drawn with replacement (PyTorch: `RandomSampler`, with the same
/// random numbers).
///
/// Each epoch draws one 64-bit seed from the process-wide generator and shuffles with a new generator of that
/// seed, so that an epoch advances the process-wide generator by the same amount for every length. A
/// [`generator`](RandomSampler::generator) of its own is used directly; PyTorch then draws one more
/// permutation at the end of a full epoch, and so does this sampler, to keep the next epoch the same.
#[derive(Clone, Debug, Default)]
pub struct RandomSampler {
    replacement: bool,
    num_samples: Option<usize>,
    source: Arc<RandomSource>,
}

impl RandomSampler {
    /// Every sample once, in random order.
    pub fn new() -> Self {
        RandomSampler::default()
    }

    pub(crate) fn from_source(source: Arc<RandomSource>) -> Self {
        RandomSampler { source, ..RandomSampler::default() }
    }

    /// Draws each sample from all samples, whatever was drawn before; default false.
    pub fn replacement(mut self, replacement: bool) -> Self {
        self.replacement = replacement;
        self
    }

    /// How many samples an epoch has; default the length of the dataset. Without replacement a number above
    /// that goes through several permutations.
    pub fn num_samples(mut self, num_samples: usize) -> Self {
        self.num_samples = Some(num_samples);
        self
    }

    /// Takes the random numbers from `generator` instead of the process-wide one.
    pub fn generator(mut self, generator: Generator) -> Self {
        self.source = Arc::new(RandomSource::own(generator));
        self
    }

    /// The generator of an epoch: a new one by a seed from the process-wide one, or the sampler's own.
    fn with_epoch_generator<R>(&self, draw: impl FnOnce(&mut Generator) -> R) -> R {
        match &*self.source {
            RandomSource::Default => draw(&mut Generator::new(with_default(Generator::random_i64) as u64)),
            own => own.with(draw),
        }
    }
}

impl Sampler for RandomSampler {
    fn len(&self, n: usize) -> usize {
        self.num_samples.unwrap_or(n)
    }

    #[track_caller]
    fn indices(&self, n: usize) -> Result<Vec<usize>> {
        let count = self.len(n);
        if self.num_samples == Some(0) || (count > 0 && n == 0) {
            bail!(Value, "RandomSampler", "cannot draw {count} samples for an epoch from {n} samples");
        }
        if self.replacement && i64::try_from(n).is_err() {
            bail!(
                Value,
                "RandomSampler",
                "cannot draw from {n} samples with replacement: they are above 2^63"
            );
        }
        let mut drawn = try_filled("RandomSampler", count, 0)?;
        // Memory for a permutation of which only a part is asked for.
        let rest = if self.replacement || n == 0 { 0 } else { count % n };
        let mut whole = try_filled("RandomSampler", if rest > 0 { n } else { 0 }, 0)?;
        self.with_epoch_generator(|generator| {
            if self.replacement {
                if count > 0 {
                    generator
                        .random_from_to(&mut drawn, 0, n as i64)
                        .expect("there are samples to draw from");
                }
                return;
            }
            for part in drawn.chunks_mut(n.max(1)) {
                if part.len() == n {
                    generator.permute(part);
                } else {
                    generator.permute(&mut whole);
                    part.copy_from_slice(&whole[..part.len()]);
                }
            }
        });
        Ok(to_indices(drawn))
    }

    fn exhausted(&self, n: usize) {
        let whole_permutations = n > 0 && self.len(n).is_multiple_of(n);
        if let RandomSource::Own(_) = *self.source
            && whole_permutations
            && !self.replacement
        {
            // Only its draws count. The epoch that has ended had memory for a permutation as long.
            let _ = self.source.permutation("RandomSampler", n);
        }
    }

    fn state(&self) -> Option<GeneratorState> {
        self.source.state()
    }

    #[track_caller]
    fn set_state(&self, state: Option<&GeneratorState>) -> Result<()> {
        self.source.set_state("RandomSampler", state)
    }
}
