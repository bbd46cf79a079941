//! [`collate`]: single samples, stacked into a batch.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use chainrule_tensor::{Element, Result, Tensor, bail, dispatch};

use crate::Tensors;
use crate::panic_message::panic_message;

/// Makes samples one at a time and stacks them along a new first dimension (PyTorch: `default_collate`).
///
/// The batch has the arrangement of the samples, see [`Tensors`]; it lies outside any graph.
///
/// ```
/// use chainrule_data::collate;
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let (x, y) = collate(&[4, 1], |i| Ok((Tensor::zeros([3])?, Tensor::new(i as i64))))?;
/// assert_eq!(x.shape(), &[2, 3]);
/// assert_eq!(y.to_vec::<i64>()?, [4, 1]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When there are no indices, `sample` fails (the message then names the sample), or two samples differ in
/// shape, dtype or the number of tensors.
///
/// # Panics
/// When `sample` does, with the sample in front of its message. A [`DataLoader`](crate::DataLoader) makes an error of
/// it.
#[track_caller]
pub fn collate<S: Tensors>(indices: &[usize], mut sample: impl FnMut(usize) -> Result<S>) -> Result<S> {
    let mut samples = Vec::with_capacity(indices.len());
    for &index in indices {
        // A panic goes on, with the sample in its message: the caller's code is not used again here.
        match catch_unwind(AssertUnwindSafe(|| sample(index))) {
            Ok(Ok(sample)) => samples.push(sample),
            Ok(Err(error)) => return Err(error.context(format!("sample {index}"))),
            Err(panic) => resume_unwind(Box::new(format!("sample {index}: {}", panic_message(panic)))),
        }
    }
    let columns: Vec<Vec<&Tensor>> = samples.iter().map(Tensors::tensors).collect();
    let Some(first) = columns.first() else {
        bail!(Value, "collate", "a batch needs at least one sample");
    };
    for (column, index) in columns.iter().zip(indices) {
        if column.len() != first.len() {
            bail!(
                Shape,
                "collate",
                "sample {} has {} tensors, sample {index} has {}",
                indices[0],
                first.len(),
                column.len()
            );
        }
        for (i, (a, b)) in first.iter().zip(column).enumerate() {
            if a.shape() != b.shape() || a.dtype() != b.dtype() {
                bail!(
                    Shape,
                    "collate",
                    "samples must be alike: tensor {i} of sample {} is {} of shape {}, that of sample {index} is {} of shape {}",
                    indices[0],
                    a.dtype(),
                    a.shape(),
                    b.dtype(),
                    b.shape()
                );
            }
        }
    }
    let mut place = 0..;
    samples[0].try_map(|tensor| {
        let place = place.next().unwrap_or_default();
        let parts: Vec<&Tensor> = columns.iter().map(|column| column[place]).collect();
        dispatch!(tensor.dtype(), T => stack::<T>(&parts))
    })
}

/// Tensors of one shape and dtype along a new first dimension.
fn stack<T: Element>(parts: &[&Tensor]) -> Result<Tensor> {
    let shape = parts[0].shape().with_inserted(0, parts.len())?;
    let parts = parts.iter().map(|part| part.detach().contiguous()).collect::<Result<Vec<_>>>()?;
    let parts = parts.iter().map(Tensor::as_slice::<T>).collect::<Result<Vec<_>>>()?;
    let numel = parts[0].len();
    Tensor::build(shape, |out: &mut [T]| {
        if numel > 0 {
            out.chunks_exact_mut(numel).zip(&parts).for_each(|(to, part)| to.copy_from_slice(part));
        }
    })
}
