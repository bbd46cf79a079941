//! Where the classes are in a tensor of scores, and what losses of classes check of their arguments.

use chainrule_kernels::Float;
use chainrule_kernels::arrays::{self, Function};
use chainrule_tensor::{DType, FloatElement, Result, Shape, Tensor, bail};

use crate::{Reduction, check};

/// The shape of scores of classes: `[C]`, `[N, C]` or `[N, C, d1, …]`, seen as `[N, C, S]`.
#[derive(Clone)]
pub(crate) struct Layout {
    loss: &'static str,
    logits: Shape,
    dim: usize,
}

impl Layout {
    #[track_caller]
    pub(crate) fn new(loss: &'static str, logits: &Tensor) -> Result<Layout> {
        check::float_input(loss, logits)?;
        if logits.rank() == 0 {
            bail!(Shape, loss, "the input is 0-d: its shape must be [C], [N, C] or [N, C, d1, …]");
        }
        Ok(Layout { loss, logits: logits.shape().clone(), dim: usize::from(logits.rank() > 1) })
    }

    /// The shape of the logits.
    pub(crate) fn logits(&self) -> &Shape {
        &self.logits
    }

    /// The dimension of the classes.
    pub(crate) fn dim(&self) -> isize {
        self.dim as isize
    }

    /// The number of classes.
    pub(crate) fn classes(&self) -> usize {
        self.logits[self.dim]
    }

    /// `[N, C, S]`
    pub(crate) fn dims(&self) -> [usize; 3] {
        self.logits.around(self.dim)?
    }

    /// The shape of what there is one of for each row.
    pub(crate) fn rows(&self) -> Shape {
        self.logits.without(self.dim)?
    }

    /// The shape of what there are two of for each row.
    pub(crate) fn row_pairs(&self) -> Shape {
        self.rows().iter().copied().chain([2]).collect()
    }

    /// The same as [`rows`](Layout::rows) with size 1 in the place of the classes.
    pub(crate) fn rows_kept(&self) -> Shape {
        self.logits.with_size(self.dim, 1)?
    }

    /// The shape in which something that there is one of for each class broadcasts to the logits.
    pub(crate) fn per_class(&self) -> Shape {
        let sizes = self.logits.iter().enumerate();
        sizes.map(|(dim, &size)| if dim == self.dim { size } else { 1 }).collect()
    }

    /// The size of the batch; 1 without one.
    pub(crate) fn batch(&self) -> usize {
        self.dims()[0]
    }

    /// A target of class indices, contiguous: in the shape of the rows, each below C or `ignore_index`.
    #[track_caller]
    pub(crate) fn indices(&self, target: &Tensor, ignore_index: Option<i64>) -> Result<Tensor> {
        let (loss, rows, classes) = (self.loss, self.rows(), self.classes());
        if target.dtype() != DType::I64 {
            bail!(DType, loss, "the target holds {}: class indices are int64", target.dtype());
        }
        if *target.shape() != rows {
            let (input, target) = (&self.logits, target.shape());
            bail!(Shape, loss, "an input of shape {input} needs class indices of shape {rows}, not {target}");
        }
        let target = target.contiguous()?;
        let indices = target.as_slice::<i64>()?;
        let is_wrong = |&y: &i64| Some(y) != ignore_index && !(0..classes as i64).contains(&y);
        if let Some(i) = indices.iter().position(is_wrong) {
            let position = check::position(i, &rows);
            bail!(
                Index,
                loss,
                "target {} at position {position} is out of range for {classes} classes",
                indices[i]
            );
        }
        Ok(target)
    }

    /// Factors for the classes, `[C]`, contiguous and in the dtype of the input; they get no gradient.
    #[track_caller]
    pub(crate) fn weight(&self, input: &Tensor, weight: Option<&Tensor>) -> Result<Option<Tensor>> {
        let (loss, classes) = (self.loss, self.classes());
        let Some(weight) = weight else { return Ok(None) };
        check::same_dtype(loss, input, "weight", weight)?;
        if *weight.shape() != [classes] {
            let shape = weight.shape();
            bail!(Shape, loss, "{classes} classes need a weight of shape [{classes}], not {shape}");
        }
        if weight.requires_grad() {
            bail!(Graph, loss, "the weight requires a gradient, which it does not get: detach() it first");
        }
        weight.contiguous().map(Some)
    }

    /// The losses of rows, reduced; `total` is what their mean divides by.
    pub(crate) fn reduce<T: FloatElement>(
        &self,
        losses: Tensor,
        reduction: Reduction,
        total: f64,
    ) -> Result<Tensor> {
        if reduction == Reduction::None {
            return Ok(losses);
        }
        let sum = arrays::sum([losses.as_slice::<T>()?], 0.2, Same);
        Tensor::full_of([], T::from_f64(reduction.apply(sum, total, self.batch())))
    }
}

/// An element as it is.
#[derive(Clone, Copy)]
struct Same;

impl<T: Float> Function<T, 1> for Same {
    #[inline(always)]
    fn at(self, [x]: [T; 1]) -> T {
        x
    }
}
