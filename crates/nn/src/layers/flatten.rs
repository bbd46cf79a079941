//! Flattening.

use chainrule_tensor::{Result, Tensor};

use crate::{Forward, Module};

/// Makes one dimension of several, by default of all but the batch: `[N, C, H, W]` to `[N, C·H·W]` (PyTorch:
/// `torch.nn.Flatten`).
///
/// ```
/// # use chainrule_nn::{Forward, Flatten};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let x = Tensor::zeros([2, 3, 4, 5])?;
/// assert_eq!(*Flatten::new().forward(&x)?.shape(), [2, 60]);
/// assert_eq!(*Flatten::builder().start_dim(2).build()?.forward(&x)?.shape(), [2, 3, 20]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Module)]
pub struct Flatten {
    start_dim: isize,
    end_dim: isize,
}

/// The options of a [`Flatten`] layer.
#[derive(Clone, Debug)]
pub struct FlattenBuilder(Flatten);

impl Flatten {
    /// The layer with default options.
    pub fn new() -> Flatten {
        Flatten { start_dim: 1, end_dim: -1 }
    }

    /// The layer with other options.
    pub fn builder() -> FlattenBuilder {
        FlattenBuilder(Flatten::new())
    }
}

impl Default for Flatten {
    fn default() -> Flatten {
        Flatten::new()
    }
}

impl FlattenBuilder {
    /// The first of the dimensions; default 1.
    #[must_use]
    pub fn start_dim(self, start_dim: isize) -> Self {
        FlattenBuilder(Flatten { start_dim, ..self.0 })
    }

    /// The last of the dimensions; default −1, the innermost.
    #[must_use]
    pub fn end_dim(self, end_dim: isize) -> Self {
        FlattenBuilder(Flatten { end_dim, ..self.0 })
    }

    /// Makes the layer.
    ///
    /// # Errors
    /// None; a `Result` as for every layer.
    pub fn build(self) -> Result<Flatten> {
        Ok(self.0)
    }
}

impl Forward for Flatten {
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.flatten(self.start_dim, self.end_dim)
    }
}
