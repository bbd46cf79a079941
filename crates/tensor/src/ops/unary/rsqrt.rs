//! Reciprocal of the square root.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, uniform};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Rsqrt;

impl Unary for Rsqrt {
    const NAME: &'static str = "rsqrt";
    const SAVES: Saves = Saves::Output;
    const COST_NS: f64 = 1.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        T::ONE / x.sqrt()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, y: T) -> T {
        g * T::of(-0.5) * (y * y * y)
    }
    fn grad(self, g: &Tensor, y: &Tensor) -> Result<Tensor> {
        g.mul(-0.5)?.mul(&y.pow(3.0)?)
    }
}

impl Tensor {
    /// 1/√x, element by element; ∞ at 0, NaN below (PyTorch: `torch.rsqrt`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([4.0, 0.25]).rsqrt()?.to_vec::<f32>()?, [0.5, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn rsqrt(&self) -> Result<Tensor> {
        unary(self, Rsqrt)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::rsqrt, derivative: f64::NEG_INFINITY }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].rsqrt()?]))],
    ..Row::new("rsqrt", "torch.rsqrt", || vec![Sample::new("", [uniform(1, [2, 3], 0.2, 3.0)], |x| x[0].rsqrt())])
};
