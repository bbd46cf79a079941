//! The rules that hyper-parameters follow.

use chainrule_tensor::{Result, bail};

use crate::groups::Hyperparameters;
use crate::scheduler::PerGroup;

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

/// Each group has a momentum that can be cycled between these bounds.
#[track_caller]
pub(crate) fn cycles_momentum(
    scheduler: &str,
    optimizer: &dyn Hyperparameters,
    bounds: [(&str, &PerGroup); 2],
) -> Result<()> {
    for (name, bound) in bounds {
        bound.fits(scheduler, name, optimizer.num_groups())?;
    }
    for group in 0..optimizer.num_groups() {
        if optimizer.momentum(group)?.is_none() {
            bail!(Value, scheduler, "cycle_momentum needs an optimizer with momentum or betas");
        }
        for (name, bound) in bounds {
            optimizer.momentum_range(group)?.check(scheduler, name, *bound.of(scheduler, name, group)?)?;
        }
    }
    Ok(())
}
