//! Logistic sigmoid.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Sigmoid;

impl Unary for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const SAVES: Saves = Saves::Output;
    const COST_NS: f64 = 3.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.sigmoid()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, y: T) -> T {
        g * (y * (T::ONE - y))
    }
    fn grad(self, g: &Tensor, y: &Tensor) -> Result<Tensor> {
        g.mul(&y.sub(&y.square()?)?)
    }
}

impl Tensor {
    /// 1 / (1 + e⁻ˣ), element by element (PyTorch: `torch.sigmoid`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([-100.0, 0.0]).sigmoid()?.to_vec::<f32>()?, [0.0, 0.5]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn sigmoid(&self) -> Result<Tensor> {
        unary(self, Sigmoid)
    }
}

pub(super) const ROW: Row = Row {
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].sigmoid()?]))],
    ..Row::new("sigmoid", "torch.sigmoid", || vec![Sample::new("", [values(1, [2, 3])], |x| x[0].sigmoid())])
};
