//! The rules that hyper-parameters follow.

use chainrule_tensor::{Result, bail};

use crate::groups::Hyperparameters;

/// Zero or more, and finite.
#[track_caller]
pub(crate) fn non_negative(algorithm: &str, name: &str, value: f64) -> Result<()> {
    if !(value >= 0.0 && value.is_finite()) {
        bail!(Value, algorithm, "{name} must be a finite number that is not negative, not {value}");
    }
    Ok(())
}

/// More than zero, and finite.
#[track_caller]
pub(crate) fn positive(algorithm: &str, name: &str, value: f64) -> Result<()> {
    if !(value > 0.0 && value.is_finite()) {
        bail!(Value, algorithm, "{name} must be a finite number above 0, not {value}");
    }
    Ok(())
}

/// Any finite number.
#[track_caller]
pub(crate) fn finite(algorithm: &str, name: &str, value: f64) -> Result<()> {
    if !value.is_finite() {
        bail!(Value, algorithm, "{name} must be a finite number, not {value}");
    }
    Ok(())
}

/// Each group has a momentum that can be cycled.
#[track_caller]
pub(crate) fn has_momentum(scheduler: &str, optimizer: &dyn Hyperparameters) -> Result<()> {
    if (0..optimizer.num_groups()).any(|group| optimizer.momentum(group).is_none()) {
        bail!(Value, scheduler, "cycle_momentum needs an optimizer with momentum or betas");
    }
    Ok(())
}
