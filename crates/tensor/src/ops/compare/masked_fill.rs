//! Replacement of the elements under a mask.

use chainrule_kernels::elementwise::{View, zip};

use crate::autograd::{Backward, Context, Save, record};
use crate::operation::Scalar;
use crate::shape::broadcast;
use crate::table::{Refusal, Row, Sample, values};
use crate::{DType, Result, Tensor, bail, dispatch};

struct MaskedFillBackward;

impl Backward for MaskedFillBackward {
    fn name(&self) -> &'static str {
        "masked_fill"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.masked_fill(ctx.saved(0)?, 0.0)?)])
    }
}

impl Tensor {
    /// A number in the place of each element where the mask is true, with broadcasting (PyTorch:
    /// `Tensor.masked_fill`). The number is converted to the dtype of the tensor. To fill in the values of
    /// another tensor, use [`where_`](Tensor::where_).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([1.0, 2.0]).masked_fill(&Tensor::new([true, false]), f64::NEG_INFINITY)?;
    /// assert_eq!(x.to_vec::<f32>()?, [f32::NEG_INFINITY, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the mask is not `bool`, and when the shapes do not broadcast.
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor, value: impl Into<Scalar>) -> Result<Tensor> {
        if mask.dtype() != DType::Bool {
            bail!(DType, "masked_fill", "the mask must be bool, not {}", mask.dtype());
        }
        let shape = broadcast("masked_fill", self.shape(), mask.shape())?;
        let (strides, mask_strides) = (self.broadcast_strides(&shape), mask.broadcast_strides(&shape));
        let value = value.into().to_tensor(self.dtype())?;
        let y = dispatch!(self.dtype(), T => {
            let value = value.to_scalar::<T>()?;
            let mut out = shape.allocate::<T>("masked_fill")?;
            let x = View { strides: &strides, ..self.strided::<T>()? };
            let flags = View { strides: &mask_strides, ..mask.strided::<bool>()? };
            zip(&shape, (x, flags), &mut out, 0.5, |x, m| if m { value } else { x });
            Tensor::from_parts(out, shape)
        });
        record(MaskedFillBackward, &[self], &[Save::Value(mask)], y)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["int64"], || values(1, [2]).masked_fill(&Tensor::new([1, 0]), 0.0)),
            Refusal::new(&["[2]", "[3]"], || values(1, [3]).masked_fill(&Tensor::new([true, false]), 0.0)),
        ]
    },
    bench: &[(&[&[1_000_000]], |x| Ok(vec![x[0].masked_fill(&x[0].gt(1.0)?, 0.5)?]))],
    ..Row::new("masked_fill", "torch.Tensor.masked_fill", || {
        let mask = || Tensor::new([[true, false, true], [false, false, true]]);
        vec![
            Sample::new("same shape", [values(1, [2, 3])], move |x| x[0].masked_fill(&mask(), 2.5)),
            Sample::new("broadcast", [values(1, [3])], move |x| x[0].masked_fill(&mask(), -1.0)),
        ]
    })
};
