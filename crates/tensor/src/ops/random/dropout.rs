//! Dropout.

use chainrule_kernels::Number;
use chainrule_kernels::elementwise::zip_block;

use crate::autograd::{Backward, Context, Save, record};
use crate::create_random::drawn_like;
use crate::operation::zip_tensors;
use crate::random::{Generator, with_generator};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail, dispatch_float};

struct DropoutBackward;

impl Backward for DropoutBackward {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let mask = ctx.saved(0)?;
        Ok(vec![Some(ctx.grad()?.mul(mask)?.masked_fill(&mask.eq(0.0)?, 0.0)?)])
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(kept(ctx.grad()?, ctx.saved(0)?)?)])
    }
}

/// x times the mask, and 0 where that is 0, whatever x is: an infinity that is dropped is not to become a NaN.
fn kept(x: &Tensor, mask: &Tensor) -> Result<Tensor> {
    dispatch_float!(x.dtype(), T => zip_tensors("dropout", x.shape(), (x, mask), 0.5, &|x, mask, out| {
        zip_block((x, mask), out, &|x: T, mask: T| if mask == 0.0 { 0.0 } else { x * mask });
    }))
}

impl Tensor {
    /// In training each element is set to 0 with probability `p`, and the others are multiplied by
    /// 1 / (1 − p), which keeps the mean; else the tensor itself (PyTorch: `torch.nn.functional.dropout`, default `p`
    /// 0.5; Srivastava et al. 2014).
    ///
    /// One draw of the default generator for each element, in the order in which they lie in memory, as in PyTorch: the
    /// same elements after the same seed, for any number of threads.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::ones([100])?;
    /// let y = x.dropout(0.5, true)?.to_vec::<f32>()?;
    /// assert!(y.iter().all(|&v| v == 0.0 || v == 2.0));
    /// assert_eq!(x.dropout(0.5, false)?.to_vec::<f32>()?, [1.0; 100]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `p` is not between 0 and 1, and in training for integers and booleans.
    #[track_caller]
    pub fn dropout(&self, p: f64, training: bool) -> Result<Tensor> {
        if !(0.0..=1.0).contains(&p) {
            bail!(Value, "dropout", "the probability must be between 0 and 1, not {p}");
        }
        if p == 0.0 || !training || self.numel() == 0 {
            return Ok(self.clone());
        }
        if !self.dtype().is_float() {
            bail!(DType, "dropout", "not defined for {}: convert it with to_dtype first", self.dtype());
        }
        if p == 1.0 {
            return self.masked_fill(&Tensor::new(true), 0.0);
        }
        let mask = dispatch_float!(self.dtype(), T => {
            let kept = T::from_f64(1.0 - p);
            drawn_like("dropout", self, |generator, mask: &mut [T], _| {
                generator.bernoulli(mask, 1.0 - p)?;
                mask.iter_mut().for_each(|v| *v /= kept);
                Ok(())
            })?
        });
        let y = kept(&self.detach(), &mask)?;
        record(DropoutBackward, &[self], &[Save::Value(&mask)], y)
    }
}

/// From a generator of its own in each call and in row-major order, so that it always drops the same elements, wherever
/// they lie in memory.
fn repeatable(x: &Tensor, p: f64) -> Result<Tensor> {
    with_generator(&mut Generator::new(0), || x.contiguous()?.dropout(p, true))
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["1.5"], || values(1, [3]).dropout(1.5, true)),
            Refusal::new(&["NaN"], || values(1, [3]).dropout(f64::NAN, false)),
            Refusal::new(&["int64"], || Tensor::new([1, 2]).dropout(0.5, true)),
        ]
    },
    bench: &[(&[&[512, 1024]], |x| Ok(vec![repeatable(&x[0], 0.5)?]))],
    ..Row::new("dropout", "torch.nn.functional.dropout", || {
        vec![
            Sample::new("training", [values(1, [4, 3])], |x| repeatable(&x[0], 0.4)),
            Sample::new("evaluation", [values(1, [3])], |x| x[0].dropout(0.4, false)),
        ]
    })
};
