//! Cosine.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Cos;

impl Unary for Cos {
    const NAME: &'static str = "cos";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 5.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.cos()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        -g * x.sin()
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        g.neg()?.mul(&x.sin()?)
    }
}

impl Tensor {
    /// cos x, element by element, x in radians (PyTorch: `torch.cos`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, std::f64::consts::PI]).cos()?.to_vec::<f32>()?, [1.0, -1.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn cos(&self) -> Result<Tensor> {
        unary(self, Cos)
    }
}

pub(super) const ROW: Row = Row {
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].cos()?]))],
    ..Row::new("cos", "torch.cos", || vec![Sample::new("", [values(1, [2, 3])], |x| x[0].cos())])
};
