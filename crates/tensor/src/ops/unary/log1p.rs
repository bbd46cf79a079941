//! Logarithm of one plus x.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, uniform};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Log1p;

impl Unary for Log1p {
    const NAME: &'static str = "log1p";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 5.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.ln_1p()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        g / (x + T::ONE)
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        g.div(&x.add(1.0)?)
    }
}

impl Tensor {
    /// ln(1 + x), element by element, accurate near 0; −∞ at −1, NaN below (PyTorch: `torch.log1p`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, 1e-8]).log1p()?.to_vec::<f32>()?, [0.0, 1e-8]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn log1p(&self) -> Result<Tensor> {
        unary(self, Log1p)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: -1.0, call: Tensor::log1p, derivative: f64::INFINITY }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].log1p()?]))],
    ..Row::new("log1p", "torch.log1p", || vec![Sample::new("", [uniform(1, [2, 3], -0.8, 3.0)], |x| x[0].log1p())])
};
