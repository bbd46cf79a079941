//! Normal numbers within limits.

use chainrule_tensor::{DType, Parameter, Result, Tensor, bail};

/// The options of [`trunc_normal_`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruncNormal {
    /// The mean before cutting; default 0.
    pub mean: f64,
    /// The standard deviation before cutting; default 1.
    pub std: f64,
    /// The lower limit itself, not in units of `std`; default -2.
    pub a: f64,
    /// The upper limit itself; default 2.
    pub b: f64,
}

impl Default for TruncNormal {
    fn default() -> Self {
        TruncNormal { mean: 0.0, std: 1.0, a: -2.0, b: 2.0 }
    }
}

/// Above this probability of being within the limits, what falls outside is drawn anew.
const LIKELY: f64 = 0.3;

/// Fills a parameter with numbers from a normal distribution, of which only those between `a` and `b` are taken
/// (PyTorch: `torch.nn.init.trunc_normal_`).
///
/// Where most are, those outside are drawn anew; where few are, uniform numbers between the limits are taken or left
/// by the density (von Neumann's rejection).
///
/// # Errors
/// When `std` is not greater than 0, `a` not less than `b`, or an option not finite.
#[track_caller]
pub fn trunc_normal_(parameter: &Parameter, options: TruncNormal) -> Result<()> {
    let TruncNormal { mean, std, a, b } = options;
    if !(std > 0.0 && a < b && [mean, std, b - a].iter().all(|x| x.is_finite())) {
        bail!(Value, "trunc_normal_", "std must be above 0 and a below b, and all finite, in {options:?}");
    }
    let like = parameter.tensor().detach();
    if like.numel() == 0 {
        return Ok(());
    }
    let within = cumulative((b - mean) / std)? - cumulative((a - mean) / std)?;
    let values = if within > LIKELY { by_drawing_anew(&like, options)? } else { by_density(&like, options)? };
    parameter.set(&values)
}

#[track_caller]
fn by_drawing_anew(like: &Tensor, TruncNormal { mean, std, a, b }: TruncNormal) -> Result<Tensor> {
    let mut values = like.normal_like(mean, std)?;
    loop {
        let outside = values.lt(a)?.logical_or(&values.gt(b)?)?;
        if !outside.any()?.to_scalar::<bool>()? {
            return Ok(values);
        }
        // As many are drawn as there are in all: PyTorch's order.
        values = Tensor::where_(&outside, &like.normal_like(mean, std)?, &values)?;
    }
}

#[track_caller]
fn by_density(like: &Tensor, TruncNormal { mean, std, a, b }: TruncNormal) -> Result<Tensor> {
    // The density's logarithm is measured from its highest point between the limits.
    let highest = -0.5 * ((mean.clamp(a, b) - mean) / std).powi(2);
    let left_out = |candidates: &Tensor| {
        let density = candidates.sub(mean)?.div(std)?.square()?.mul(-0.5)?.sub(highest)?;
        like.rand_like()?.log()?.gt(&density)
    };
    let mut values = like.uniform_like(a, b)?;
    let mut pending = left_out(&values)?;
    while pending.any()?.to_scalar::<bool>()? {
        let candidates = like.uniform_like(a, b)?;
        values = Tensor::where_(&pending, &candidates, &values)?;
        pending = pending.logical_and(&left_out(&candidates)?)?;
    }
    Ok(values)
}

/// The probability that a standard normal number is below `x`.
#[track_caller]
fn cumulative(x: f64) -> Result<f64> {
    let x = Tensor::full([], x / 2f64.sqrt(), DType::F64)?;
    Ok((1.0 + x.erf()?.item()?) / 2.0)
}
