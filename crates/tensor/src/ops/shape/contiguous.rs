//! Contiguous copy.

use chainrule_kernels::elementwise::copy;

use crate::autograd::{Backward, Context, record};
use crate::table::{Row, Sample, values};
use crate::{Result, Tensor, dispatch};

struct ContiguousBackward;

impl Backward for ContiguousBackward {
    fn name(&self) -> &'static str {
        "contiguous"
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.clone())])
    }
}

impl Tensor {
    /// The same values in row-major order without gaps: the tensor itself where it is so already, else a
    /// copy (PyTorch: `Tensor.contiguous`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]).transpose(0, 1)?;
    /// assert_eq!(x.contiguous()?.as_slice::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn contiguous(&self) -> Result<Tensor> {
        if self.is_contiguous() {
            return Ok(self.clone());
        }
        let copy = dispatch!(self.dtype(), T => {
            let mut out = self.shape().allocate::<T>("contiguous")?;
            copy(self.shape(), self.strided::<T>()?, &mut out);
            Tensor::from_parts(out, self.shape().clone())
        });
        record(ContiguousBackward, &[self], &[], copy)
    }
}

pub(super) const ROW: Row = Row {
    bench: &[(&[&[2048, 2048]], |x| Ok(vec![x[0].transpose(0, 1)?.contiguous()?]))],
    ..Row::new("contiguous", "torch.Tensor.contiguous", || {
        vec![
            Sample::new("transposed", [values(1, [2, 3])], |x| x[0].transpose(0, 1)?.contiguous()),
            Sample::new("expanded", [values(1, [1, 3])], |x| x[0].expand([2, 3])?.contiguous()),
        ]
    })
};
