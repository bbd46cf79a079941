//! A learning rate for each element, by the squares of its gradients.

use chainrule_optim::*;

use super::{DECAYS, check, penalized};

#[test]
fn rmsprop_is_its_formula() {
    for (momentum, centered) in [(0.0, false), (0.8, false), (0.0, true), (0.8, true)] {
        for (weight_decay, maximize) in [(0.0, false), (0.1, false), (0.0, true), (0.1, true)] {
            let (lr, alpha, eps) = (0.02, 0.9, 1e-3);
            let options = RmsPropOptions { lr, alpha, eps, weight_decay, momentum, centered, maximize };
            check(&options, |start, gradients| {
                let (mut x, mut square, mut mean, mut buffer) = (start, 0.0, 0.0, 0.0);
                for &g in gradients {
                    let g = if maximize { -g } else { g } + weight_decay * x;
                    square = alpha * square + (1.0 - alpha) * g * g;
                    mean = alpha * mean + (1.0 - alpha) * g;
                    let variance = if centered { square - mean * mean } else { square };
                    buffer = momentum * buffer + g / (f64::sqrt(variance) + eps);
                    x -= lr * buffer;
                }
                x
            });
        }
    }
}

#[test]
fn adagrad_is_its_formula() {
    for (lr_decay, initial_accumulator_value) in [(0.0, 0.0), (0.3, 0.0), (0.0, 0.2), (0.1, 0.1)] {
        for (weight_decay, maximize) in DECAYS {
            let (lr, eps) = (0.1, 1e-3);
            let options =
                AdagradOptions { lr, lr_decay, weight_decay, initial_accumulator_value, eps, maximize };
            check(&options, |start, gradients| {
                let (mut x, mut sum) = (start, initial_accumulator_value);
                for (t, &g) in gradients.iter().enumerate() {
                    let g = penalized(g, x, weight_decay, maximize);
                    sum += g * g;
                    x -= lr / (1.0 + t as f64 * lr_decay) * g / (sum.sqrt() + eps);
                }
                x
            });
        }
    }
}

#[test]
fn adadelta_is_its_formula() {
    for rho in [0.9, 0.5, 0.0] {
        for (weight_decay, maximize) in DECAYS {
            let (lr, eps) = (0.7, 1e-3);
            check(&AdadeltaOptions { lr, rho, eps, weight_decay, maximize }, |start, gradients| {
                let (mut x, mut square, mut change) = (start, 0.0, 0.0);
                for &g in gradients {
                    let g = penalized(g, x, weight_decay, maximize);
                    square = rho * square + (1.0 - rho) * g * g;
                    let step = -f64::sqrt(change + eps) / f64::sqrt(square + eps) * g;
                    change = rho * change + (1.0 - rho) * step * step;
                    x += lr * step;
                }
                x
            });
        }
    }
}
