//! Products whose limit is 0 where one factor is 0, written with tensor operations.

use chainrule_tensor::{Result, Tensor};

/// a·b, where 0·∞ is 0, as in y·ln y at y = 0; see [`Float::times`](chainrule_kernels::Float::times).
pub(crate) fn times(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let vanishing = a.detach().eq(0.0)?.logical_and(&b.detach().abs()?.eq(f64::INFINITY)?)?;
    // Both factors, and not the product alone: the derivative of each is the other.
    a.mul(&b.masked_fill(&vanishing, 0.0)?)
}
