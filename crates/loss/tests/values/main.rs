//! Losses and gradients against PyTorch's in f64; of the losses that PyTorch lacks, against their definitions
//! written with its operations.
//!
//! A case gives the loss (of several, their sum weighted by a wave) and for each input the sum of its gradient
//! weighted by another.

mod binary;
mod classes;
mod errors;
mod margins;
mod vectors;

use chainrule_loss::Reduction::*;
use chainrule_loss::*;
use chainrule_tensor::autograd::{GradOptions, grad};
use chainrule_tensor::{DType, Result, Tensor};

/// low + (high − low)·(½ + ½·sin(1.3·i + seed))
fn between<const N: usize>(low: f64, high: f64, seed: f64, shape: [usize; N]) -> Tensor {
    let at = |i: usize| low + (high - low) * (0.5 + 0.5 * (1.3 * i as f64 + seed).sin());
    Tensor::from_vec((0..shape.iter().product()).map(at).collect(), shape)
        .expect("as many values as the shape has")
}

/// Between −2 and 2.
fn wave<const N: usize>(seed: f64, shape: [usize; N]) -> Tensor {
    between(-2.0, 2.0, seed, shape)
}

/// Σ x·wave
fn along(x: &Tensor, seed: f64) -> Result<Tensor> {
    x.mul(&wave(seed, [x.numel()]).reshape(x.shape())?)?.sum()
}

fn numbers(
    inputs: &[Tensor],
    call: impl Fn(&[Tensor]) -> Result<Tensor>,
    create_graph: bool,
) -> Result<Vec<f64>> {
    let leaves: Vec<Tensor> = inputs.iter().map(|x| x.clone().requires_grad_(true)).collect::<Result<_>>()?;
    let losses = call(&leaves)?;
    let loss = if losses.rank() == 0 { losses } else { along(&losses, 7.0)? };
    let options = GradOptions { create_graph, allow_unused: true, ..Default::default() };
    let grads = grad(&[&loss], &leaves.iter().collect::<Vec<_>>(), &[], options)?;
    let mut numbers = vec![loss.item()?];
    for gradient in grads {
        numbers.push(gradient.map_or(Ok(0.0), |gradient| along(&gradient, 8.0)?.item())?);
    }
    Ok(numbers)
}

/// Checks the fused gradients and those that can be differentiated again.
#[track_caller]
fn check(label: &str, inputs: &[Tensor], call: impl Fn(&[Tensor]) -> Result<Tensor>, want: &[f64]) {
    for create_graph in [false, true] {
        let got = numbers(inputs, &call, create_graph).unwrap_or_else(|e| panic!("{label}: {e}"));
        let close = |(g, w): (&f64, &f64)| (g - w).abs() <= 1e-12 * (1.0 + w.abs());
        assert!(
            got.len() == want.len() && got.iter().zip(want).all(close),
            "{label}, create_graph {create_graph}: {got:?} instead of {want:?}"
        );
    }
}

/// Whole numbers as `f64`.
fn f64s(numbers: [[i64; 3]; 2]) -> Result<Tensor> {
    Tensor::new(numbers).to_dtype(DType::F64)
}
