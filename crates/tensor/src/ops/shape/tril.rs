//! Triangles of matrices.

use chainrule_kernels::blocks;

use crate::autograd::{Backward, Context, record};
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail, dispatch};

struct TriangleBackward {
    diagonal: isize,
    lower: bool,
}

impl Backward for TriangleBackward {
    fn name(&self) -> &'static str {
        if self.lower { "tril" } else { "triu" }
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.triangle(self.diagonal, self.lower)?)])
    }
}

impl Tensor {
    /// The lower triangle of each matrix (the last two dimensions), zeros elsewhere. `diagonal` is the last
    /// one that is kept: 0 the main diagonal, positive above it, negative below (PyTorch: `torch.tril`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.tril(0)?.to_vec::<f32>()?, [1.0, 0.0, 3.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For fewer than two dimensions.
    #[track_caller]
    pub fn tril(&self, diagonal: isize) -> Result<Tensor> {
        self.triangle(diagonal, true)
    }

    /// The upper triangle of each matrix (the last two dimensions), zeros elsewhere. `diagonal` is the first
    /// one that is kept (PyTorch: `torch.triu`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.triu(1)?.to_vec::<f32>()?, [0.0, 2.0, 0.0, 0.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For fewer than two dimensions.
    #[track_caller]
    pub fn triu(&self, diagonal: isize) -> Result<Tensor> {
        self.triangle(diagonal, false)
    }

    #[track_caller]
    fn triangle(&self, diagonal: isize, lower: bool) -> Result<Tensor> {
        let operation = TriangleBackward { diagonal, lower };
        let &[ref batch @ .., rows, columns] = &**self.shape() else {
            bail!(Shape, operation.name(), "expects at least 2 dimensions, not shape {}", self.shape());
        };
        let dims = [batch.iter().product(), rows, columns];
        let x = self.detach().contiguous()?;
        let out = dispatch!(self.dtype(), T => {
            let mut out = self.shape().allocate::<T>(operation.name())?;
            blocks::triangle(x.as_slice::<T>()?, dims, diagonal, lower, &mut out);
            Tensor::from_parts(out, self.shape().clone())
        });
        record(operation, &[self], &[], out)
    }
}

pub(super) const ROW: Row = Row {
    errors: || vec![Refusal::new(&["[3]"], || values(1, [3]).tril(0))],
    ..Row::new("tril", "torch.tril", || {
        vec![
            Sample::new("lower", [values(1, [2, 3])], |x| x[0].tril(0)),
            Sample::new("lower, one more", [values(1, [2, 2, 3])], |x| x[0].tril(1)),
            Sample::new("upper", [values(1, [3, 2])], |x| x[0].triu(0)),
            Sample::new("upper, one more", [values(1, [3, 3])], |x| x[0].triu(-1)),
        ]
    })
};
