//! [`update_bn`]: the running statistics that belong to weights.

use chainrule_tensor::autograd::no_grad;
use chainrule_tensor::{Result, Tensor, bail};

use crate::module::each_training;
use crate::{Buffer, Module};

/// What a layer keeps its running statistics in, and their values before the first batch.
const STATISTICS: [(&str, f64); 3] =
    [("running_mean", 0.0), ("running_var", 1.0), ("num_batches_tracked", 0.0)];

/// Finds the running statistics of all batch normalisation in a model anew, by running it on training data (PyTorch:
/// `torch.optim.swa_utils.update_bn`): for averages of weights, which no training step has seen, or for weights that
/// were changed otherwise.
///
/// They become the plain averages of the mean and the unbiased variance over the batches, whatever the layers' momentum,
/// and all batches count the same. `forward` runs the model on a batch; what it returns is not looked at. It runs in
/// training mode and without gradients; after it each layer has the mode that it had. A model without running statistics
/// is not run.
///
/// ```
/// # use chainrule_nn::{BatchNorm2d, Forward, update_bn};
/// # use chainrule_tensor::{Result, Tensor};
/// # fn main() -> Result<()> {
/// let model = BatchNorm2d::new(1)?;
/// let batches = [Tensor::new([[[[1.0, 3.0]]]]), Tensor::new([[[[5.0, 7.0]]]])];
/// update_bn(&model, &batches, |x| model.forward(x))?;
/// assert_eq!(model.running_mean.as_ref().unwrap().tensor().to_vec::<f32>()?, [(2.0 + 6.0) / 2.0]);
/// assert_eq!(model.running_var.as_ref().unwrap().tensor().to_vec::<f32>()?, [(2.0 + 2.0) / 2.0]);
/// # Ok(())
/// # }
/// ```
///
/// With averages of weights: `averaged.swap()?`, this function, and then the evaluation.
///
/// Statistics are recognised by PyTorch's names: a module that holds buffers called `running_mean`, `running_var` and
/// `num_batches_tracked`.
///
/// # Errors
/// Those of `forward`, and when there is no batch (PyTorch then leaves a mean of 0 and a variance of 1). The statistics
/// are then what they were.
#[track_caller]
pub fn update_bn<B, T>(
    model: &(impl Module + ?Sized),
    batches: impl IntoIterator<Item = B>,
    mut forward: impl FnMut(B) -> Result<T>,
) -> Result<()> {
    let statistics = statistics(model);
    if statistics.is_empty() {
        return Ok(());
    }
    let before: Vec<Tensor> = statistics.iter().map(|(buffer, _)| buffer.tensor()).collect();
    let mut count = 0;
    let result = no_grad(|| {
        let _mode = Averaging::begin(model);
        for (buffer, value) in &statistics {
            buffer.set(&Tensor::full(buffer.shape(), *value, buffer.dtype())?)?;
        }
        for batch in batches {
            forward(batch)?;
            count += 1;
        }
        Ok(())
    });
    if result.is_err() || count == 0 {
        for ((buffer, _), value) in statistics.iter().zip(&before) {
            buffer.set(value)?;
        }
    }
    if result.is_ok() && count == 0 {
        bail!(Value, "update_bn", "there is no batch to find running statistics of");
    }
    result
}

/// The buffers of all running statistics, each with its first value.
fn statistics(model: &(impl Module + ?Sized)) -> Vec<(Buffer, f64)> {
    let buffers = model.named_buffers();
    let at = |path: &str| buffers.iter().find(|(name, _)| name == path).map(|(_, buffer)| buffer.clone());
    let mut statistics = Vec::new();
    for (path, _) in &buffers {
        let Some(module) = path.strip_suffix(STATISTICS[0].0) else { continue };
        if !module.is_empty() && !module.ends_with('.') {
            continue;
        }
        let found = STATISTICS.map(|(name, value)| Some((at(&format!("{module}{name}"))?, value)));
        if let [Some(mean), Some(var), Some(count)] = found {
            statistics.extend([mean, var, count]);
        }
    }
    statistics
}

/// Training mode, in which running statistics are plain averages, until it is dropped.
struct Averaging<'m, M: Module + ?Sized> {
    model: &'m M,
    /// Which of the modules were in training mode before.
    before: Vec<bool>,
}

impl<'m, M: Module + ?Sized> Averaging<'m, M> {
    fn begin(model: &'m M) -> Self {
        let mut before = Vec::new();
        each_training(&|visitor| model.visit(visitor), |training| before.push(training.get()));
        each_training(&|visitor| model.visit(visitor), |training| {
            training.set(true);
            training.set_averaging(true);
        });
        Averaging { model, before }
    }
}

impl<M: Module + ?Sized> Drop for Averaging<'_, M> {
    fn drop(&mut self) {
        let mut before = self.before.iter();
        each_training(&|visitor| self.model.visit(visitor), |training| {
            training.set_averaging(false);
            training.set(before.next().copied().unwrap_or(true));
        });
    }
}
