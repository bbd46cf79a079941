//! Natural logarithm.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, uniform};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Log;

impl Unary for Log {
    const NAME: &'static str = "log";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 2.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.ln()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        g / x
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        g.div(x)
    }
}

impl Tensor {
    /// Natural logarithm, element by element (PyTorch: `torch.log`): −∞ at 0, NaN below.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, 0.0]).log()?.to_vec::<f32>()?, [0.0, f32::NEG_INFINITY]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn log(&self) -> Result<Tensor> {
        unary(self, Log)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::log, derivative: f64::INFINITY }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].log()?]))],
    ..Row::new("log", "torch.log", || vec![Sample::new("", [uniform(1, [2, 3], 0.2, 3.0)], |x| x[0].log())])
};
