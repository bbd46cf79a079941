//! [`RandomSampler`].

use std::sync::Arc;

use chainrule_tensor::random::{Generator, GeneratorState, with_default};
use chainrule_tensor::{Error, ErrorKind, Result, bail};

use super::Sampler;
use crate::random_source::RandomSource;

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

    fn indices(&self, n: usize) -> Result<Vec<usize>> {
        let count = self.len(n);
        if self.num_samples == Some(0) || (count > 0 && n == 0) {
            bail!(Value, "RandomSampler", "cannot draw {count} samples for an epoch from {n} samples");
        }
        self.with_epoch_generator(|generator| {
            if self.replacement {
                return draw_with_replacement(generator, n, count);
            }
            let mut indices = Vec::with_capacity(count);
            while indices.len() < count {
                let rest = count - indices.len();
                indices.extend(generator.permutation(n).into_iter().take(rest).map(|i| i as usize));
            }
            Ok(indices)
        })
    }

    fn exhausted(&self, n: usize) {
        let whole_permutations = n > 0 && self.len(n).is_multiple_of(n);
        if let RandomSource::Own(_) = *self.source
            && whole_permutations
            && !self.replacement
        {
            self.source.with(|generator| generator.permutation(n));
        }
    }

    fn state(&self) -> Option<GeneratorState> {
        self.source.state()
    }

    fn set_state(&self, state: Option<&GeneratorState>) -> Result<()> {
        self.source.set_state(state).map_err(|message| Error::new(ErrorKind::Data, "RandomSampler", message))
    }
}

fn draw_with_replacement(generator: &mut Generator, n: usize, count: usize) -> Result<Vec<usize>> {
    let mut indices = vec![0; count];
    if count > 0 {
        generator
            .random_from_to(&mut indices, 0, n as i64)
            .map_err(|message| Error::new(ErrorKind::Value, "RandomSampler", message))?;
    }
    Ok(indices.into_iter().map(|i| i as usize).collect())
}
