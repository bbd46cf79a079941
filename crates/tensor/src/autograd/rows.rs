//! Gradients of few rows: [`RowGradient`], and how rows are added up.

use chainrule_kernels::{Buffer, index};

use super::parts::{Part, Place, are_few};
use crate::{Parameter, Result, Shape, Tensor, bail, dispatch_float};

/// A gradient of which only some rows are not zero, a row being what one index of the first dimension selects: that of
/// an embedding of which a batch looks up a few words (PyTorch: the gradient of `Embedding(…, sparse=True)`, coalesced).
///
/// [`Parameter::row_gradient`] gives it, where gradients came that way.
#[derive(Clone, Debug)]
pub struct RowGradient {
    rows: Tensor,
    values: Tensor,
}

impl RowGradient {
    /// The gradient whose rows, `values` of shape `[count, …]`, have the numbers `rows`, `i64` of shape `[count]`. What
    /// a number occurs several times for is added up, in its order.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result, autograd::RowGradient};
    /// # fn main() -> Result<()> {
    /// let rows = Tensor::new([5, 2, 5]);
    /// let gradient = RowGradient::new(&rows, &Tensor::new([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]]))?;
    /// assert_eq!(gradient.rows().to_vec::<i64>()?, [2, 5]);
    /// assert_eq!(gradient.values().to_vec::<f32>()?, [3.0, 4.0, 11.0, 22.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there are not as many rows as numbers, a number is negative, or a dtype is another.
    #[track_caller]
    pub fn new(rows: &Tensor, values: &Tensor) -> Result<RowGradient> {
        const NAME: &str = "RowGradient";
        if !values.dtype().is_float() {
            bail!(DType, NAME, "a gradient is floating-point, not {}", values.dtype());
        }
        if rows.rank() != 1 || values.rank() == 0 || values.shape()[0] != rows.numel() {
            bail!(
                Shape,
                NAME,
                "values of shape {} are no rows with numbers of shape {}",
                values.shape(),
                rows.shape()
            );
        }
        let rows = rows.checked_indices(NAME, 0, usize::MAX)?;
        let values = values.detach().contiguous()?;
        let width = values.shape()[1..].iter().product();
        let Part { place: Place::Rows { rows, .. }, values: sums } = summed(&rows, width, &values)? else {
            unreachable!("rows are added up to rows");
        };
        let shape = values.shape().with_size(0, rows.numel());
        Ok(RowGradient { rows, values: sums.reshape(shape)? })
    }

    pub(crate) fn from_sums((rows, values): (Tensor, Tensor)) -> RowGradient {
        RowGradient { rows, values }
    }

    /// The numbers of the rows, `[count]` of `i64`: each once, rising.
    pub fn rows(&self) -> &Tensor {
        &self.rows
    }

    /// The rows, `[count, …]`.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// The same rows with other values.
    ///
    /// # Errors
    /// When shape or dtype is another.
    #[track_caller]
    pub fn with_values(&self, values: &Tensor) -> Result<RowGradient> {
        if values.shape() != self.values.shape() || values.dtype() != self.values.dtype() {
            bail!(
                Shape,
                "with_values",
                "values of shape {} ({}) do not fit rows of shape {} ({})",
                values.shape(),
                values.dtype(),
                self.values.shape(),
                self.values.dtype()
            );
        }
        Ok(RowGradient { rows: self.rows.clone(), values: values.detach().contiguous()? })
    }
}

/// One part of rows of `width`, of which equal ones are added up in their order. The values are contiguous.
pub(super) fn summed(rows: &Tensor, width: usize, values: &Tensor) -> Result<Part> {
    let numbers = rows.as_slice::<i64>()?;
    if numbers.is_sorted_by(|a, b| a < b) {
        // Nothing to add up but the zero that every sum begins with, as where the whole gradient is written.
        let values = values.add(0.0)?;
        return Ok(Part { place: Place::Rows { rows: rows.clone(), width }, values });
    }
    let mut places = memory::<i64>(numbers.len())?;
    let count = index::order(numbers, &mut places);
    sums(numbers, &places, count, width, values)
}

fn memory<T: crate::Element>(len: usize) -> Result<Buffer<T>> {
    Shape::from([len]).allocate("backward")
}

fn sums(numbers: &[i64], places: &[i64], count: usize, width: usize, values: &Tensor) -> Result<Part> {
    let mut rows = memory::<i64>(count)?;
    let values = dispatch_float!(values.dtype(), T => {
        let shape = Shape::from([count, width]);
        let mut out = shape.allocate::<T>("backward")?;
        index::sum_rows(numbers, places, width, values.as_slice::<T>()?, &mut rows, &mut out);
        Tensor::from_parts(out, shape)
    });
    let rows = Tensor::from_parts(rows, [count].into());
    Ok(Part { place: Place::Rows { rows, width }, values })
}

/// The sum of parts, in their order, as one part with memory of its own: where each consists of rows of `width`, and the
/// different ones among them are few of a gradient of `numel` elements.
pub(super) fn merged<'a>(
    parts: impl Iterator<Item = &'a Part> + Clone,
    width: usize,
    numel: usize,
) -> Result<Option<Part>> {
    let mut count = 0;
    for part in parts.clone() {
        count += match (&part.place, part.neighbours(width)) {
            (Place::Rows { rows, width: own }, _) if *own == width => rows.numel(),
            (_, Some((_, count))) => count,
            _ => return Ok(None),
        };
    }
    if let (Some(Part { place: Place::Rows { rows, .. }, values }), None) =
        (parts.clone().next(), parts.clone().nth(1))
    {
        // Rows that were added up own their memory.
        let few = are_few(values.numel(), numel);
        let place = Place::Rows { rows: rows.clone(), width };
        return Ok(few.then(|| Part { place, values: values.clone() }));
    }
    let mut numbers = memory::<i64>(count)?;
    let mut rest = &mut numbers[..];
    for part in parts.clone() {
        let (here, behind) = match (&part.place, part.neighbours(width)) {
            (Place::Rows { rows, .. }, _) => {
                let (here, behind) = std::mem::take(&mut rest).split_at_mut(rows.numel());
                here.copy_from_slice(rows.as_slice::<i64>()?);
                (here, behind)
            }
            (Place::View { .. }, found) => {
                let (first, count) = found.unwrap_or_default();
                let (here, behind) = std::mem::take(&mut rest).split_at_mut(count);
                here.iter_mut().zip(first as i64..).for_each(|(number, row)| *number = row);
                (here, behind)
            }
        };
        debug_assert_eq!(here.len() * width, part.values.numel());
        rest = behind;
    }
    let mut places = memory::<i64>(count)?;
    let different = index::order(&numbers, &mut places);
    // Half of what may be left alone, so that there is room for more before they are looked at again.
    let most = if parts.clone().nth(1).is_some() { 2 } else { 1 };
    if !are_few(most * different * width, numel) {
        return Ok(None);
    }
    let values: Vec<Tensor> =
        parts.map(|part| part.values.reshape([part.values.numel()])).collect::<Result<_>>()?;
    let values = Tensor::cat(&values, 0)?;
    sums(&numbers, &places, different, width, &values).map(Some)
}

impl Parameter {
    /// The collected gradient as its rows, where it is that of few rows: of an embedding, or of another tensor from
    /// which only [`index_select`](Tensor::index_select) and slices along the first dimension took a small part.
    /// `None` where the gradient is a whole tensor, and where there is none.
    ///
    /// [`grad`](Parameter::grad) gives the whole tensor at any time, and from then on the gradient is kept as one.
    ///
    /// ```
    /// # use chainrule_tensor::{Parameter, Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let table = Parameter::new(Tensor::ones([1000, 2])?)?;
    /// Tensor::new([7, 3, 7]).embedding(&table.tensor(), None)?.sum()?.backward()?;
    /// let gradient = table.row_gradient()?.expect("few rows");
    /// assert_eq!(gradient.rows().to_vec::<i64>()?, [3, 7]);
    /// assert_eq!(gradient.values().to_vec::<f32>()?, [1.0, 1.0, 2.0, 2.0]);
    /// assert_eq!(table.grad().unwrap().shape(), &[1000, 2]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no memory to add up what several backward passes left.
    #[track_caller]
    pub fn row_gradient(&self) -> Result<Option<RowGradient>> {
        self.leaf().row_gradient()
    }

    /// Replaces the collected gradient by one of few rows.
    ///
    /// # Errors
    /// When the parameter has no such rows, or another dtype; nothing changes then.
    #[track_caller]
    pub fn set_row_gradient(&self, gradient: &RowGradient) -> Result<()> {
        let (shape, values) = (self.shape(), gradient.values());
        let last = gradient.rows.as_slice::<i64>()?.last().copied().unwrap_or(-1);
        let fits = !shape.is_empty()
            && values.shape().get(1..) == shape.get(1..)
            && last < shape[0] as i64
            && values.dtype() == self.dtype();
        if !fits {
            bail!(
                Shape,
                "set_row_gradient",
                "rows of shape {} ({}), the last of number {last}, do not fit a parameter of shape {shape} ({})",
                values.shape(),
                values.dtype(),
                self.dtype()
            );
        }
        self.leaf().set_rows(&shape, gradient)
    }
}
