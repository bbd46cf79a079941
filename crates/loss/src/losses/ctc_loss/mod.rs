//! Connectionist temporal classification: the likelihood of a sequence of labels whose places are not known.

mod batch;
mod formula;
mod lattice;
mod row;

use crate::{Reduction, check};
use batch::Batch;
use chainrule_tensor::autograd::{Backward, Context, Save, record};
use chainrule_tensor::{FloatElement, Result, Tensor, dispatch_float};

pub(super) use row::ROW;

/// Connectionist temporal classification (PyTorch: `torch.nn.CTCLoss`); see [`ctc_loss`].
#[derive(Clone, Debug, Default)]
pub struct CTCLoss {
    /// The class that stands for "no label". Default: 0.
    pub blank: usize,
    /// What becomes of the losses of sequences. The mean divides each by the length of its target (1 where that is
    /// 0) first, and then by their number. Default: the mean.
    pub reduction: Reduction,
    /// Whether an infinite loss, of a target that does not fit into its frames, counts as 0, with a gradient of 0.
    /// Default: false.
    pub zero_infinity: bool,
}

criterion!(CTCLoss, ctc_loss, (log_probs, targets, input_lengths, target_lengths));

const NAME: &str = "ctc_loss";

/// The negative logarithm of the probability of each sequence of labels, given the **logarithms** of the
/// probabilities of C classes in each frame, reduced: the mean unless the options say otherwise (PyTorch:
/// `torch.nn.functional.ctc_loss`). The probability is summed over all ways of putting the labels, in their order,
/// into the frames, where labels may repeat, and blanks may stand before and after them; between two equal labels
/// one must.
///
/// - `log_probs` is `[T, N, C]`, for T frames and N sequences, or `[T, C]`: a result of `log_softmax`.
/// - `targets` holds the labels as `i64`: `[N, S]`, with anything after the end of a sequence, or all sequences one
///   after the other in one dimension.
/// - `input_lengths` and `target_lengths` are `i64`, `[N]`, or 0-d for `[T, C]`: how many frames and labels of each
///   sequence count.
///
/// Gradients flow to `log_probs`: −P(class at this frame | labels). That of the logits before a `log_softmax` is then
/// eˣ − P(class at this frame | labels), which PyTorch gives to `log_probs` already: right after a `log_softmax`, and for
/// logarithms that are a leaf or go elsewhere too, wrong. Where a loss is infinite the gradient is NaN, unless
/// `zero_infinity` is set.
///
/// Source: Graves, Fernández, Gomez and Schmidhuber, *Connectionist Temporal Classification* (2006).
///
/// ```
/// # use chainrule_loss::{CTCLoss, ctc_loss};
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// // Two frames, a blank and one label, all equally probable: the label alone, before or after a blank.
/// let log_probs = Tensor::zeros([2, 1, 2])?.log_softmax(-1)?;
/// let (targets, lengths) = (Tensor::new([[1]]), (Tensor::new([2]), Tensor::new([1])));
/// let loss = ctc_loss(&log_probs, &targets, &lengths.0, &lengths.1, &CTCLoss::new())?;
/// assert!((loss.item()? + 0.75f64.ln()).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For arguments of other shapes or dtypes, for a label or a blank that is no class, and for lengths that are negative
/// or longer than what is there.
#[track_caller]
pub fn ctc_loss(
    log_probs: &Tensor,
    targets: &Tensor,
    input_lengths: &Tensor,
    target_lengths: &Tensor,
    options: &CTCLoss,
) -> Result<Tensor> {
    let &CTCLoss { blank, reduction, zero_infinity } = options;
    check::float_input(NAME, log_probs)?;
    let batch = Batch::new(log_probs, targets, input_lengths, target_lengths, blank)?;
    let x = log_probs.contiguous()?;
    let (losses, alpha) = dispatch_float!(x.dtype(), T => forward::<T>(&x, &batch)?);
    let lengths: Vec<f64> = batch.sequences.iter().map(|s| s.labels.len().max(1) as f64).collect();
    let lengths = Tensor::from_vec(lengths, losses.shape())?.to_dtype(x.dtype())?;
    let value = if zero_infinity {
        losses.masked_fill(&losses.eq(f64::INFINITY)?, 0.0)?
    } else {
        losses.clone()
    };
    let saved = [Save::Input(0), Save::Value(&losses), Save::Value(&alpha)];
    let losses = record(CTCBackward { batch, zero_infinity }, &[&x], &saved, value)?;
    match reduction {
        Reduction::Mean | Reduction::MeanOrZero => reduction.reduce(&losses.div(&lengths)?),
        _ => reduction.reduce(&losses),
    }
}

/// The loss of each sequence, and the logarithms of the probabilities of reaching each state of its lattice.
fn forward<T: FloatElement>(x: &Tensor, batch: &Batch) -> Result<(Tensor, Tensor)> {
    let mut losses = batch.losses.allocate::<T>(NAME)?;
    let mut alpha = batch.lattice().allocate::<f64>(NAME)?;
    lattice::forward(x.as_slice()?, batch, &mut losses, &mut alpha);
    Ok((Tensor::from_buffer(losses, &batch.losses)?, Tensor::from_buffer(alpha, batch.lattice())?))
}

struct CTCBackward {
    batch: Batch,
    zero_infinity: bool,
}

impl CTCBackward {
    fn fused<T: FloatElement>(&self, ctx: &Context<'_>) -> Result<Tensor> {
        let (x, losses, alpha) = (ctx.saved(0)?, ctx.saved(1)?, ctx.saved(2)?);
        let (losses, alpha) = (losses.as_slice::<T>()?, alpha.as_slice::<f64>()?);
        let g = ctx.grad()?.contiguous()?;
        let mut occupation = self.batch.lattice().allocate::<f64>(NAME)?;
        lattice::occupation(x.as_slice::<T>()?, &self.batch, alpha, &mut occupation);
        let g = g.as_slice::<T>()?;
        Tensor::build(x.shape(), |grad: &mut [T]| {
            lattice::gradient(&self.batch, (losses, self.zero_infinity), &occupation, g, grad);
        })
    }
}

impl Backward for CTCBackward {
    fn name(&self) -> &'static str {
        NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        formula::gradient(ctx.saved(0)?, &self.batch, (ctx.saved(1)?, self.zero_infinity), ctx.grad()?)
            .map(|grad| vec![Some(grad)])
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let grad = dispatch_float!(ctx.saved(0)?.dtype(), T => self.fused::<T>(ctx)?);
        Ok(vec![Some(grad)])
    }
}
