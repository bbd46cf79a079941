//! Optimizers and schedulers: any options, any gradients, damaged states.

use chainrule::optim::algorithm::Algorithm;
use chainrule::optim::*;
use chainrule::{Parameter, Result, StateDict, Tensor};

use crate::case::{Call, call};
use crate::draw::Draw;

fn parameters(d: &mut Draw) -> Result<Vec<Parameter>> {
    let dtype = d.float_dtype();
    let made = (0..d.small().min(4)).map(|i| {
        let shape = d.shape();
        let parameter = Parameter::new(d.tensor_like(&shape, dtype).detach())?;
        parameter.set_name(&format!("p{i}"));
        Ok(parameter)
    });
    made.collect()
}

fn set_gradients(d: &mut Draw, parameters: &[Parameter]) -> Result<()> {
    for parameter in parameters {
        let gradient = d.tensor_like(&parameter.shape(), parameter.dtype()).detach();
        let gradient = d.pick(&[true, true, true, false]).then_some(gradient);
        parameter.set_grad(gradient)?;
    }
    Ok(())
}

/// A state dict with a part that is damaged.
fn damaged(d: &mut Draw, state: &StateDict) -> Result<StateDict> {
    let mut other = state.clone();
    let names: Vec<String> = state.names().map(str::to_string).collect();
    if names.is_empty() {
        return Ok(other);
    }
    let name = d.pick(&names);
    let old = other.remove(&name);
    match d.pick(&["as it was", "removed", "other values", "another shape", "metadata"]) {
        "removed" => {}
        "other values" => {
            if let Some(old) = old {
                other.insert(&name, d.tensor_like(old.shape(), old.dtype()).detach())?;
            }
        }
        "another shape" => other.insert(&name, d.tensor().detach())?,
        "metadata" => {
            let text = d.pick(&["", "{}", "null", "[1e999]", "18446744073709551615", "-1", "NaN"]);
            other.metadata_mut().values_mut().for_each(|value| *value = text.to_string());
        }
        _ => other.insert(&name, old.unwrap_or(Tensor::zeros([0])?))?,
    }
    Ok(other)
}

fn trained<A: Algorithm>(d: &mut Draw, options: A, changed: A) -> Result<()> {
    let parameters = parameters(d)?;
    let mut optimizer = Optimizer::new(parameters.clone(), options)?;
    let steps = d.small();
    for _ in 0..steps {
        set_gradients(d, &parameters)?;
        _ = clip_grad_norm_(&parameters, d.number());
        optimizer.step()?;
    }
    let state = optimizer.state_dict()?;
    _ = optimizer.load_state_dict(&damaged(d, &state)?).map_err(|e| e.to_string());
    if let Some(group) = optimizer.param_groups_mut().first_mut() {
        group.options = changed;
    }
    set_gradients(d, &parameters)?;
    _ = optimizer.step().map_err(|e| e.to_string());
    optimizer.load_state_dict(&state)?;
    optimizer.add_param_group(ParamGroup::new(self::parameters(d)?, optimizer.defaults().clone()))?;
    optimizer.zero_grad();
    Ok(())
}

macro_rules! optimizers {
    ($($options:ident { $($field:ident: $draw:expr),* $(,)? }),+ $(,)?) => {
        vec![$(call(stringify!($options), |d| {
            let mut make = || $options { $($field: $draw(d)),*, ..Default::default() };
            let (options, changed) = (make(), make());
            trained(d, options, changed)
        })),+]
    };
}

fn two(d: &mut Draw) -> (f64, f64) {
    (d.pick(&[0.9, 0.0, 0.5, 1.0, -1.0, f64::NAN]), d.pick(&[0.99, 0.0, 0.5, 1.0, -1.0, f64::NAN]))
}

fn algorithms() -> Vec<Call> {
    optimizers![
        SgdOptions {
            lr: Draw::number,
            momentum: Draw::number,
            dampening: Draw::number,
            nesterov: Draw::flag
        },
        AdamOptions { lr: Draw::number, betas: two, eps: Draw::number, amsgrad: Draw::flag },
        AdamWOptions { lr: Draw::number, betas: two, weight_decay: Draw::number, amsgrad: Draw::flag },
        AdamaxOptions { lr: Draw::number, betas: two, eps: Draw::number },
        NAdamOptions { lr: Draw::number, betas: two, momentum_decay: Draw::number },
        RAdamOptions { lr: Draw::number, betas: two, weight_decay: Draw::number },
        AdagradOptions { lr: Draw::number, lr_decay: Draw::number, initial_accumulator_value: Draw::number },
        AdadeltaOptions { lr: Draw::number, rho: Draw::number, eps: Draw::number },
        AdafactorOptions { lr: Draw::number, beta2_decay: Draw::number, d: Draw::number },
        RmsPropOptions {
            lr: Draw::number,
            alpha: Draw::number,
            centered: Draw::flag,
            momentum: Draw::number
        },
        RpropOptions { lr: Draw::number, etas: two, step_sizes: two },
        AsgdOptions { lr: Draw::number, lambd: Draw::number, alpha: Draw::number, t0: Draw::number },
        LionOptions { lr: Draw::number, betas: two, weight_decay: Draw::number },
        MuonOptions { lr: Draw::number, momentum: Draw::number, nesterov: Draw::flag },
        SparseAdamOptions { lr: Draw::number, betas: two, eps: Draw::number },
    ]
}

/// An optimizer with a scheduler, stepped beyond any end, saved and loaded.
fn scheduled<S: LrScheduler>(
    d: &mut Draw,
    make: impl FnOnce(&mut Draw, &mut Sgd) -> Result<S>,
) -> Result<()> {
    let parameter = Parameter::new(Tensor::ones([2])?)?;
    let options =
        SgdOptions { lr: d.pick(&[0.1, 1.0, 0.0, 1e-300, 1e300]), momentum: 0.5, ..Default::default() };
    let mut optimizer = Sgd::new([parameter.clone()], options)?;
    let mut scheduler = make(d, &mut optimizer)?;
    for _ in 0..d.pick(&[3, 10, 100, 1000]) {
        scheduler.step(&mut optimizer)?;
        parameter.set_grad(Some(Tensor::ones([2])?))?;
        // A rate that a schedule gives is one that the optimizer takes.
        optimizer.step().unwrap_or_else(|error| panic!("a schedule stops the run: {error}"));
    }
    let state = scheduler.state_dict()?;
    let other = d.pick(&["", "{}", "null", "[]", "{\"epoch\":18446744073709551615}", "{\"epoch\":-1}"]);
    _ = scheduler.load_state_dict(other).map_err(|e| e.to_string());
    scheduler.load_state_dict(&state)
}

fn boxed(d: &mut Draw, optimizer: &mut Sgd) -> Result<Box<dyn LrScheduler>> {
    Ok(match d.pick(&[0, 1, 2, 3]) {
        0 => Box::new(ConstantLR::new(optimizer, d.number(), d.count())?),
        1 => Box::new(LinearLR::new(optimizer, d.number(), d.number(), d.count())?),
        2 => Box::new(CosineAnnealingLR::new(optimizer, d.count(), d.number())?),
        _ => Box::new(ExponentialLR::new(optimizer, d.number())?),
    })
}

fn schedulers() -> Vec<Call> {
    vec![
        call("StepLR", |d| scheduled(d, |d, o| StepLR::new(o, d.count(), d.number()))),
        call("MultiStepLR", |d| {
            scheduled(d, |d, o| MultiStepLR::new(o, d.sizes().into_iter().map(|n| n as u64), d.number()))
        }),
        call("ConstantLR", |d| scheduled(d, |d, o| ConstantLR::new(o, d.number(), d.count()))),
        call("LinearLR", |d| scheduled(d, |d, o| LinearLR::new(o, d.number(), d.number(), d.count()))),
        call("ExponentialLR", |d| scheduled(d, |d, o| ExponentialLR::new(o, d.number()))),
        call("PolynomialLR", |d| scheduled(d, |d, o| PolynomialLR::new(o, d.count(), d.number()))),
        call("CosineAnnealingLR", |d| scheduled(d, |d, o| CosineAnnealingLR::new(o, d.count(), d.number()))),
        call("CosineAnnealingWarmRestarts", |d| {
            scheduled(d, |d, o| CosineAnnealingWarmRestarts::new(o, d.count(), d.count(), d.number()))
        }),
        call("CyclicLR", |d| {
            scheduled(d, |d, o| {
                let schedule = CyclicLRSchedule {
                    step_size_up: d.count(),
                    step_size_down: d.maybe(Draw::count),
                    mode: d.pick(&[CyclicMode::Triangular, CyclicMode::Triangular2, CyclicMode::ExpRange]),
                    gamma: d.number(),
                    ..CyclicLRSchedule::new(d.number(), d.number())
                };
                CyclicLR::with_schedule(o, schedule)
            })
        }),
        call("OneCycleLR", |d| {
            scheduled(d, |d, o| {
                let schedule = OneCycleLRSchedule {
                    pct_start: d.number(),
                    anneal_strategy: d.pick(&[AnnealStrategy::Cos, AnnealStrategy::Linear]),
                    div_factor: d.number(),
                    final_div_factor: d.number(),
                    three_phase: d.flag(),
                    ..OneCycleLRSchedule::new(d.number(), d.count())
                };
                OneCycleLR::with_schedule(o, schedule)
            })
        }),
        call("SWALR", |d| scheduled(d, |d, o| SWALR::new(o, d.number()))),
        call("LambdaLR", |d| {
            scheduled(d, |d, o| {
                let numbers = d.numbers();
                LambdaLR::new(o, move |epoch| numbers.get(epoch as usize).copied().unwrap_or(1.0))
            })
        }),
        call("SequentialLR", |d| {
            scheduled(d, |d, o| {
                let list = vec![boxed(d, o)?, boxed(d, o)?, boxed(d, o)?];
                SequentialLR::new(o, list, [d.count(), d.count()])
            })
        }),
        call("ChainedScheduler", |d| {
            scheduled(d, |d, o| {
                let list = vec![boxed(d, o)?, boxed(d, o)?, boxed(d, o)?];
                ChainedScheduler::new(o, list)
            })
        }),
        call("ReduceLROnPlateau", |d| {
            let mut optimizer = Sgd::new([Parameter::new(Tensor::ones([2])?)?], SgdOptions::default())?;
            let options = ReduceLROnPlateauOptions {
                mode: d.pick(&[PlateauMode::Min, PlateauMode::Max]),
                factor: d.number(),
                patience: d.count(),
                threshold: d.number(),
                threshold_mode: d.pick(&[ThresholdMode::Rel, ThresholdMode::Abs]),
                cooldown: d.count(),
                eps: d.number(),
                ..Default::default()
            };
            let mut scheduler = ReduceLROnPlateau::new(&mut optimizer, options)?;
            for metric in d.numbers() {
                scheduler.step(&mut optimizer, metric)?;
                optimizer.step()?;
            }
            scheduler.load_state_dict(&scheduler.state_dict()?)
        }),
    ]
}

fn others() -> Vec<Call> {
    vec![
        call("groups", |d| {
            let [decay, no_decay] = weight_decay_groups(parameters(d)?, AdamWOptions::default())?;
            let mut optimizer = AdamW::with_groups([decay.named(d.pick(&["a", ""])), no_decay])?;
            let scheduler = CosineAnnealingLR::new(&mut optimizer, d.count(), d.number())?;
            let mut scheduler =
                SequentialLR::with_warmup(&mut optimizer, d.number(), d.count(), Box::new(scheduler))?;
            scheduler.step(&mut optimizer)?;
            optimizer.step().map(drop)
        }),
        call("previews", |d| {
            let mut optimizer = Sgd::new([Parameter::new(Tensor::ones([2])?)?], SgdOptions::default())?;
            let mut restarts =
                CosineAnnealingWarmRestarts::new(&mut optimizer, d.count(), d.count(), d.number())?;
            restarts.step_to(&mut optimizer, d.number())?;
            let plateau = ReduceLROnPlateau::new(&mut optimizer, ReduceLROnPlateauOptions::default())?;
            plateau.preview(&optimizer, &d.numbers())?;
            restarts.preview(&optimizer, d.small()).map(drop)
        }),
        call("Lbfgs", |d| {
            let start = d.shape();
            let parameter = Parameter::new(d.floats(&start).detach())?;
            let options = LbfgsOptions {
                lr: d.number(),
                max_iter: d.pick(&[5, 0, 1, 20]),
                tolerance_grad: d.number(),
                tolerance_change: d.number(),
                history_size: d.size(),
                line_search_fn: d.pick(&[None, Some(LineSearch::StrongWolfe)]),
                ..Default::default()
            };
            let mut optimizer = Lbfgs::new([parameter.clone()], options)?;
            let scale = d.number();
            for _ in 0..2 {
                optimizer.step(|| {
                    parameter.zero_grad();
                    let loss = parameter.tensor().mul(scale)?.square()?.sum()?;
                    loss.backward()?;
                    Ok(loss)
                })?;
            }
            let state = optimizer.state_dict()?;
            _ = optimizer.load_state_dict(&damaged(d, &state)?).map_err(|e| e.to_string());
            optimizer.load_state_dict(&state)
        }),
        call("clip_grad_norm_with", |d| {
            let parameters = parameters(d)?;
            set_gradients(d, &parameters)?;
            let options = ClipGradNormOptions { norm_type: d.number(), error_if_nonfinite: d.flag() };
            clip_grad_norm_with(&parameters, d.number(), options).map(drop)
        }),
        call("clip_grad_value_", |d| {
            let parameters = parameters(d)?;
            set_gradients(d, &parameters)?;
            clip_grad_value_(&parameters, d.number())
        }),
        call("get_total_norm", |d| {
            let tensors: Vec<Tensor> = (0..d.small()).map(|_| d.tensor()).collect();
            get_total_norm(&tensors, d.number()).map(drop)
        }),
        call("vector_to_parameters", |d| {
            let parameters = parameters(d)?;
            _ = parameters_to_vector(&parameters)?;
            vector_to_parameters(&d.tensor(), &parameters)
        }),
        call("AveragedModel", |d| {
            let parameters = parameters(d)?;
            let averaging = if d.flag() { Averaging::Ema { decay: d.number() } } else { Averaging::Swa };
            let mut averaged = AveragedModel::new(parameters.clone(), averaging)?;
            averaged.update_parameters()?;
            averaged.swap()?;
            let state = averaged.state_dict()?;
            _ = averaged.load_state_dict(&damaged(d, &state)?).map_err(|e| e.to_string());
            averaged.update_parameters()?;
            averaged.copy_to(&parameters)
        }),
    ]
}

pub(crate) fn calls() -> Vec<Call> {
    algorithms().into_iter().chain(schedulers()).chain(others()).collect()
}
