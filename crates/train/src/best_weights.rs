//! [`BestWeights`]: the weights of the best epoch so far.

use chainrule_nn::Module;
use chainrule_tensor::{Result, StateDict, bail};

/// Keeps a model's state (parameters and buffers) of the epoch with the best value, such as the highest
/// validation accuracy or the lowest validation loss.
///
/// The first value is the best so far, later ones where they are better; equal ones are not, and NaN never is.
/// Nothing is copied when a state is kept: the next optimizer step writes elsewhere.
///
/// ```
/// # use chainrule_nn::{Linear, Module};
/// # use chainrule_tensor::{Result, Tensor};
/// use chainrule_train::BestWeights;
///
/// # fn main() -> Result<()> {
/// # let model = Linear::new(2, 1)?;
/// let mut best = BestWeights::highest();
/// for accuracy in [0.7, 0.9, 0.8] {
///     model.weight.set(&Tensor::new([[accuracy, accuracy]]))?; // an epoch of training
///     best.update(&model, accuracy)?;
/// }
/// best.restore(&model)?;
/// assert_eq!(best.value(), Some(0.9));
/// assert_eq!(model.weight.tensor().to_vec::<f32>()?, [0.9, 0.9]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BestWeights {
    highest: bool,
    best: Option<(f64, StateDict)>,
}

impl BestWeights {
    /// The best value is the highest, as for accuracies.
    pub fn highest() -> BestWeights {
        BestWeights { highest: true, best: None }
    }

    /// The best value is the lowest, as for losses.
    pub fn lowest() -> BestWeights {
        BestWeights { highest: false, best: None }
    }

    /// Keeps the model's state if the value is the best so far, and says whether it is.
    ///
    /// # Errors
    /// When the model has no state dict: two things in it have the same path.
    #[track_caller]
    pub fn update(&mut self, model: &(impl Module + ?Sized), value: f64) -> Result<bool> {
        let better = match &self.best {
            None => !value.is_nan(),
            Some((best, _)) if self.highest => value > *best,
            Some((best, _)) => value < *best,
        };
        if better {
            self.best = Some((value, model.state_dict()?));
        }
        Ok(better)
    }

    /// Gives the model the best state back.
    ///
    /// # Errors
    /// When no state was kept, or it does not fit the model; nothing changes then.
    #[track_caller]
    pub fn restore(&self, model: &(impl Module + ?Sized)) -> Result<()> {
        match &self.best {
            Some((_, state)) => model.load_state_dict(state),
            None => bail!(Value, "BestWeights::restore", "no weights were kept: there was no value but NaN"),
        }
    }

    /// The best value so far.
    pub fn value(&self) -> Option<f64> {
        self.best.as_ref().map(|(value, _)| *value)
    }

    /// The state of the best value so far.
    pub fn state_dict(&self) -> Option<&StateDict> {
        self.best.as_ref().map(|(_, state)| state)
    }
}

#[cfg(test)]
mod tests {
    use chainrule_nn::Linear;
    use chainrule_tensor::{ErrorKind, Tensor};

    use super::*;

    fn model(weight: f64) -> Result<Linear> {
        let model = Linear::builder(1, 1).bias(false).build()?;
        model.weight.set(&Tensor::new([[weight]]))?;
        Ok(model)
    }

    /// What is kept of a model that has the weight 0, 1, 2, … at each of the values.
    fn kept(mut best: BestWeights, values: &[f64]) -> Result<(Vec<bool>, f64)> {
        let model = model(0.0)?;
        let mut better = Vec::new();
        for (i, &value) in values.iter().enumerate() {
            // In place, as optimizers do: what is kept must not follow.
            model.weight.update(|w: &mut [f32]| w[0] = i as f32)?;
            better.push(best.update(&model, value)?);
        }
        best.restore(&model)?;
        Ok((better, model.weight.tensor().item()?))
    }

    #[test]
    fn keeps_the_highest_or_the_lowest() -> Result<()> {
        let values = [2.0, 3.0, 1.0, 3.0, f64::NAN];
        assert_eq!(kept(BestWeights::highest(), &values)?, (vec![true, true, false, false, false], 1.0));
        assert_eq!(kept(BestWeights::lowest(), &values)?, (vec![true, false, true, false, false], 2.0));
        Ok(())
    }

    #[test]
    fn nan_is_never_best() -> Result<()> {
        assert_eq!(kept(BestWeights::highest(), &[f64::NAN, -1.0])?, (vec![false, true], 1.0));
        Ok(())
    }

    #[test]
    fn training_on_does_not_change_what_is_kept() -> Result<()> {
        let model = model(1.0)?;
        let mut best = BestWeights::lowest();
        best.update(&model, 0.0)?;
        for _ in 0..2 {
            best.restore(&model)?;
            assert_eq!(model.weight.tensor().item()?, 1.0);
            model.weight.update(|w: &mut [f32]| w[0] = 7.0)?;
        }
        Ok(())
    }

    #[test]
    fn nothing_kept_is_an_error() -> Result<()> {
        let (model, mut best) = (model(1.0)?, BestWeights::highest());
        best.update(&model, f64::NAN)?;
        assert_eq!(best.restore(&model).unwrap_err().kind(), ErrorKind::Value);
        assert_eq!(best.value(), None);
        assert!(best.state_dict().is_none());
        Ok(())
    }
}
