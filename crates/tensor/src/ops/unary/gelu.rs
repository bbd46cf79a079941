//! Gaussian error linear unit.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// 1/√(2π)
const FRAC_1_SQRT_TAU: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2 / 2.0;

/// Φ(x) by Φ(−|x|).
#[inline(always)]
fn cdf<T: Float>(x: T, tail: T) -> T {
    if x < T::ZERO { tail } else { T::ONE - tail }
}

/// Beyond this Φ is 0 or 1 and the density 0, to the last bit. Arguments are kept within, so that an infinity does not
/// meet them.
const FAR: f64 = 40.0;

#[derive(Clone, Copy)]
struct Gelu;

impl Unary for Gelu {
    const NAME: &'static str = "gelu";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 4.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        let below = if x < T::of(-FAR) { T::of(-FAR) } else { x };
        below * cdf(x, x.normal_tail())
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        let x = x.within(T::of(FAR));
        let (tail, power) = x.normal_tail_and_power();
        g * (cdf(x, tail) + x * T::of(FRAC_1_SQRT_TAU) * power)
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        let x = x.clamp(Some(-FAR), Some(FAR))?;
        let cdf = x.mul(FRAC_1_SQRT_2)?.erf()?.add(1.0)?.mul(0.5)?;
        let pdf = x.square()?.mul(-0.5)?.exp()?.mul(FRAC_1_SQRT_TAU)?;
        g.mul(&cdf.add(&x.mul(&pdf)?)?)
    }
}

impl Tensor {
    /// x · Φ(x), with Φ the distribution function of the normal distribution, ½(1 + erf(x/√2)), element by element
    /// (PyTorch: `torch.nn.functional.gelu`). Hendrycks and Gimpel, "Gaussian error linear units", 2016.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, 100.0]).gelu()?.to_vec::<f32>()?, [0.0, 100.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn gelu(&self) -> Result<Tensor> {
        unary(self, Gelu)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::gelu, derivative: 0.5 }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].gelu()?]))],
    ..Row::new("gelu", "torch.nn.functional.gelu", || vec![Sample::new("", [values(1, [2, 3])], |x| x[0].gelu())])
};
