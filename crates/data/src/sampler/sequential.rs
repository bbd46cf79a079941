//! [`SequentialSampler`].

use chainrule_tensor::Result;

use super::Sampler;
use crate::allocate::try_range;

/// All samples in their own order (PyTorch: `SequentialSampler`).
#[derive(Clone, Copy, Debug, Default)]
pub struct SequentialSampler;

impl Sampler for SequentialSampler {
    #[track_caller]
    fn indices(&self, n: usize) -> Result<Vec<usize>> {
        try_range("SequentialSampler", n)
    }
}
