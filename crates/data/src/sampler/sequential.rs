//! [`SequentialSampler`].

use chainrule_tensor::Result;

use super::Sampler;

/// All samples in their own order (PyTorch: `SequentialSampler`).
#[derive(Clone, Copy, Debug, Default)]
pub struct SequentialSampler;

impl Sampler for SequentialSampler {
    fn indices(&self, n: usize) -> Result<Vec<usize>> {
        Ok((0..n).collect())
    }
}
