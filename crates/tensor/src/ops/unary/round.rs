//! Rounding to the nearest integer.

use crate::operation::{Saves, Unary, flat, unary};
use crate::table::{Kink, Refusal, Row, Sample, uniform};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Round;

impl Unary for Round {
    const NAME: &'static str = "round";
    const SAVES: Saves = Saves::Nothing;
    const INT: Option<fn(i64) -> i64> = Some(|x| x);
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        x.round_ties_even()
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
    /// The nearest integer, halves to even, element by element (PyTorch: `torch.round`). The derivative is 0.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.5, 1.5, -2.6]).round()?.to_vec::<f32>()?, [0.0, 2.0, -3.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For booleans.
    #[track_caller]
    pub fn round(&self) -> Result<Tensor> {
        unary(self, Round)
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.5, call: Tensor::round, derivative: 0.0 }],
    errors: || vec![Refusal::new(&["bool"], || Tensor::new([true]).round())],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].round()?]))],
    ..Row::new("round", "torch.round", || vec![Sample::new("", [uniform(1, [2, 3], 0.1, 0.4)], |x| x[0].round()).flat()])
};
