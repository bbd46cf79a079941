//! Rows of a table by number.

use crate::table::{Refusal, Row, Sample, values};
use crate::{Result, Tensor, bail};

impl Tensor {
    /// The rows of a table `weight`, `[num_embeddings, embedding_dim]`, that these `i64` numbers of any shape name: the
    /// result has their shape with `embedding_dim` behind it (PyTorch: `torch.nn.functional.embedding(self, weight)`).
    ///
    /// The row `padding_idx`, counted from the end where negative, gets no gradient from here; its values are not
    /// looked at.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let weight = Tensor::new([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).requires_grad_(true)?;
    /// let y = Tensor::new([[2, 0, 2]]).embedding(&weight, Some(0))?;
    /// assert_eq!(*y.shape(), [1, 3, 2]);
    /// assert_eq!(y.to_vec::<f32>()?, [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
    /// y.sum()?.backward()?;
    /// assert_eq!(weight.grad().unwrap().to_vec::<f32>()?, [0.0, 0.0, 0.0, 0.0, 2.0, 2.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the numbers are not `i64` or out of range (negative ones are), when `weight` is no matrix, and when
    /// `padding_idx` is none of its rows.
    #[track_caller]
    pub fn embedding(&self, weight: &Tensor, padding_idx: Option<isize>) -> Result<Tensor> {
        let &[rows, width] = &**weight.shape() else {
            bail!(Shape, "embedding", "the weight must be a matrix, not of shape {}", weight.shape());
        };
        let numbers = self.checked_indices("embedding", 0, rows)?;
        let shape = self.shape().with_inserted(self.rank(), width)?;
        let y = weight.index_select(0, &numbers.reshape([-1])?)?.reshape(shape)?;
        let Some(padding) = padding_idx else { return Ok(y) };
        let Some(padding) = row_number(padding, rows) else {
            bail!(Index, "embedding", "padding_idx {padding} is none of {rows} rows");
        };
        Tensor::where_(&numbers.eq(padding as i64)?.unsqueeze(-1)?, &y.detach(), &y)
    }
}

/// The number of a row that may be counted from the end.
fn row_number(number: isize, rows: usize) -> Option<usize> {
    let from_start = if number < 0 { number.checked_add_unsigned(rows)? } else { number };
    usize::try_from(from_start).ok().filter(|&row| row < rows)
}

pub(super) const ROW: Row = Row {
    errors: || {
        let weight = || values(1, [3, 2]);
        vec![
            Refusal::new(&["[3]"], || Tensor::new([0]).embedding(&values(1, [3]), None)),
            Refusal::new(&["index 3", "size 3"], move || Tensor::new([0, 3]).embedding(&weight(), None)),
            Refusal::new(&["index -1", "size 3"], move || Tensor::new([-1]).embedding(&weight(), None)),
            Refusal::new(&["float32"], move || Tensor::new([0.0]).embedding(&weight(), None)),
            Refusal::new(&["padding_idx 3", "3 rows"], move || Tensor::new([0]).embedding(&weight(), Some(3))),
            Refusal::new(&["padding_idx -4"], move || Tensor::new([0]).embedding(&weight(), Some(-4))),
        ]
    },
    bench: &[
        (&[&[10_000, 128]], |x| Ok(vec![Tensor::arange(4096)?.reshape([64, 64])?.embedding(&x[0], None)?])),
        (&[&[100_000, 100]], |x| Ok(vec![Tensor::arange(20)?.embedding(&x[0], None)?])),
    ],
    ..Row::new("embedding", "torch.nn.functional.embedding", || {
        // What the padding row is changed by shows in the result and not in the gradient, so it is not asked for here.
        let padded = |x: &[Tensor]| Tensor::new([[0, 2], [2, 0]]).embedding(&x[0], Some(-2));
        vec![
            Sample::new("vector", [values(1, [3, 2])], |x| Tensor::new([2, 0, 2]).embedding(&x[0], None)),
            Sample::new("matrix", [values(1, [3, 2])], |x| {
                Tensor::new([[2, 0], [2, 1]]).embedding(&x[0], None)
            }),
            Sample::new("0-d", [values(1, [3, 2])], |x| Tensor::new(1).embedding(&x[0], None)),
            Sample::new("padding", [values(1, [3, 2])], padded),
        ]
    })
};
