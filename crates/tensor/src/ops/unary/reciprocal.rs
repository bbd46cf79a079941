//! Reciprocal.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, uniform};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Reciprocal;

impl Unary for Reciprocal {
    const NAME: &'static str = "reciprocal";
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        T::ONE / x
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, y: T) -> T {
        -g * (y * y)
    }
    fn grad(self, g: &Tensor, y: &Tensor) -> Result<Tensor> {
        g.neg()?.mul(&y.mul(y)?)
    }
}

impl Tensor {
    /// 1/x, element by element (PyTorch: `torch.reciprocal`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([4.0, -0.5]).reciprocal()?.to_vec::<f32>()?, [0.25, -2.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn reciprocal(&self) -> Result<Tensor> {
        unary(self, Reciprocal)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::reciprocal, derivative: f64::NEG_INFINITY }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].reciprocal()?]))],
    ..Row::new("reciprocal", "torch.reciprocal", || vec![Sample::new("", [uniform(1, [2, 3], -3.0, -0.2)], |x| x[0].reciprocal())])
};
