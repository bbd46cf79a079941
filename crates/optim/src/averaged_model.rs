//! [`AveragedModel`]: averages of weights.

use std::borrow::Borrow;
use std::collections::HashSet;

use chainrule_kernels::update;
use chainrule_tensor::{FloatElement, Parameter, Result, StateDict, Tensor, bail, dispatch_float};

use crate::algorithm::lerp;
use crate::state_dict::unique_names;

const NAME: &str = "AveragedModel";
/// The name of the count in a state dict.
const COUNT: &str = "n_averaged";

/// Averages of the weights that training goes through (PyTorch: `torch.optim.swa_utils.AveragedModel`). They often
/// do better than the last weights.
///
/// It averages parameters, not buffers: where the model has batch normalisation, `update_bn` of the crate for modules
/// finds the running statistics that go with the averages, by running the model on training data.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{AveragedModel, Averaging};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([0.0]))?;
/// let mut averaged = AveragedModel::new([w.clone()], Averaging::Swa)?;
/// for value in [1.0, 2.0, 6.0] {
///     w.set(&Tensor::new([value]))?; // a step of an optimizer
///     averaged.update_parameters()?;
/// }
/// averaged.swap()?; // to evaluate
/// assert_eq!(w.tensor().to_vec::<f32>()?, [3.0]);
/// averaged.swap()?; // to go on
/// assert_eq!(w.tensor().to_vec::<f32>()?, [6.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AveragedModel {
    parameters: Vec<Parameter>,
    averages: Vec<Parameter>,
    averaging: Averaging,
    n_averaged: u64,
}

/// How weights are averaged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Averaging {
    /// All count the same: stochastic weight averaging. Source: Izmailov et al., "Averaging Weights Leads to Wider
    /// Optima and Better Generalization" (2018).
    Swa,
    /// An exponential moving average: a = `decay`·a + (1 − `decay`)·x, which begins as x at the first update.
    Ema {
        /// How much of the average is kept at each update, from 0 to 1. PyTorch's default is 0.999.
        decay: f64,
    },
}

impl AveragedModel {
    /// Averages of these parameters; until the first update, the values that they have now.
    ///
    /// # Errors
    /// When there are no parameters, one occurs twice, `decay` does not lie in [0, 1], or there is no memory.
    #[track_caller]
    pub fn new(parameters: impl IntoIterator<Item = Parameter>, averaging: Averaging) -> Result<Self> {
        if let Averaging::Ema { decay } = averaging
            && !(0.0..=1.0).contains(&decay)
        {
            bail!(Value, NAME, "decay must lie in [0, 1], not be {decay}");
        }
        let parameters: Vec<Parameter> = parameters.into_iter().collect();
        if parameters.is_empty() {
            bail!(Value, NAME, "there are no parameters to average");
        }
        let mut seen = HashSet::new();
        if let Some(i) = parameters.iter().position(|parameter| !seen.insert(parameter.id())) {
            bail!(Value, NAME, "parameter {i} (shape {}) occurs twice", parameters[i].shape());
        }
        let averages = copies(&parameters)?;
        Ok(AveragedModel { parameters, averages, averaging, n_averaged: 0 })
    }

    /// Takes the present values of the parameters into the averages; to be called after the optimizer's step, or
    /// after each epoch. The first time they are the averages.
    ///
    /// # Errors
    /// When there is no memory; nothing changes then.
    #[track_caller]
    pub fn update_parameters(&mut self) -> Result<()> {
        // All that may fail comes first: contiguous values, and averages that nobody else holds.
        let mut values = Vec::with_capacity(self.parameters.len());
        for (parameter, average) in self.parameters.iter().zip(&self.averages) {
            values.push(parameter.tensor().detach().contiguous()?);
            dispatch_float!(average.dtype(), T => average.update(|_: &mut [T]| ())?);
        }
        for (value, average) in values.iter().zip(&self.averages) {
            dispatch_float!(average.dtype(), T => self.averaging.update::<T>(average, value, self.n_averaged)?);
        }
        self.n_averaged = self.n_averaged.saturating_add(1);
        Ok(())
    }

    /// How often the parameters were taken into the averages.
    pub fn n_averaged(&self) -> u64 {
        self.n_averaged
    }

    /// The averages, in the order of the parameters.
    pub fn averages(&self) -> impl ExactSizeIterator<Item = Tensor> {
        self.averages.iter().map(|average| average.tensor().detach())
    }

    /// Exchanges the averages with the values of the parameters: once to evaluate the model with the averages, and
    /// once more to train on. While they are exchanged, neither a step nor an update makes sense.
    ///
    /// # Errors
    /// None at present: no memory is needed.
    #[track_caller]
    pub fn swap(&mut self) -> Result<()> {
        for (parameter, average) in self.parameters.iter().zip(&self.averages) {
            let (value, averaged) = (parameter.tensor(), average.tensor());
            parameter.set(&averaged)?;
            average.set(&value)?;
        }
        Ok(())
    }

    /// Writes the averages into parameters, those of a second model for example, in their order.
    ///
    /// # Errors
    /// When there are more or fewer parameters, shapes or dtypes differ, or there is no memory; nothing changes then.
    #[track_caller]
    pub fn copy_to<P: Borrow<Parameter>>(&self, parameters: impl IntoIterator<Item = P>) -> Result<()> {
        let parameters: Vec<P> = parameters.into_iter().collect();
        if parameters.len() != self.averages.len() {
            bail!(Value, NAME, "{} averages for {} parameters", self.averages.len(), parameters.len());
        }
        for (i, (parameter, average)) in parameters.iter().zip(&self.averages).enumerate() {
            let parameter = parameter.borrow();
            if parameter.shape() != average.shape() || parameter.dtype() != average.dtype() {
                bail!(
                    Shape,
                    NAME,
                    "average {i} of shape {} ({}) does not fit a parameter of shape {} ({})",
                    average.shape(),
                    average.dtype(),
                    parameter.shape(),
                    parameter.dtype()
                );
            }
        }
        for (parameter, copy) in parameters.iter().zip(copies(&self.averages)?) {
            parameter.borrow().set(&copy.tensor())?;
        }
        Ok(())
    }

    /// The averages under PyTorch's names, `module.` and the name of the parameter, and the count as `n_averaged`.
    /// With [`with_prefix`](StateDict::with_prefix) and `module.` it is a state dict for a model without buffers.
    ///
    /// # Errors
    /// When two parameters have one name.
    #[track_caller]
    pub fn state_dict(&self) -> Result<StateDict> {
        let mut dict = StateDict::new();
        dict.insert(COUNT, Tensor::full_of([], i64::try_from(self.n_averaged).unwrap_or(i64::MAX))?)?;
        for (name, average) in unique_names("state_dict", self.parameters.iter())?.iter().zip(&self.averages)
        {
            dict.insert(key(name), copy(average)?.tensor().detach())?;
        }
        Ok(dict)
    }

    /// Takes over the averages and the count of a state dict.
    ///
    /// # Errors
    /// When one is missing or left over, or its shape or dtype differs; nothing changes then.
    #[track_caller]
    pub fn load_state_dict(&mut self, dict: &StateDict) -> Result<()> {
        let names = unique_names("load_state_dict", self.parameters.iter())?;
        let mut problems = Vec::new();
        for (name, average) in names.iter().zip(&self.averages) {
            match dict.get(&key(name)) {
                None => problems.push(format!("missing tensor {}", key(name))),
                Some(t) if *t.shape() != average.shape() || t.dtype() != average.dtype() => {
                    problems.push(format!(
                        "{} has shape {} ({}) instead of {} ({})",
                        key(name),
                        t.shape(),
                        t.dtype(),
                        average.shape(),
                        average.dtype()
                    ))
                }
                Some(_) => {}
            }
        }
        let known = |name: &str| name == COUNT || names.iter().any(|n| key(n) == name);
        let unexpected = dict.names().filter(|name| !known(name));
        problems.extend(unexpected.map(|name| format!("unexpected tensor {name}")));
        let count = dict.get(COUNT).and_then(|count| count.to_vec::<i64>().ok()).unwrap_or_default();
        let n_averaged = match count[..] {
            [count] if count >= 0 => count as u64,
            _ => {
                problems.push(format!("{COUNT} is not a count"));
                0
            }
        };
        if !problems.is_empty() {
            let problems = problems.join("\n  ");
            bail!(Data, "load_state_dict", "the state dict does not fit the averages:\n  {problems}");
        }
        let mut averages = Vec::with_capacity(names.len());
        for tensor in names.iter().filter_map(|name| dict.get(&key(name))) {
            averages.push(copy(&Parameter::new(tensor.detach())?)?);
        }
        self.averages = averages;
        self.n_averaged = n_averaged;
        Ok(())
    }
}

impl Averaging {
    #[track_caller]
    fn update<T: FloatElement>(self, average: &Parameter, value: &Tensor, n_averaged: u64) -> Result<()> {
        let x = value.as_slice::<T>()?;
        average.update(|a: &mut [T]| match self {
            _ if n_averaged == 0 => a.copy_from_slice(x),
            Averaging::Swa => {
                let count = T::of(n_averaged as f64 + 1.0);
                update::in_place([a], x, 0.3, move |[a], x| [a + (x - a) / count]);
            }
            Averaging::Ema { decay } => {
                let toward = lerp::<T>(1.0 - decay);
                update::in_place([a], x, 0.3, move |[a], x| [toward(a, x)]);
            }
        })
    }
}

fn key(parameter: &str) -> String {
    format!("module.{parameter}")
}

#[track_caller]
fn copies(parameters: &[Parameter]) -> Result<Vec<Parameter>> {
    let mut copies = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        copies.push(copy(parameter)?);
    }
    Ok(copies)
}

/// A frozen parameter with the same values in memory of its own.
#[track_caller]
fn copy(parameter: &Parameter) -> Result<Parameter> {
    let value = parameter.tensor().detach().contiguous()?;
    let value = dispatch_float!(value.dtype(), T => {
        let values = value.as_slice::<T>()?;
        Tensor::build(value.shape().clone(), |out: &mut [T]| out.copy_from_slice(values))?
    });
    let copy = Parameter::new(value)?;
    copy.requires_grad_(false);
    Ok(copy)
}
