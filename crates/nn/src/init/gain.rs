//! How much a nonlinearity has to be made up for.

use std::str::FromStr;

use chainrule_tensor::{Error, ErrorKind, Result};

/// The function that follows a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nonlinearity {
    /// None.
    Linear,
    /// The logistic function.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// max(x, 0).
    Relu,
    /// x, or a small part of it where it is negative.
    #[default]
    LeakyRelu,
    /// The self-normalising unit.
    Selu,
}

impl FromStr for Nonlinearity {
    type Err = Error;

    /// PyTorch's names; those of convolutions (`conv2d`, `conv_transpose1d`, …) are [`Nonlinearity::Linear`].
    #[track_caller]
    fn from_str(name: &str) -> Result<Nonlinearity> {
        match name {
            "linear" | "conv1d" | "conv2d" | "conv3d" => Ok(Nonlinearity::Linear),
            "conv_transpose1d" | "conv_transpose2d" | "conv_transpose3d" => Ok(Nonlinearity::Linear),
            "sigmoid" => Ok(Nonlinearity::Sigmoid),
            "tanh" => Ok(Nonlinearity::Tanh),
            "relu" => Ok(Nonlinearity::Relu),
            "leaky_relu" => Ok(Nonlinearity::LeakyRelu),
            "selu" => Ok(Nonlinearity::Selu),
            _ => {
                let message = format!("there is no gain for {name:?}");
                Err(Error::new(ErrorKind::Value, "Nonlinearity", message))
            }
        }
    }
}

/// By what a nonlinearity shrinks the deviation of its inputs: 1 for none and for `Sigmoid`, 5/3 for `Tanh`, √2 for
/// `Relu`, √(2 / (1 + slope²)) for `LeakyRelu`, 3/4 for `Selu` (PyTorch: `torch.nn.init.calculate_gain`).
///
/// `param` is the slope of `LeakyRelu` for negative inputs, default 0.01, and says nothing for others.
pub fn calculate_gain(nonlinearity: Nonlinearity, param: Option<f64>) -> f64 {
    match nonlinearity {
        Nonlinearity::Linear | Nonlinearity::Sigmoid => 1.0,
        Nonlinearity::Tanh => 5.0 / 3.0,
        Nonlinearity::Relu => 2f64.sqrt(),
        Nonlinearity::LeakyRelu => {
            let slope = param.unwrap_or(0.01);
            (2.0 / (1.0 + slope * slope)).sqrt()
        }
        Nonlinearity::Selu => 0.75,
    }
}
