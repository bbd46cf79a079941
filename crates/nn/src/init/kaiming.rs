//! Values scaled by one fan and the nonlinearity (He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015).

use chainrule_tensor::{Parameter, Result};

use super::{FanMode, Nonlinearity, calculate_fan_in_and_fan_out, calculate_gain, normal_, uniform_};

/// The options of [`kaiming_uniform_`] and [`kaiming_normal_`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Kaiming {
    /// The slope of [`Nonlinearity::LeakyRelu`] for negative inputs; default 0, which makes it a ReLU.
    pub a: f64,
    /// Which side of the layer keeps its variance; default [`FanMode::FanIn`].
    pub mode: FanMode,
    /// The function that follows; default [`Nonlinearity::LeakyRelu`].
    pub nonlinearity: Nonlinearity,
}

impl Kaiming {
    #[track_caller]
    fn std(self, parameter: &Parameter) -> Result<f64> {
        let (fan_in, fan_out) = calculate_fan_in_and_fan_out(&parameter.shape())?;
        let fan = if self.mode == FanMode::FanIn { fan_in } else { fan_out };
        Ok(calculate_gain(self.nonlinearity, Some(self.a)) / (fan as f64).sqrt())
    }
}

/// Fills a weight `[outputs, inputs, …]` with numbers that are uniform within ±gain · √(3 / fan) (PyTorch:
/// `torch.nn.init.kaiming_uniform_`). One without elements stays as it is.
///
/// # Errors
/// When there are fewer than two dimensions.
#[track_caller]
pub fn kaiming_uniform_(parameter: &Parameter, options: Kaiming) -> Result<()> {
    if parameter.numel() == 0 {
        return Ok(());
    }
    let bound = 3f64.sqrt() * options.std(parameter)?;
    uniform_(parameter, -bound, bound)
}

/// Fills a weight `[outputs, inputs, …]` with normal numbers of mean 0 and standard deviation gain / √fan (PyTorch:
/// `torch.nn.init.kaiming_normal_`). One without elements stays as it is.
///
/// # Errors
/// When there are fewer than two dimensions.
#[track_caller]
pub fn kaiming_normal_(parameter: &Parameter, options: Kaiming) -> Result<()> {
    if parameter.numel() == 0 {
        return Ok(());
    }
    normal_(parameter, 0.0, options.std(parameter)?)
}
