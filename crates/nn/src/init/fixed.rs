//! Values that are not drawn.

use chainrule_tensor::{Parameter, Result, Tensor, bail, dispatch_float};

/// Fills a parameter with one value (PyTorch: `torch.nn.init.constant_`).
///
/// # Errors
/// None but for want of memory.
#[track_caller]
pub fn constant_(parameter: &Parameter, value: f64) -> Result<()> {
    parameter.set(&Tensor::full(parameter.shape(), value, parameter.dtype())?)
}

/// Fills a parameter with ones (PyTorch: `torch.nn.init.ones_`).
///
/// # Errors
/// None but for want of memory.
#[track_caller]
pub fn ones_(parameter: &Parameter) -> Result<()> {
    constant_(parameter, 1.0)
}

/// Fills a parameter with zeros (PyTorch: `torch.nn.init.zeros_`).
///
/// # Errors
/// None but for want of memory.
#[track_caller]
pub fn zeros_(parameter: &Parameter) -> Result<()> {
    constant_(parameter, 0.0)
}

/// Makes a parameter of shape `[rows, columns]` the identity: ones on the diagonal, zeros elsewhere (PyTorch:
/// `torch.nn.init.eye_`).
///
/// # Errors
/// When there are other than two dimensions.
#[track_caller]
pub fn eye_(parameter: &Parameter) -> Result<()> {
    let shape = parameter.shape();
    let &[_, columns] = &*shape else {
        bail!(Shape, "eye_", "expects [rows, columns], not shape {shape}");
    };
    let values = dispatch_float!(parameter.dtype(), T => Tensor::build(&shape, |out: &mut [T]| {
        out.fill(T::from(0u8));
        for (row, out) in out.chunks_mut(columns.max(1)).take(columns).enumerate() {
            out[row] = T::from(1u8);
        }
    })?);
    parameter.set(&values)
}
