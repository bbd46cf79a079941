//! Logarithm to base ten.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, uniform};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

use std::f64::consts::LOG10_E;

#[derive(Clone, Copy)]
struct Log10;

impl Unary for Log10 {
    const NAME: &'static str = "log10";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 3.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.log10()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        g * T::of(LOG10_E) / x
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        g.mul(LOG10_E)?.div(x)
    }
}

impl Tensor {
    /// The logarithm to base ten, element by element: −∞ at 0, NaN below (PyTorch: `torch.log10`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, 1000.0]).log10()?.to_vec::<f32>()?, [0.0, 3.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn log10(&self) -> Result<Tensor> {
        unary(self, Log10)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::log10, derivative: f64::INFINITY }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].log10()?]))],
    ..Row::new("log10", "torch.log10", || vec![Sample::new("", [uniform(1, [2, 3], 0.2, 3.0)], |x| x[0].log10())])
};
