//! Every optimizer's step: of ten parameters with a million values each, where bandwidth is all that counts, and of 500
//! with a thousand, where what is spent on each parameter shows. And what surrounds a step.

use chainrule::prelude::*;

use crate::data::{integers, numbers, uniform};
use crate::{Step, Workload};

/// How many parameters, and their shape: matrices, which every optimizer can update.
#[derive(Clone, Copy)]
struct Size(usize, [usize; 2]);

const LARGE: Size = Size(10, [1000, 1000]);
const SMALL: Size = Size(500, [25, 40]);

/// Both sizes of an optimizer with its options.
macro_rules! steps {
    ($($name:literal: $options:expr),+ $(,)?) => {
        &[
            $((concat!($name, "_step_10m"), || step(LARGE, $options)),
            (concat!($name, "_step_500_small"), || step(SMALL, $options)),)+
            ("muon_step", || step(Size(4, [512, 512]), MuonOptions::default())),
            ("muon_step_small", || step(Size(50, [32, 32]), MuonOptions::default())),
            ("sparse_adam_step", sparse_adam),
            ("lbfgs_step", || lbfgs(None)),
            ("lbfgs_strong_wolfe_step", || lbfgs(Some(LineSearch::StrongWolfe))),
            ("clip_grad_norm_10m", || clip(LARGE)),
            ("clip_grad_norm_500_small", || clip(SMALL)),
            ("clip_grad_value_10m", clip_value),
            ("ema_10m", || ema(LARGE)),
            ("ema_500_small", || ema(SMALL)),
            ("copy_10m", copy),
        ]
    };
}

pub(crate) const WORKLOADS: &[Workload] = steps! {
    "sgd": SgdOptions::default(),
    "sgd_momentum": SgdOptions { momentum: 0.9, ..Default::default() },
    "adam": AdamOptions::default(),
    "amsgrad": AdamOptions { amsgrad: true, ..Default::default() },
    "adamw": AdamWOptions::default(),
    "rmsprop": RmsPropOptions::default(),
    "rmsprop_centered": RmsPropOptions { centered: true, momentum: 0.9, ..Default::default() },
    "adagrad": AdagradOptions::default(),
    "adadelta": AdadeltaOptions::default(),
    "adamax": AdamaxOptions::default(),
    "nadam": NAdamOptions::default(),
    "radam": RAdamOptions::default(),
    "rprop": RpropOptions::default(),
    "asgd": AsgdOptions::default(),
    "adafactor": AdafactorOptions::default(),
    "lion": LionOptions::default(),
};

/// The bytes that a step of the large parameters has to move: it reads values, gradients and states, and writes values
/// and states.
pub(crate) fn bytes(name: &str) -> Option<usize> {
    let states = match name.strip_suffix("_10m")?.trim_end_matches("_step") {
        "sgd" => 0,
        "sgd_momentum" | "rmsprop" | "adagrad" | "lion" | "asgd" => 1,
        "adam" | "adamw" | "adadelta" | "adamax" | "nadam" | "radam" | "rprop" => 2,
        "amsgrad" | "rmsprop_centered" => 3,
        "ema" => 0,
        // Reads one array and writes another.
        "copy" => return Some(80_000_000),
        _ => return None,
    };
    Some((2 * (1 + states) + 1) * 40_000_000)
}

fn parameters(Size(count, shape): Size) -> Result<Vec<Parameter>> {
    let parameter = |i: usize| {
        let parameter = Parameter::new(numbers(&format!("o.p{i}"), shape)?)?;
        parameter.set_grad(Some(numbers(&format!("o.g{i}"), shape)?))?;
        Ok(parameter)
    };
    (0..count).map(parameter).collect()
}

/// `f`, which changes parameters. What is compared is by how much the first and the last have moved after three times.
fn changes(parameters: Vec<Parameter>, mut f: impl FnMut() -> Result<()> + 'static) -> Result<Step> {
    let ends = [parameters[0].clone(), parameters[parameters.len() - 1].clone()];
    let mut before = None;
    Ok(Box::new(move |check| {
        if check && before.is_none() {
            let copies = ends.each_ref().map(|end| end.tensor().detach().contiguous()?.add(0.0));
            before = Some(copies);
        }
        for _ in 0..if check { 3 } else { 1 } {
            f()?;
        }
        let Some(before) = &before else { return Ok(Vec::new()) };
        let moved = ends
            .iter()
            .zip(before)
            .map(|(end, before)| end.tensor().detach().sub(before.as_ref().expect("a copy")));
        moved.collect()
    }))
}

fn step<A: Algorithm + 'static>(size: Size, options: A) -> Result<Step> {
    let parameters = parameters(size)?;
    let mut optimizer = Optimizer::new(parameters.clone(), options)?;
    changes(parameters, move || optimizer.step().map(|_| ()))
}

/// An embedding of which a batch has used a few rows.
fn sparse_adam() -> Result<Step> {
    let (rows, width) = (100_000, 64);
    let weight = Parameter::new(numbers("o.emb.w", [rows, width])?)?;
    let used = integers("o.emb.i", [4096], rows as u64)?;
    let gradient = Tensor::zeros([rows, width])?.index_add(0, &used, &numbers("o.emb.g", [4096, width])?)?;
    weight.set_grad(Some(gradient))?;
    let mut optimizer = SparseAdam::new([weight.clone()], SparseAdamOptions::default())?;
    changes(vec![weight], move || optimizer.step().map(|_| ()))
}

/// Ten iterations of LBFGS from the same start, on a quadratic function of a million values.
fn lbfgs(line_search_fn: Option<LineSearch>) -> Result<Step> {
    let start = numbers("o.lbfgs.w", [1_000_000])?;
    let curvature = uniform("o.lbfgs.c", [1_000_000], 0.1, 4.0)?;
    let weight = Parameter::new(start.clone())?;
    let options =
        LbfgsOptions { lr: 0.5, max_iter: 10, history_size: 10, line_search_fn, ..Default::default() };
    Ok(Box::new(move |_| {
        weight.set(&start)?;
        let mut optimizer = Lbfgs::new([weight.clone()], options.clone())?;
        let closure = || {
            weight.zero_grad();
            let w = weight.tensor();
            let loss = w.mul(&w)?.mul(&curvature)?.sum()?;
            loss.backward()?;
            Ok(loss)
        };
        let loss = optimizer.step(closure)?;
        Ok(vec![loss.detach(), weight.tensor().detach()])
    }))
}

fn clip(size: Size) -> Result<Step> {
    let parameters = parameters(size)?;
    Ok(Box::new(move |_| {
        let norm = clip_grad_norm_(&parameters, 1.0)?;
        Ok(vec![Tensor::full([1], norm, DType::F32)?, parameters[0].grad().expect("a gradient")])
    }))
}

fn clip_value() -> Result<Step> {
    let parameters = parameters(LARGE)?;
    Ok(Box::new(move |_| {
        clip_grad_value_(&parameters, 0.5)?;
        Ok(vec![parameters[0].grad().expect("a gradient")])
    }))
}

fn ema(size: Size) -> Result<Step> {
    let (parameters, others) = (parameters(size)?, parameters(size)?);
    for (i, (parameter, other)) in parameters.iter().zip(&others).enumerate() {
        let Size(_, shape) = size;
        other.set(&numbers(&format!("o.e{i}"), shape)?)?;
        parameter.set_grad(None)?;
    }
    let mut averaged = AveragedModel::new(parameters.clone(), Averaging::Ema { decay: 0.9 })?;
    averaged.update_parameters()?;
    for (parameter, other) in parameters.iter().zip(&others) {
        parameter.set(&other.tensor().detach())?;
    }
    Ok(Box::new(move |_| {
        averaged.update_parameters()?;
        Ok(averaged.averages().next().into_iter().collect())
    }))
}

/// Ten million numbers from one place to another, shared among the threads: what the memory can do.
fn copy() -> Result<Step> {
    let from: Vec<f32> = numbers("o.copy", [10_000_000])?.to_vec()?;
    let mut to = vec![0f32; from.len()];
    let part = from.len().div_ceil(chainrule::num_threads());
    Ok(Box::new(move |check| {
        std::thread::scope(|scope| {
            let mut parts = to.chunks_mut(part).zip(from.chunks(part));
            let own = parts.next();
            parts.for_each(|(to, from)| {
                scope.spawn(|| to.copy_from_slice(from));
            });
            own.into_iter().for_each(|(to, from)| to.copy_from_slice(from));
        });
        Ok(if check { vec![Tensor::from_vec(to.clone(), [to.len()])?] } else { Vec::new() })
    }))
}
