//! Error function.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

use std::f64::consts::FRAC_2_SQRT_PI;

#[derive(Clone, Copy)]
struct Erf;

impl Unary for Erf {
    const NAME: &'static str = "erf";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 4.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.erf()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        g * T::of(FRAC_2_SQRT_PI) * (-(x * x)).exp()
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        // Beyond 40 the density is 0 to the last bit, and so are its derivatives: the infinite slope of a square is not
        // to meet it.
        let x = x.clamp(Some(-40.0), Some(40.0))?;
        g.mul(FRAC_2_SQRT_PI)?.mul(&x.square()?.neg()?.exp()?)
    }
}

impl Tensor {
    /// erf x = 2/√π ∫₀ˣ exp(−t²) dt, element by element (PyTorch: `torch.erf`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, -10.0]).erf()?.to_vec::<f32>()?, [0.0, -1.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn erf(&self) -> Result<Tensor> {
        unary(self, Erf)
    }
}

pub(super) const ROW: Row = Row {
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].erf()?]))],
    ..Row::new("erf", "torch.special.erf", || vec![Sample::new("", [values(1, [2, 3])], |x| x[0].erf())])
};
