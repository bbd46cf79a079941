//! Exponential linear unit.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, distinct};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Elu {
    alpha: f64,
}

impl Unary for Elu {
    const NAME: &'static str = "elu";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 5.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        if x > T::ZERO { x } else { T::of(self.alpha) * x.exp_m1() }
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        if x <= T::ZERO { g * (T::of(self.alpha) * x.exp()) } else { g }
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        // Without the large x, whose infinite exponentials would meet the zeros of a second pass.
        let below = x.masked_fill(&x.ge(0.0)?, 0.0)?.exp()?.mul(self.alpha)?;
        Tensor::where_(&x.le(0.0)?, &g.mul(&below)?, g)
    }
}

impl Tensor {
    /// x where it is positive, else `alpha`·(eˣ − 1); the derivative at 0 is `alpha` (PyTorch:
    /// `torch.nn.functional.elu`, where alpha defaults to 1).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([-100.0, 2.0]).elu(1.0)?.to_vec::<f32>()?, [-1.0, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn elu(&self, alpha: f64) -> Result<Tensor> {
        unary(self, Elu { alpha })
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: |x| x.elu(2.0), derivative: 2.0 }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].elu(1.0)?]))],
    ..Row::new("elu", "torch.nn.functional.elu", || vec![Sample::new("", [distinct(1, [2, 3])], |x| x[0].elu(1.5))])
};
