//! [`Tensors`]: a tensor, a tuple of tensors or a vector of tensors, treated alike.

use chainrule_tensor::{Result, Tensor};

/// One tensor or several, as a sample or a batch holds them: [`Tensor`], tuples of one to four, `Vec<Tensor>`.
pub trait Tensors: Clone + Send + Sync {
    /// The tensors in order.
    fn tensors(&self) -> Vec<&Tensor>;

    /// The same arrangement of other tensors: `change` of each, in order.
    ///
    /// # Errors
    /// The first that `change` gives.
    fn try_map(&self, change: impl FnMut(&Tensor) -> Result<Tensor>) -> Result<Self>;
}

impl Tensors for Tensor {
    fn tensors(&self) -> Vec<&Tensor> {
        vec![self]
    }

    fn try_map(&self, mut change: impl FnMut(&Tensor) -> Result<Tensor>) -> Result<Self> {
        change(self)
    }
}

impl Tensors for Vec<Tensor> {
    fn tensors(&self) -> Vec<&Tensor> {
        self.iter().collect()
    }

    fn try_map(&self, change: impl FnMut(&Tensor) -> Result<Tensor>) -> Result<Self> {
        self.iter().map(change).collect()
    }
}

macro_rules! tuple {
    ($($t:ident $i:tt),+) => {
        impl Tensors for ($($t,)+) {
            fn tensors(&self) -> Vec<&Tensor> {
                vec![$(&self.$i),+]
            }

            fn try_map(&self, mut change: impl FnMut(&Tensor) -> Result<Tensor>) -> Result<Self> {
                Ok(($(change(&self.$i)?,)+))
            }
        }
    };
}
tuple!(Tensor 0);
tuple!(Tensor 0, Tensor 1);
tuple!(Tensor 0, Tensor 1, Tensor 2);
tuple!(Tensor 0, Tensor 1, Tensor 2, Tensor 3);
