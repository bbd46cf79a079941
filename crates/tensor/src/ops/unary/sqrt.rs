//! Square root.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, uniform};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Sqrt;

impl Unary for Sqrt {
    const NAME: &'static str = "sqrt";
    const SAVES: Saves = Saves::Output;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.sqrt()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, y: T) -> T {
        g / (y + y)
    }
    fn grad(self, g: &Tensor, y: &Tensor) -> Result<Tensor> {
        g.div(&y.mul(2.0)?)
    }
}

impl Tensor {
    /// The square root, element by element; NaN below 0, and the derivative at 0 is infinite (PyTorch: `torch.sqrt`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([4.0, 9.0]).sqrt()?.to_vec::<f32>()?, [2.0, 3.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn sqrt(&self) -> Result<Tensor> {
        unary(self, Sqrt)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::sqrt, derivative: f64::INFINITY }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].sqrt()?]))],
    ..Row::new("sqrt", "torch.sqrt", || vec![Sample::new("", [uniform(1, [2, 3], 0.2, 3.0)], |x| x[0].sqrt())])
};
