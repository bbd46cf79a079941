//! Results in `f32` beside those in `f64`, of inputs near the ends of the range and far from 0.

use chainrule::autograd::{GradOptions, grad};
use chainrule::table::Sample;
use chainrule::{DType, Tensor};

use super::{Check, in_dtype, leaves, ok, wave};

/// What is done to the numbers of a sample.
pub(crate) struct Change {
    pub(crate) name: &'static str,
    of: fn(usize, f64) -> f64,
    /// Whether a number is added, beside which those of the sample are small.
    adds: bool,
}

/// The changes that every sample goes through.
pub(crate) const CHANGES: &[Change] = &[
    Change { name: "times 1e19", of: |_, x| x * 1e19, adds: false },
    Change { name: "times 1e30", of: |_, x| x * 1e30, adds: false },
    Change { name: "times 1e37", of: |_, x| x * 1e37, adds: false },
    Change { name: "times 1e-19", of: |_, x| x * 1e-19, adds: false },
    Change { name: "times 1e-30", of: |_, x| x * 1e-30, adds: false },
    Change { name: "times 1e-38", of: |_, x| x * 1e-38, adds: false },
    Change { name: "plus 1e5", of: |_, x| x + 1e5, adds: true },
    Change { name: "plus 1e7", of: |_, x| x + 1e7, adds: true },
    Change { name: "minus 1e5", of: |_, x| x - 1e5, adds: true },
    Change { name: "mixed, large", of: |i, x| x * [1.0, 1e12, 1e25, 1e-10, 1e36][i % 5], adds: false },
    Change { name: "mixed, small", of: |i, x| x * [1e-36, 1e-20, 1.0, 1e-30][i % 4], adds: false },
    Change {
        name: "mixed, both",
        of: |i, x| x * [1e30, 1e-30, 1e15, 1e-15, 1.0, 1e-38, 1e37][i % 7],
        adds: false,
    },
];

/// Results that are not compared, with the reason.
struct Exempt {
    rows: &'static [&'static str],
    /// How the names of the changes begin.
    changes: &'static [&'static str],
    /// How the names of the results begin; all of them where empty.
    results: &'static str,
    #[expect(dead_code, reason = "for who reads the list")]
    reason: &'static str,
}

const EXEMPT: &[Exempt] = &[
    Exempt {
        rows: &[
            "matmul",
            "conv2d",
            "conv1d",
            "conv_transpose2d",
            "scaled_dot_product_attention",
            "lstm",
            "gru",
            "rnn_tanh",
            "rnn_relu",
        ],
        changes: &["times 1e19", "times 1e30", "times 1e37", "mixed"],
        results: "",
        reason: "products are added up in f32: a part of the sum, or what goes into a gate, may be out of range",
    },
    Exempt {
        rows: &["scaled_dot_product_attention"],
        changes: &["plus", "minus"],
        results: "",
        reason: "beside scores of 1e10 and more the differences that the softmax sees are below the last digit",
    },
    Exempt {
        rows: &["rnn_relu"],
        changes: &["times 1e-30", "times 1e-38"],
        results: "gradient",
        reason: "what goes into the ReLU is a product that is 0 in f32, where the derivative is another",
    },
    Exempt {
        rows: &["remainder"],
        changes: &["plus", "minus", "mixed"],
        results: "output",
        reason: "the divisor 0.7 is rounded to f32, and so is its multiple",
    },
    Exempt {
        rows: &["batch_norm", "layer_norm", "group_norm", "instance_norm"],
        changes: &["mixed"],
        results: "gradient",
        reason: "one large element determines mean and variance, and its gradients cancel but for what is below the last digit",
    },
    Exempt {
        rows: &["group_norm"],
        changes: &["times 1e19", "times 1e30", "times 1e37"],
        results: "gradient",
        reason: "of two numbers without an ε to speak of the gradient is 0, as a difference",
    },
    Exempt {
        rows: &["mse_loss", "l1_loss"],
        changes: &["times", "mixed"],
        results: "gradient 2",
        reason: "the gradient of a weight is the difference between a loss, which may be out of range, and their mean",
    },
    Exempt {
        rows: &["mse_loss"],
        changes: &["mixed"],
        results: "gradient",
        reason: "the weight divided by the sum of the weights is 0 in f32",
    },
    Exempt {
        rows: &["binary_cross_entropy_with_logits", "cross_entropy", "ctc_loss"],
        changes: &["times", "mixed"],
        results: "",
        reason: "multiplied, targets and inputs are no probabilities any more, and terms cancel that are not opposite else",
    },
    Exempt {
        rows: &["binary_cross_entropy_with_logits"],
        changes: &["plus", "minus"],
        results: "",
        reason: "targets of 1e5 are no probabilities, and terms cancel that are not opposite else",
    },
    Exempt {
        rows: &["poisson_nll_loss"],
        changes: &["times", "mixed", "plus", "minus"],
        results: "",
        reason: "of large counts that are as expected the terms cancel",
    },
    Exempt {
        rows: &["triplet_margin_loss", "triplet_margin_with_distance_loss"],
        changes: &["times", "mixed"],
        results: "",
        reason: "beside ε = 1e-6 differences of 1e-19 vanish, distances of 1e37 cancel, and a distance of one sample is a sum of squares",
    },
    Exempt {
        rows: &["gelu_tanh"],
        changes: &["times", "mixed"],
        results: "gradient",
        reason: "the cube of the input is out of range",
    },
];

/// Whether a result is on the list.
fn is_exempt(row: &str, change: &Change, result: &str) -> bool {
    EXEMPT.iter().any(|exempt| {
        exempt.rows.contains(&row)
            && exempt.changes.iter().any(|start| change.name.starts_with(start))
            && result.starts_with(exempt.results)
    })
}

/// How far a result may be from that in `f64`, relative to it.
const TOLERANCE: f64 = 1e-5;
/// How many times as far as results of inputs that differ in the last digit of `f32`.
const DIGITS: f64 = 32.0;
/// Draws of inputs that differ.
const DRAWS: usize = 8;
/// The distance between the smallest numbers of `f32`.
const SMALLEST: f64 = 1.401_298_464_324_817e-45;

/// Checks values and gradients of a sample whose numbers are changed.
///
/// A result that `f32` can hold must be near that of `f64`: as near as results of inputs that differ in the last digit are
/// among themselves. For the changes that add, that is the last digit of what the sample had before, so that a result which
/// does not depend on what is added is held to the digits that it has.
pub(crate) fn near_f64(row: &str, sample: &Sample, change: &Change) -> Check {
    let floats: Vec<bool> = sample.inputs.iter().map(|x| x.dtype().is_float()).collect();
    if !floats.contains(&true) {
        return Ok(());
    }
    let changed = |nth: usize, x: &Tensor| {
        let values = ok(x.to_vec::<f64>()).into_iter().enumerate();
        let values: Vec<f64> = values.map(|(i, v)| f64::from((change.of)(i + nth, v) as f32)).collect();
        ok(Tensor::from_vec(values, x.shape().clone()))
    };
    let mut inputs = sample.inputs.clone();
    for (nth, input) in inputs.iter_mut().enumerate().filter(|(nth, _)| floats[*nth]) {
        *input = changed(nth, input);
    }
    // What cannot be called with such numbers is refused in both types.
    let Ok(want) = results(sample, &inputs, 0) else { return Ok(()) };
    let got = results(sample, &in_dtype(&inputs, DType::F32), 0)?;
    let mut spread: Vec<Vec<f64>> = want.iter().map(|(_, want)| vec![0.0; want.len()]).collect();
    for draw in 1..=DRAWS {
        let mut others = inputs.clone();
        for (nth, other) in others.iter_mut().enumerate().filter(|(nth, _)| floats[*nth]) {
            let own = ok(sample.inputs[nth].to_vec::<f64>());
            let values = ok(other.to_vec::<f64>()).into_iter().zip(own).enumerate();
            let values: Vec<f64> = values
                .map(|(i, (v, own))| v + last_digit(if change.adds { own } else { v }, i + 3 * nth, draw))
                .collect();
            *other = ok(Tensor::from_vec(values, other.shape().clone()));
        }
        let Ok(others) = results(sample, &others, draw) else { continue };
        for ((spread, (_, want)), (_, other)) in spread.iter_mut().zip(&want).zip(&others) {
            for ((spread, want), other) in spread.iter_mut().zip(want).zip(other) {
                let difference = (other - want).abs();
                *spread = if difference.is_nan() { f64::INFINITY } else { spread.max(difference) };
            }
        }
    }
    if got.len() != want.len() {
        return Err(format!("{} results instead of {}", got.len(), want.len()));
    }
    let compared =
        got.iter().zip(&want).zip(&spread).filter(|(((what, _), _), _)| !is_exempt(row, change, what));
    for (((what, got), (_, want)), spread) in compared {
        for (i, ((g, w), spread)) in got.iter().zip(want).zip(spread).enumerate() {
            let fits = w.abs() <= f64::from(f32::MAX) * (1.0 - 1e-6);
            let allowed = TOLERANCE * w.abs() + DIGITS * spread + 4.0 * SMALLEST;
            let near = (g - w).abs() <= allowed
                || w.abs() + allowed > f64::from(f32::MAX) && *g == w.signum() * f64::INFINITY;
            if fits && !near {
                return Err(format!("{what}, element {i}: {g:e} instead of {w:e} (allowed: {allowed:.1e})"));
            }
        }
    }
    Ok(())
}

/// All float outputs of a call, and the gradients of the float inputs, from gradients of the outputs that differ in the last
/// digit of `f32` from draw to draw.
fn results(sample: &Sample, inputs: &[Tensor], draw: usize) -> Result<Vec<(String, Vec<f64>)>, String> {
    let inputs = leaves(inputs);
    let outputs = (sample.call)(&inputs).map_err(|e| e.to_string())?;
    let numbers = |t: &Tensor| ok(ok(t.detach().to_dtype(DType::F64)).to_vec::<f64>());
    let mut results = Vec::new();
    for (i, output) in outputs.iter().enumerate().filter(|(_, t)| t.dtype().is_float()) {
        results.push((format!("output {i}"), numbers(output)));
    }
    let outputs: Vec<&Tensor> = outputs.iter().filter(|t| t.requires_grad()).collect();
    let wanted: Vec<&Tensor> = inputs.iter().filter(|t| t.requires_grad()).collect();
    let upstream = outputs.iter().map(|y| {
        let values = numbers(&wave(y.shape(), DType::F32)).into_iter().enumerate();
        let values = values.map(|(i, v)| v + last_digit(v, i + draw, draw)).collect();
        ok(ok(Tensor::from_vec::<f64>(values, y.shape().clone())).to_dtype(y.dtype()))
    });
    let upstream: Vec<Tensor> = upstream.collect();
    let upstream: Vec<Option<&Tensor>> = upstream.iter().map(Some).collect();
    // What has no gradient is compared by its values.
    if let Ok(grads) = grad(&outputs, &wanted, &upstream, GradOptions::default()) {
        for (i, grad) in grads.iter().flatten().enumerate() {
            results.push((format!("gradient {i}"), numbers(grad)));
        }
    }
    Ok(results)
}

/// Half of the last digit of a number of this size in `f32`, up or down; 0 in the draw of this number.
fn last_digit(size: f64, i: usize, draw: usize) -> f64 {
    let sign = [1.0, -1.0][(i * 7 + draw * 5 + i * draw / 3) % 2];
    if draw == 0 { 0.0 } else { sign * size * f64::from(f32::EPSILON) / 2.0 }
}
