//! Formulas of centred and normalised elements, in tensor operations on double precision: what the way back of variances and
//! normalisations is made of where it is recorded.

use chainrule_kernels::scaling::near_one;

use crate::{DType, Result, Tensor};

/// Elements less their mean over dimensions. It is taken in two steps: what rounding took from it shows in the mean of what
/// is left.
pub(crate) fn centred(x: &Tensor, dims: &[isize]) -> Result<Tensor> {
    let centred = x.sub(&x.mean_dim(dims, true)?)?;
    centred.sub(&centred.mean_dim(dims, true)?)
}

/// (x − mean) / √(variance + eps) and 1 / √(variance + eps) over dimensions of an `f64` tensor.
pub(crate) fn normalized(x: &Tensor, dims: &[isize], eps: f64) -> Result<(Tensor, Tensor)> {
    let scale = scale(x, dims, eps.max(0.0).sqrt())?;
    let centred = centred(&x.mul(&scale)?, dims)?;
    let variance = centred.square()?.mean_dim(dims, true)?;
    let inverse = variance.add(&scale.mul(eps)?.mul(&scale)?)?.rsqrt()?;
    Ok((centred.mul(&inverse)?, inverse.mul(&scale)?))
}

/// Powers of two that bring the largest element over dimensions, or `least`, near 1, so that squares stay in range.
fn scale(x: &Tensor, dims: &[isize], least: f64) -> Result<Tensor> {
    if x.numel() == 0 {
        return Tensor::full([], 1.0, DType::F64);
    }
    let largest = x.detach().abs()?.amax(dims, true)?;
    let largest = largest.contiguous()?;
    let sizes = largest.as_slice::<f64>()?;
    Tensor::build(largest.shape(), |out: &mut [f64]| {
        out.iter_mut().zip(sizes).for_each(|(out, size)| *out = near_one::<f64>(size.max(least)));
    })
}
