//! Values scaled by both fans (Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
//! networks", 2010).

use chainrule_tensor::{Parameter, Result};

use super::{calculate_fan_in_and_fan_out, normal_, uniform_};

#[track_caller]
fn std(parameter: &Parameter, gain: f64) -> Result<f64> {
    let (fan_in, fan_out) = calculate_fan_in_and_fan_out(&parameter.shape())?;
    Ok(gain * (2.0 / (fan_in + fan_out) as f64).sqrt())
}

/// Fills a weight `[outputs, inputs, …]` with numbers that are uniform within ±gain · √(6 / (fan_in + fan_out))
/// (PyTorch: `torch.nn.init.xavier_uniform_`, default `gain` 1).
///
/// # Errors
/// When there are fewer than two dimensions, or `gain` is negative or not finite.
#[track_caller]
pub fn xavier_uniform_(parameter: &Parameter, gain: f64) -> Result<()> {
    let bound = 3f64.sqrt() * std(parameter, gain)?;
    uniform_(parameter, -bound, bound)
}

/// Fills a weight `[outputs, inputs, …]` with normal numbers of mean 0 and standard deviation
/// gain · √(2 / (fan_in + fan_out)) (PyTorch: `torch.nn.init.xavier_normal_`, default `gain` 1).
///
/// # Errors
/// When there are fewer than two dimensions, or `gain` is negative or not finite.
#[track_caller]
pub fn xavier_normal_(parameter: &Parameter, gain: f64) -> Result<()> {
    normal_(parameter, 0.0, std(parameter, gain)?)
}
