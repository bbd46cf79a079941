//! Stack.

use std::borrow::Borrow;

use crate::shape::dim_index;
use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail};

impl Tensor {
    /// Tensors of one shape along a new dimension, put before dimension `dim` (PyTorch: `torch.stack`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let (a, b) = (Tensor::new([1.0, 2.0]), Tensor::new([3.0, 4.0]));
    /// assert_eq!(Tensor::stack(&[&a, &b], 0)?.to_vec::<f32>()?, [1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(Tensor::stack(&[&a, &b], 1)?.to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// For an empty list and when shapes differ.
    #[track_caller]
    pub fn stack<T: Borrow<Tensor>>(tensors: &[T], dim: isize) -> Result<Tensor> {
        let Some(first) = tensors.first().map(T::borrow) else {
            bail!(Value, "stack", "an empty list of tensors");
        };
        let index = dim_index("stack", dim, first.rank() + 1)?;
        let mut rows = Vec::with_capacity(tensors.len());
        for (i, t) in tensors.iter().map(T::borrow).enumerate() {
            if t.shape() != first.shape() {
                bail!(Shape, "stack", "tensor {i} has the shape {}, the first {}", t.shape(), first.shape());
            }
            rows.push(t.unsqueeze(index as isize)?);
        }
        Tensor::cat(&rows, index as isize)
    }
}

pub(super) const ROW: Row = Row {
    errors: || {
        vec![
            Refusal::new(&["tensor 1", "[3]", "[2]"], || {
                Tensor::stack(&[values(1, [2]), values(2, [3])], 0)
            }),
            Refusal::new(&["empty"], || Tensor::stack::<Tensor>(&[], 0)),
            Refusal::new(&["dimension 2"], || Tensor::stack(&[values(1, [2])], 2)),
        ]
    },
    ..Row::new("stack", "torch.stack", || {
        vec![
            Sample::new("first", [values(1, [3]), values(2, [3])], |x| Tensor::stack(x, 0)),
            Sample::new("last", [values(1, [2, 2]), values(2, [2, 2])], |x| Tensor::stack(x, -1)),
            Sample::new("0-d", [values(1, []), values(2, [])], |x| Tensor::stack(x, 0)),
        ]
    })
};
