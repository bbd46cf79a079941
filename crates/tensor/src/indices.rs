//! Checking tensors of indices at the door of an operation.

use crate::{DType, Result, Tensor, bail};

impl Tensor {
    /// These indices into a dimension of `size`, contiguous and outside any graph, when each of them is
    /// between 0 and `size` − 1; negative ones are refused, as in PyTorch.
    #[track_caller]
    pub(crate) fn checked_indices(&self, operation: &str, dim: isize, size: usize) -> Result<Tensor> {
        if self.dtype() != DType::I64 {
            bail!(DType, operation, "indices are int64, not {}: convert them with to_dtype", self.dtype());
        }
        let index = self.detach().contiguous()?;
        let wrong = index.as_slice::<i64>()?.iter().position(|&i| i < 0 || i as u64 >= size as u64);
        if let Some(at) = wrong {
            let value = index.as_slice::<i64>()?[at];
            bail!(
                Index,
                operation,
                "index {value} (element {at} of the indices) is out of range for dimension {dim} of size {size}"
            );
        }
        Ok(index)
    }
}
