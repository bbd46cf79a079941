//! Rounding towards zero.

use crate::operation::{Saves, Unary, flat, unary};
use crate::table::{Kink, Refusal, Row, Sample, uniform};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Trunc;

impl Unary for Trunc {
    const NAME: &'static str = "trunc";
    const SAVES: Saves = Saves::Nothing;
    const INT: Option<fn(i64) -> i64> = Some(|x| x);
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.trunc()
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
    /// The integer part, element by element (PyTorch: `torch.trunc`). The derivative is 0.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([-1.5, 1.5]).trunc()?.to_vec::<f32>()?, [-1.0, 1.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For booleans.
    #[track_caller]
    pub fn trunc(&self) -> Result<Tensor> {
        unary(self, Trunc)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: Tensor::trunc, derivative: 0.0 }],
    errors: || vec![Refusal::new(&["bool"], || Tensor::new([true]).trunc())],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].trunc()?]))],
    ..Row::new("trunc", "torch.trunc", || vec![Sample::new("", [uniform(1, [2, 3], 0.1, 0.4)], |x| x[0].trunc()).flat()])
};
