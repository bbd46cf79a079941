//! Exponential less one.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Expm1;

impl Unary for Expm1 {
    const NAME: &'static str = "expm1";
    const SAVES: Saves = Saves::Output;
    const COST_NS: f64 = 5.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.exp_m1()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, y: T) -> T {
        g * (y + T::ONE)
    }
    fn grad(self, g: &Tensor, y: &Tensor) -> Result<Tensor> {
        g.mul(&y.add(1.0)?)
    }
}

impl Tensor {
    /// eˣ − 1, element by element, accurate near 0 (PyTorch: `torch.expm1`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, 1e-8]).expm1()?.to_vec::<f32>()?, [0.0, 1e-8]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn expm1(&self) -> Result<Tensor> {
        unary(self, Expm1)
    }
}

pub(super) const ROW: Row = Row {
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].expm1()?]))],
    ..Row::new("expm1", "torch.expm1", || vec![Sample::new("", [values(1, [2, 3])], |x| x[0].expm1())])
};
