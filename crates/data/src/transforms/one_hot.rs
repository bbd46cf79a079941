//! [`one_hot`].

use chainrule_tensor::{DType, Result, Tensor};

/// Makes the labels of batches `(images, labels)` into vectors of zeros and a one, `f32` of shape
/// `[batch, num_classes]`, as a change for [`Dataset::map`](crate::Dataset::map) (PyTorch:
/// `torch.nn.functional.one_hot`, which makes integers).
///
/// ```
/// use chainrule_data::transforms::one_hot;
/// use chainrule_data::{Dataset, TensorDataset};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let dataset = TensorDataset::new((Tensor::zeros([2, 1, 4, 4])?, Tensor::new([2, 0])))?;
/// let (_, labels) = dataset.map(one_hot(3)).get_batch(&[0, 1])?;
/// assert_eq!(labels.to_vec::<f32>()?, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The change fails where a label is not in `0..num_classes`, or is no integer.
pub fn one_hot(
    num_classes: usize,
) -> impl Fn((Tensor, Tensor)) -> Result<(Tensor, Tensor)> + Send + Sync + Clone {
    move |(images, labels)| Ok((images, labels.one_hot(num_classes)?.to_dtype(DType::F32)?))
}
