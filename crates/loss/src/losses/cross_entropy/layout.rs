//! Where the classes are in a tensor of logits.

use chainrule_tensor::{Result, Shape, Tensor, bail};

use super::NAME;

/// The shape of logits: `[C]`, `[N, C]` or `[N, C, d1, …]`, seen as `[N, C, S]`.
pub(super) struct Layout {
    logits: Shape,
    dim: usize,
}

impl Layout {
    #[track_caller]
    pub(super) fn new(logits: &Tensor) -> Result<Layout> {
        if logits.rank() == 0 {
            bail!(Shape, NAME, "the logits are 0-d: their shape must be [C], [N, C] or [N, C, d1, …]");
        }
        Ok(Layout { logits: logits.shape().clone(), dim: usize::from(logits.rank() > 1) })
    }

    /// The shape of the logits.
    pub(super) fn logits(&self) -> &Shape {
        &self.logits
    }

    /// The dimension of the classes.
    pub(super) fn dim(&self) -> isize {
        self.dim as isize
    }

    /// The number of classes.
    pub(super) fn classes(&self) -> usize {
        self.logits[self.dim]
    }

    /// `[N, C, S]`
    pub(super) fn dims(&self) -> [usize; 3] {
        self.logits.around(self.dim)
    }

    /// The shape of what there is one of for each row.
    pub(super) fn rows(&self) -> Shape {
        self.logits.without(self.dim)
    }

    /// The same with size 1 in the place of the classes.
    pub(super) fn rows_kept(&self) -> Shape {
        self.logits.with_size(self.dim, 1)
    }

    /// The shape in which something that there is one of for each class broadcasts to the logits.
    pub(super) fn per_class(&self) -> Shape {
        let sizes = self.logits.iter().enumerate();
        sizes.map(|(dim, &size)| if dim == self.dim { size } else { 1 }).collect()
    }
}
