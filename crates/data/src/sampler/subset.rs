//! [`SubsetRandomSampler`].

use std::sync::Arc;

use chainrule_tensor::random::{Generator, GeneratorState};
use chainrule_tensor::{Result, bail};

use super::Sampler;
use crate::random_source::RandomSource;

/// Some samples in random order (PyTorch: `SubsetRandomSampler`, with the same random numbers, drawn straight
/// from the process-wide generator or its own).
#[derive(Clone, Debug)]
pub struct SubsetRandomSampler {
    indices: Arc<[usize]>,
    source: Arc<RandomSource>,
}

impl SubsetRandomSampler {
    /// The samples with these indices, each once, in random order.
    pub fn new(indices: impl Into<Arc<[usize]>>) -> Self {
        SubsetRandomSampler { indices: indices.into(), source: Arc::default() }
    }

    /// Takes the random numbers from `generator` instead of the process-wide one.
    pub fn generator(mut self, generator: Generator) -> Self {
        self.source = Arc::new(RandomSource::own(generator));
        self
    }
}

impl Sampler for SubsetRandomSampler {
    fn len(&self, _: usize) -> usize {
        self.indices.len()
    }

    #[track_caller]
    fn indices(&self, n: usize) -> Result<Vec<usize>> {
        if let Some(index) = self.indices.iter().find(|&&i| i >= n) {
            bail!(Index, "SubsetRandomSampler", "sample {index} is out of range: there are {n} samples");
        }
        let mut order = self.source.permutation("SubsetRandomSampler", self.indices.len())?;
        order.iter_mut().for_each(|place| *place = self.indices[*place]);
        Ok(order)
    }

    fn state(&self) -> Option<GeneratorState> {
        self.source.state()
    }

    #[track_caller]
    fn set_state(&self, state: Option<&GeneratorState>) -> Result<()> {
        self.source.set_state("SubsetRandomSampler", state)
    }
}
