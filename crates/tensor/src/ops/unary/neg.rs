//! Negation.

use crate::operation::{Saves, Unary, unary};
use crate::table::{Row, Sample, values};
use crate::{Result, Tensor};
use chainrule_kernels::Float;

#[derive(Clone, Copy)]
struct Neg;

impl Unary for Neg {
    const NAME: &'static str = "neg";
    const SAVES: Saves = Saves::Nothing;
    const INT: Option<fn(i64) -> i64> = Some(|x| x.wrapping_neg());
    #[inline(always)]
    fn f<T: Float>(self, x: T) -> T {
        -x
    }
    #[inline(always)]
    fn df<T: Float>(self, g: T, _: T) -> T {
        -g
    }
    fn grad(self, g: &Tensor, _: &Tensor) -> Result<Tensor> {
        g.neg()
    }
}

impl Tensor {
    /// −x, element by element; also the operator `-` (PyTorch: `torch.neg`). Booleans are refused.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!((-Tensor::new([1.0, -2.0])).to_vec::<f32>()?, [-1.0, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn neg(&self) -> Result<Tensor> {
        unary(self, Neg)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        let flags = || Tensor::new([true, false]);
        vec![crate::table::Refusal::new(&["bool"], move || flags().neg())]
    },
    ..Row::new("neg", "torch.neg", || vec![Sample::new("", [values(1, [2, 3])], |x| x[0].neg())])
};
