//! One-hot vectors.

use crate::table::{Refusal, Row, Sample};
use crate::{Result, Tensor};

impl Tensor {
    /// For each class number a vector of `num_classes` elements, 1 at that class and 0 elsewhere, in a new
    /// last dimension; `i64` (PyTorch: `torch.nn.functional.one_hot`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let y = Tensor::new([2, 0]).one_hot(3)?;
    /// assert_eq!(y.to_vec::<i64>()?, [0, 0, 1, 1, 0, 0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a class is negative or not below `num_classes`, and for another dtype than `i64`.
    #[track_caller]
    pub fn one_hot(&self, num_classes: usize) -> Result<Tensor> {
        let classes = self.checked_indices("one_hot", -1, num_classes)?;
        let shape = self.shape().with_inserted(self.rank(), num_classes)?;
        let classes = classes.as_slice::<i64>()?;
        Tensor::build_for("one_hot", shape, |out: &mut [i64]| {
            out.fill(0);
            classes.iter().enumerate().for_each(|(i, &class)| out[i * num_classes + class as usize] = 1);
        })
    }
}

pub(super) const ROW: Row = Row {
    differentiable: false,
    errors: || {
        vec![
            Refusal::new(&["index 3", "size 3"], || Tensor::new([0, 3]).one_hot(3)),
            Refusal::new(&["index -1"], || Tensor::new([-1]).one_hot(3)),
            Refusal::new(&["float32"], || Tensor::new([1.0]).one_hot(3)),
        ]
    },
    ..Row::new("one_hot", "torch.nn.functional.one_hot", || {
        vec![
            Sample::new("vector", [Tensor::new([2, 0, 1])], |x| x[0].one_hot(3)),
            Sample::new("matrix", [Tensor::new([[2, 0], [1, 1]])], |x| x[0].one_hot(4)),
        ]
    })
};
