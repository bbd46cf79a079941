//! Logarithm to base two.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, uniform};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

use std::f64::consts::LOG2_E;

#[derive(Clone, Copy)]
struct Log2;

impl Unary for Log2 {
    const NAME: &'static str = "log2";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 3.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.log2()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        g * T::of(LOG2_E) / x
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        g.mul(LOG2_E)?.div(x)
    }
}

impl Tensor {
    /// The logarithm to base two, element by element: −∞ at 0, NaN below (PyTorch: `torch.log2`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([1.0, 8.0]).log2()?.to_vec::<f32>()?, [0.0, 3.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn log2(&self) -> Result<Tensor> {
        unary(self, Log2)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::log2, derivative: f64::INFINITY }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].log2()?]))],
    ..Row::new("log2", "torch.log2", || vec![Sample::new("", [uniform(1, [2, 3], 0.2, 3.0)], |x| x[0].log2())])
};
