//! Absolute value.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Refusal, Row, Sample, distinct};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Abs;

impl Unary for Abs {
    const NAME: &'static str = "abs";
    const SAVES: Saves = Saves::Input;
    const INT: Option<fn(i64) -> i64> = Some(|x| x.wrapping_abs());
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.abs()
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        if x > T::ZERO {
            g
        } else if x < T::ZERO {
            -g
        } else {
            g * T::ZERO
        }
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        g.mul(&x.sign()?)
    }
}

impl Tensor {
    /// |x|, element by element; the derivative at 0 is 0 (PyTorch: `torch.abs`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([-1.5, 2.0]).abs()?.to_vec::<f32>()?, [1.5, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For booleans.
    #[track_caller]
    pub fn abs(&self) -> Result<Tensor> {
        unary(self, Abs)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::abs, derivative: 0.0 }],
    errors: || vec![Refusal::new(&["bool"], || Tensor::new([true]).abs())],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].abs()?]))],
    ..Row::new("abs", "torch.abs", || vec![Sample::new("", [distinct(1, [2, 3])], |x| x[0].abs())])
};
