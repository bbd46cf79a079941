//! Cross-entropy between logits and classes, or probabilities of classes.

mod indices;
mod probabilities;
mod row;
#[cfg(test)]
mod tests;

use crate::Reduction;
use crate::layout::Layout;
use chainrule_tensor::{DType, FloatElement, Result, Tensor, bail};

pub(super) use row::ROW;

/// The function's name, for messages.
const NAME: &str = "cross_entropy";

/// Cross-entropy of logits (PyTorch: `torch.nn.CrossEntropyLoss`); see [`cross_entropy`].
///
/// ```
/// # use chainrule_loss::{CrossEntropyLoss, Reduction};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let criterion = CrossEntropyLoss { label_smoothing: 0.1, ..Default::default() };
/// let logits = Tensor::new([[2.0, 0.0, -1.0], [0.0, 3.0, 0.0]]).requires_grad_(true)?;
/// let loss = criterion.forward(&logits, &Tensor::new([0, 1]))?;
/// loss.backward()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CrossEntropyLoss {
    /// A factor for each class, `[C]`, in the dtype of the logits; it gets no gradient. Default: none.
    pub weight: Option<Tensor>,
    /// A class index that stands for "no target": such a row has loss 0 and counts for nothing. Default: −100.
    pub ignore_index: i64,
    /// What becomes of the losses of rows. Default: their mean.
    pub reduction: Reduction,
    /// The part ε of a target, from 0 to 1, that is spread evenly over the classes. Default: 0.
    pub label_smoothing: f64,
}

impl Default for CrossEntropyLoss {
    fn default() -> Self {
        CrossEntropyLoss {
            weight: None,
            ignore_index: -100,
            reduction: Reduction::default(),
            label_smoothing: 0.0,
        }
    }
}

criterion!(CrossEntropyLoss, cross_entropy);

/// The cross-entropy between logits x and targets (PyTorch: `torch.nn.functional.cross_entropy`).
///
/// Logits are `[C]`, `[N, C]` or `[N, C, d1, …]`: scores of C classes, before softmax. A target is either
///
/// - the index of a class: `i64`, in the shape of the logits without C. The loss of a row with target y is
///   (1 − ε)·w\[y\]·ℓ\[y\] + (ε/C)·Σ w\[c\]·ℓ\[c\], where ℓ\[c\] = −ln softmax(x)\[c\], w the class weights and ε the
///   label smoothing; 0 where y is `ignore_index`. The mean divides by Σ w\[y\] over the rows that are not
///   ignored: where all are, it is NaN, with a gradient of 0.
/// - or a probability for each class: in the shape and dtype of the logits. The loss of a row with target p is
///   Σ w\[c\]·((1 − ε)·p\[c\] + ε/C)·ℓ\[c\], and the mean divides by the number of rows. Gradients flow to the
///   target too. `ignore_index` must be negative.
///
/// ```
/// # use chainrule_loss::{CrossEntropyLoss, cross_entropy};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let logits = Tensor::new([[0.8, 0.5, 0.2, 0.5]]);
/// let loss = cross_entropy(&logits, &Tensor::new([0]), &CrossEntropyLoss::new())?;
/// assert!((loss.item()? - 1.1087).abs() < 1e-4);
/// let one_hot = Tensor::new([[1.0, 0.0, 0.0, 0.0]]);
/// assert_eq!(cross_entropy(&logits, &one_hot, &CrossEntropyLoss::new())?.item()?, loss.item()?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For logits that are 0-d or not floating-point, for a target of another shape or dtype than the two forms
/// have, for a class index out of range, and for options out of range.
#[track_caller]
pub fn cross_entropy(input: &Tensor, target: &Tensor, options: &CrossEntropyLoss) -> Result<Tensor> {
    let layout = Layout::new(NAME, input)?;
    let terms = Terms::new(options, input, layout)?;
    let logits = input.contiguous()?;
    if target.dtype() == DType::I64 {
        return indices::cross_entropy(&logits, target, options.ignore_index, terms);
    }
    if options.ignore_index >= 0 {
        bail!(
            Value,
            NAME,
            "ignore_index {} has no meaning for a target of {}, which holds probabilities: leave it at -100",
            options.ignore_index,
            target.dtype()
        );
    }
    probabilities::cross_entropy(&logits, target, terms)
}

/// What the two forms of targets have in common: the shapes, and the checked options.
struct Terms {
    layout: Layout,
    weight: Option<Tensor>,
    label_smoothing: f64,
    reduction: Reduction,
}

impl Terms {
    #[track_caller]
    fn new(options: &CrossEntropyLoss, input: &Tensor, layout: Layout) -> Result<Terms> {
        let CrossEntropyLoss { weight, reduction, label_smoothing, .. } = options;
        if !(0.0..=1.0).contains(label_smoothing) {
            bail!(Value, NAME, "label_smoothing {label_smoothing} does not lie between 0 and 1");
        }
        let weight = layout.weight(input, weight.as_ref())?;
        Ok(Terms { layout, weight, label_smoothing: *label_smoothing, reduction: *reduction })
    }

    fn weight<T: FloatElement>(&self) -> Result<Option<&[T]>> {
        self.weight.as_ref().map(|weight| weight.as_slice::<T>()).transpose()
    }

    /// Whether the sum of the losses may be too large for `f32` only because a single one is.
    fn overflows(&self, value: &Tensor) -> Result<bool> {
        Ok(value.dtype() == DType::F32 && self.reduction != Reduction::None && !value.item()?.is_finite())
    }

    /// The same with weights in `f64`.
    fn wide(&self) -> Result<Terms> {
        let weight = self.weight.as_ref().map(|weight| weight.to_dtype(DType::F64)).transpose()?;
        let &Terms { ref layout, label_smoothing, reduction, .. } = self;
        Ok(Terms { layout: layout.clone(), weight, label_smoothing, reduction })
    }

    /// The losses of rows, reduced; `total` is what their mean divides by.
    fn reduce<T: FloatElement>(&self, losses: Tensor, total: f64) -> Result<Tensor> {
        self.layout.reduce::<T>(losses, self.reduction, total)
    }

    /// The gradient of each row's loss, `[N, S]`, from that of the result; `scale` is the reduction's factor.
    fn row_gradients<T: FloatElement>(&self, grad: &Tensor, scale: f64) -> Result<Tensor> {
        match self.reduction {
            Reduction::None => grad.contiguous(),
            _ => Tensor::full_of(self.layout.rows(), T::from_f64(grad.item()? * scale)),
        }
    }

    /// The same written with tensor operations, in a shape that broadcasts to that of the logits.
    fn row_gradients_formula(&self, grad: &Tensor, scale: f64) -> Result<Tensor> {
        match self.reduction {
            Reduction::None => grad.reshape(self.layout.rows_kept()),
            _ => grad.mul(scale),
        }
    }

    /// The gradient of the logits x, where the loss of a row is −Σ q\[c\]·ln softmax(x)\[c\] and `u` is its
    /// gradient: u·(softmax(x)·Σq − q), written with tensor operations.
    fn gradient_formula(&self, u: &Tensor, logits: &Tensor, q: &Tensor) -> Result<Tensor> {
        let dim = self.layout.dim();
        u.mul(&logits.softmax(dim)?.mul(&q.sum_dim(dim, true)?)?.sub(q)?)
    }
}
