//! Binary cross-entropy of several classes at a time.

use super::binary_cross_entropy_with_logits::{BCEWithLogitsLoss, binary_cross_entropy_with_logits};
use crate::{Reduction, check, samples};
use chainrule_tensor::table::{Refusal, Row, Sample, cast, uniform, values};
use chainrule_tensor::{Result, Tensor, bail};

/// Binary cross-entropy of several classes at a time (PyTorch: `torch.nn.MultiLabelSoftMarginLoss`); see
/// [`multilabel_soft_margin_loss`].
#[derive(Clone, Debug, Default)]
pub struct MultiLabelSoftMarginLoss {
    /// A factor for each class, broadcast to the shape of the input. Default: none.
    pub weight: Option<Tensor>,
    /// What becomes of the losses of rows. Default: their mean.
    pub reduction: Reduction,
}

criterion!(MultiLabelSoftMarginLoss, multilabel_soft_margin_loss);

const NAME: &str = "multilabel_soft_margin_loss";

/// The loss −Σ w\[i\]·(y\[i\]·ln σ(x\[i\]) + (1 − y\[i\])·ln(1 − σ(x\[i\]))) / C of each row of C logits x and labels y, 1
/// or 0 for each class, reduced: the mean over the rows unless the options say otherwise (PyTorch:
/// `torch.nn.functional.multilabel_soft_margin_loss`). It is the mean over the classes, the last dimension, of
/// [`binary_cross_entropy_with_logits`]. w are the class weights, 1 where not given. Gradients flow to the input, the
/// target and the weight. The target may be `i64`.
///
/// ```
/// # use chainrule_loss::{MultiLabelSoftMarginLoss, multilabel_soft_margin_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let (x, y) = (Tensor::new([[0.0, -1000.0]]), Tensor::new([[1, 0]]));
/// let loss = multilabel_soft_margin_loss(&x, &y, &MultiLabelSoftMarginLoss::new())?;
/// assert!((loss.item()? - 2f64.ln() / 2.0).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For different shapes or 0-d tensors, for an input that is not floating-point, for a target of `bool` or of
/// another floating-point dtype, and for a weight of another dtype or one that does not broadcast to the input's shape.
#[track_caller]
pub fn multilabel_soft_margin_loss(
    input: &Tensor,
    target: &Tensor,
    options: &MultiLabelSoftMarginLoss,
) -> Result<Tensor> {
    let MultiLabelSoftMarginLoss { weight, reduction } = options;
    let target = check::labels(NAME, input, target)?;
    check::same_shape(NAME, ("input", input), ("target", &target))?;
    if input.rank() == 0 {
        bail!(Shape, NAME, "the input is 0-d: it must have a dimension of classes");
    }
    if let Some(weight) = weight {
        check::expanded(NAME, input, "weight", weight)?;
    }
    // The mean over the classes, then over the rows, is the mean over all.
    let all_at_once = matches!(reduction, Reduction::Mean | Reduction::MeanOrZero);
    let of_elements = if all_at_once { *reduction } else { Reduction::None };
    let options = BCEWithLogitsLoss { weight: weight.clone(), reduction: of_elements, pos_weight: None };
    let losses = binary_cross_entropy_with_logits(input, &target, &options)?;
    if all_at_once { Ok(losses) } else { reduction.reduce(&losses.mean_dim(-1, false)?) }
}

fn call(x: &[Tensor], weight: Option<Tensor>, reduction: Reduction) -> Result<Tensor> {
    let weight = weight.map(|weight| cast(&weight, x[0].dtype()));
    multilabel_soft_margin_loss(&x[0], &x[1], &MultiLabelSoftMarginLoss { weight, reduction })
}

pub(super) const ROW: Row = Row {
    errors: || {
        let x = || values(1, [2, 3]);
        vec![
            Refusal::new(&["[2, 3]", "[3]"], move || call(&[x(), values(2, [3])], None, Reduction::Mean)),
            Refusal::new(&["weight", "[2]", "[2, 3]"], move || {
                call(&[x(), x()], Some(values(2, [2])), Reduction::Mean)
            }),
            Refusal::new(&["bool"], || call(&[values(1, [2]), Tensor::new([true, false])], None, Reduction::Mean)),
            Refusal::new(&["0-d"], || call(&[values(1, []), values(2, [])], None, Reduction::Mean)),
            Refusal::new(&["int64"], || {
                call(&[Tensor::new([1]), Tensor::new([1])], None, Reduction::Mean)
            }),
        ]
    },
    bench: &[(&[&[4096, 100], &[4096, 100]], |x| Ok(vec![call(x, None, Reduction::Mean)?]))],
    ..Row::new(NAME, "torch.nn.functional.multilabel_soft_margin_loss", || {
        let inputs = [values(1, [2, 3]), uniform(2, [2, 3], 0.0, 1.0)];
        let weight = || Some(uniform(3, [3], 0.5, 2.0));
        let mut samples = samples::reductions(&inputs, |x, reduction| call(x, None, reduction));
        samples.extend([
            Sample::new("weight", inputs.clone(), move |x| call(x, weight(), Reduction::Mean)),
            Sample::new("weight, none", inputs, move |x| call(x, weight(), Reduction::None)),
            Sample::new("one row of integer labels", [values(4, [3])], |x| {
                call(&[x[0].clone(), Tensor::new([1, 0, 1])], None, Reduction::Mean)
            }),
        ]);
        samples
    })
};
