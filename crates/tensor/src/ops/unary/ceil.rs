//! Rounding up.

use crate::operation::{Saves, Unary, flat, unary};
use crate::table::{Kink, Refusal, Row, Sample, uniform};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Ceil;

impl Unary for Ceil {
    const NAME: &'static str = "ceil";
    const SAVES: Saves = Saves::Nothing;
    const INT: Option<fn(i64) -> i64> = Some(|x| x);
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.ceil()
    }
    #[inline(always)]
    fn df<T: Float>(self, _: T, _: T) -> T {
        T::ZERO
    }
    fn grad(self, g: &Tensor, _: &Tensor) -> Result<Tensor> {
        flat(g)
    }
}

impl Tensor {
    /// The smallest integer not below x, element by element (PyTorch: `torch.ceil`). The derivative is 0.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([-1.5, 1.5]).ceil()?.to_vec::<f32>()?, [-1.0, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For booleans.
    #[track_caller]
    pub fn ceil(&self) -> Result<Tensor> {
        unary(self, Ceil)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::ceil, derivative: 0.0 }],
    errors: || vec![Refusal::new(&["bool"], || Tensor::new([true]).ceil())],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].ceil()?]))],
    ..Row::new("ceil", "torch.ceil", || vec![Sample::new("", [uniform(1, [2, 3], 0.1, 0.4)], |x| x[0].ceil()).flat()])
};
