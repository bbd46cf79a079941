//! Softplus.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Kink, Row, Sample, distinct, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Softplus {
    beta: f64,
    threshold: f64,
}

impl Unary for Softplus {
    const NAME: &'static str = "softplus";
    const SAVES: Saves = Saves::Input;
    const COST_NS: f64 = 8.0;
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        let z = x * T::of(self.beta);
        // The exponential of a large z, which a threshold may let through, would be infinite.
        let near = z.maximum(T::ZERO) + (-z.abs()).exp().ln_1p();
        if z > T::of(self.threshold) { x } else { near / T::of(self.beta) }
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, x: T) -> T {
        let z = x * T::of(self.beta);
        if z > T::of(self.threshold) { g } else { g / (T::ONE + (-z).exp()) }
    }
    fn grad(self, g: &Tensor, x: &Tensor) -> Result<Tensor> {
        let z = x.mul(self.beta)?;
        Tensor::where_(&z.gt(self.threshold)?, g, &g.mul(&z.sigmoid()?)?)
    }
}

impl Tensor {
    /// ln(1 + exp(`beta`·x)) / `beta`, element by element, and x itself where `beta`·x is above `threshold`: there
    /// the two are the same but for rounding (PyTorch: `torch.nn.functional.softplus`, with defaults 1 and 20).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, 100.0]).softplus(1.0, 20.0)?.to_vec::<f32>()?, [2f32.ln(), 100.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn softplus(&self, beta: f64, threshold: f64) -> Result<Tensor> {
        unary(self, Softplus { beta, threshold })
    }
}

pub(super) const ROW: Row = Row {
    kinks: || vec![Kink { at: 0.0, call: |x| x.softplus(1.0, 20.0), derivative: 0.5 }],
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].softplus(1.0, 20.0)?]))],
    ..Row::new("softplus", "torch.nn.functional.softplus", || vec![
Sample::new("", [values(1, [2, 3])], |x| x[0].softplus(1.0, 20.0)),
Sample::new("beyond the threshold", [distinct(1, [2, 3])], |x| x[0].softplus(200.0, 1.0)),
])
};
