//! [`TensorDataset`]: samples that are the rows of tensors in memory.

use chainrule_tensor::{Result, bail};

use super::check::check_indices;
use crate::gather::gather;
use crate::location::at_caller;
use crate::{Dataset, Tensors};

/// Samples that are the rows of tensors: sample `i` is row `i` of each (PyTorch:
/// `torch.utils.data.TensorDataset`).
///
/// A batch has the arrangement of the dataset, a tuple of tensors or a [`Vec`] of them, each `[batch, …]` with
/// the rest of the shape and the dtype unchanged. A dataset is a handle: a clone shares its memory.
///
/// ```
/// use chainrule_data::{Dataset, TensorDataset};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let features = Tensor::new([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]);
/// let targets = Tensor::new([7, 8, 9]);
/// let dataset = TensorDataset::new((features, targets))?;
/// let (x, y) = dataset.get_batch(&[2, 0])?;
/// assert_eq!(x.to_vec::<f32>()?, [2.0, 2.5, 0.0, 0.5]);
/// assert_eq!(y.to_vec::<i64>()?, [9, 7]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TensorDataset<T> {
    tensors: T,
    len: usize,
}

impl<T: Tensors> TensorDataset<T> {
    /// A dataset of the rows of these tensors. One that is not contiguous is copied once, here.
    ///
    /// # Errors
    /// When there is no tensor, one has no dimension, their first dimensions differ, or one requires a
    /// gradient: batches are copies outside any graph, so it would never get one (call `detach` to say so).
    #[track_caller]
    pub fn new(tensors: T) -> Result<Self> {
        let all = tensors.tensors();
        let Some(first) = all.first() else {
            bail!(Value, "TensorDataset", "at least one tensor is needed");
        };
        let Some(&len) = first.shape().first() else {
            bail!(Shape, "TensorDataset", "tensor 0 has shape []: it needs a dimension of samples");
        };
        for (i, tensor) in all.iter().enumerate() {
            if tensor.shape().first() != Some(&len) {
                bail!(
                    Shape,
                    "TensorDataset",
                    "the tensors must have the same first dimension: tensor 0 has shape {}, tensor {i} has shape {}",
                    first.shape(),
                    tensor.shape()
                );
            }
            if tensor.requires_grad() {
                bail!(
                    Graph,
                    "TensorDataset",
                    "tensor {i} of shape {} requires a gradient, which batches do not pass on: detach it first",
                    tensor.shape()
                );
            }
        }
        let tensors = at_caller(tensors.try_map(|tensor| tensor.contiguous()))?;
        Ok(TensorDataset { tensors, len })
    }

    /// The tensors, with all samples.
    pub fn tensors(&self) -> &T {
        &self.tensors
    }
}

impl<T: Tensors> Dataset for TensorDataset<T> {
    type Batch = T;

    fn len(&self) -> usize {
        self.len
    }

    #[track_caller]
    fn get_batch(&self, indices: &[usize]) -> Result<T> {
        check_indices("TensorDataset", indices, self.len)?;
        at_caller(self.tensors.try_map(|tensor| gather(tensor, indices)))
    }
}
