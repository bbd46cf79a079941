//! Hyperbolic tangent.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Tanh;

impl Unary for Tanh {
    const NAME: &'static str = "tanh";
    const SAVES: Saves = Saves::Output;
    const COST_NS: f64 = 8.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.tanh()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, y: T) -> T {
        g * (T::ONE - y * y)
    }
    fn grad(self, g: &Tensor, y: &Tensor) -> Result<Tensor> {
        g.sub(&g.mul(&y.square()?)?)
    }
}

impl Tensor {
    /// tanh x, element by element (PyTorch: `torch.tanh`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, 30.0]).tanh()?.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn tanh(&self) -> Result<Tensor> {
        unary(self, Tanh)
    }
}

pub(super) const ROW: Row = Row {
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].tanh()?]))],
    ..Row::new("tanh", "torch.tanh", || vec![Sample::new("", [values(1, [2, 3])], |x| x[0].tanh())])
};
