//! Tests of the optimizers, the engine around them, schedulers and clipping.

mod at_limits;
mod averages;
mod clip;
mod engine;
mod failures;
mod formulas;
mod fresh_process;
mod lbfgs;
mod options;
mod resume;
mod resume_schedulers;
mod rows;
mod scheduler_failures;
mod schedulers;
mod schedulers_at_limits;
mod shapes;
mod swa;

use chainrule_optim::{Algorithm, Hyperparameters, Optimizer};
use chainrule_tensor::{Parameter, Shape, Tensor};

/// Numbers between -1 and 1 without a pattern, the same for the same seed.
fn numbers(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn tensor(values: &[f64], shape: impl Into<Shape>) -> Tensor {
    Tensor::build(shape, |out: &mut [f64]| out.copy_from_slice(values)).unwrap()
}

fn tensor_f32(values: &[f64], shape: impl Into<Shape>) -> Tensor {
    let write = |out: &mut [f32]| out.iter_mut().zip(values).for_each(|(o, &v)| *o = v as f32);
    Tensor::build(shape, write).unwrap()
}

/// An f64 parameter of numbers.
fn parameter(seed: u64, n: usize) -> Parameter {
    Parameter::new(tensor(&numbers(seed, n), [n])).unwrap()
}

fn values(parameter: &Parameter) -> Vec<f64> {
    parameter.tensor().to_vec().unwrap()
}

/// The options with another learning rate.
fn with_lr<A: Algorithm>(options: &A, lr: f64) -> A {
    let any = Parameter::new(tensor(&[1.0], [1, 1])).unwrap();
    let mut optimizer = Optimizer::new([any], options.clone()).unwrap();
    optimizer.set_lr(0, lr).unwrap();
    optimizer.param_groups()[0].options.clone()
}
