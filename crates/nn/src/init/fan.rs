//! How many numbers a weight combines, and how many it feeds.

use std::str::FromStr;

use chainrule_tensor::{Error, ErrorKind, Result, bail};

/// Which side of a layer keeps its variance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FanMode {
    /// That of the forward pass: the number of inputs of each output.
    #[default]
    FanIn,
    /// That of the backward pass: the number of outputs of each input.
    FanOut,
}

impl FromStr for FanMode {
    type Err = Error;

    /// PyTorch's names: `fan_in`, `fan_out`.
    #[track_caller]
    fn from_str(name: &str) -> Result<FanMode> {
        match name {
            "fan_in" => Ok(FanMode::FanIn),
            "fan_out" => Ok(FanMode::FanOut),
            _ => Err(Error::new(
                ErrorKind::Value,
                "FanMode",
                format!("{name:?} is neither fan_in nor fan_out"),
            )),
        }
    }
}

/// The fans of a weight `[outputs, inputs, …]`: inputs and outputs, each times the number of positions of a kernel
/// (PyTorch: `torch.nn.init._calculate_fan_in_and_fan_out`).
///
/// ```
/// # fn main() -> chainrule_tensor::Result<()> {
/// assert_eq!(chainrule_nn::init::calculate_fan_in_and_fan_out(&[6, 2, 3, 3])?, (18, 54));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When there are fewer than two dimensions, or a fan is beyond `usize`.
#[track_caller]
pub fn calculate_fan_in_and_fan_out(shape: &[usize]) -> Result<(usize, usize)> {
    match shape {
        [outputs, inputs, kernel @ ..] => {
            let fan = |n: usize| kernel.iter().try_fold(n, |product, &size| product.checked_mul(size));
            match (fan(*inputs), fan(*outputs)) {
                (Some(fan_in), Some(fan_out)) => Ok((fan_in, fan_out)),
                _ => bail!(Shape, "fan_in_and_fan_out", "no tensor has as many elements as shape {shape:?}"),
            }
        }
        _ => bail!(Shape, "fan_in_and_fan_out", "expects at least two dimensions, not shape {shape:?}"),
    }
}
