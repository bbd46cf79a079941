//! Columns with many zeros.

use chainrule_tensor::random::with_default;
use chainrule_tensor::{Parameter, Result, Tensor, bail, dispatch_float};

/// Fills a weight `[rows, columns]` with normal numbers of mean 0 and this standard deviation, and sets the part
/// `sparsity` of each column, rounded up to whole numbers, to 0 at random (PyTorch: `torch.nn.init.sparse_`, default
/// `std` 0.01).
///
/// Martens, "Deep learning via Hessian-free optimization", 2010.
///
/// # Errors
/// When there are other than two dimensions, `sparsity` is not between 0 and 1, or `std` is negative.
#[track_caller]
pub fn sparse_(parameter: &Parameter, sparsity: f64, std: f64) -> Result<()> {
    let shape = parameter.shape();
    let &[rows, columns] = &*shape else {
        bail!(Shape, "sparse_", "expects [rows, columns], not shape {shape}");
    };
    if !(0.0..=1.0).contains(&sparsity) {
        bail!(Value, "sparse_", "the part of zeros must be between 0 and 1, not {sparsity}");
    }
    let zeros = (sparsity * rows as f64).ceil() as usize;
    let values = parameter.tensor().normal_like(0.0, std)?;
    let values = dispatch_float!(parameter.dtype(), T => {
        let mut values = values.to_vec::<T>()?;
        for column in 0..columns {
            let order = with_default(|generator| generator.permutation(rows));
            for row in order.into_iter().take(zeros) {
                values[row as usize * columns + column] = T::from(0u8);
            }
        }
        Tensor::from_vec(values, shape)?
    });
    parameter.set(&values)
}
