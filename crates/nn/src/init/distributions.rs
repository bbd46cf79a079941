//! Values of one distribution.

use chainrule_tensor::{Parameter, Result};

/// Fills a parameter with numbers between `a` (included) and `b` (excluded), equally likely (PyTorch:
/// `torch.nn.init.uniform_`, whose defaults are 0 and 1).
///
/// # Errors
/// When `a > b`, or `b - a` is infinite.
#[track_caller]
pub fn uniform_(parameter: &Parameter, a: f64, b: f64) -> Result<()> {
    parameter.set(&parameter.tensor().uniform_like(a, b)?)
}

/// Fills a parameter with numbers from a normal distribution (PyTorch: `torch.nn.init.normal_`, whose defaults are mean
/// 0 and standard deviation 1).
///
/// # Errors
/// When `std` is negative.
#[track_caller]
pub fn normal_(parameter: &Parameter, mean: f64, std: f64) -> Result<()> {
    parameter.set(&parameter.tensor().normal_like(mean, std)?)
}
