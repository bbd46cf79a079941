//! Steps along the gradient, or its sign.

use chainrule_optim::*;

use super::{BOTH, DECAYS, check, penalized};
use crate::{numbers, parameter, tensor, values};

#[test]
fn sgd_is_its_formula() {
    for (momentum, dampening, nesterov) in
        [(0.0, 0.0, false), (0.9, 0.0, false), (0.9, 0.3, false), (0.9, 0.0, true), (0.0, 0.3, false)]
    {
        for (weight_decay, maximize) in [(0.0, false), (0.1, false), (0.0, true), (0.1, true)] {
            let options = SgdOptions { lr: 0.1, momentum, dampening, weight_decay, nesterov, maximize };
            check(&options, |start, gradients| {
                let mut x = start;
                let mut buffer = None;
                for &g in gradients {
                    let g = if maximize { -g } else { g } + weight_decay * x;
                    let b = match buffer {
                        None => g,
                        Some(b) => momentum * b + (1.0 - dampening) * g,
                    };
                    buffer = Some(b);
                    x -= 0.1
                        * match (momentum > 0.0, nesterov) {
                            (false, _) => g,
                            (true, false) => b,
                            (true, true) => g + momentum * b,
                        };
                }
                x
            });
        }
    }
}

#[test]
fn asgd_is_its_formula_and_its_average_that_of_the_last_values() {
    for (lambd, alpha, t0) in [(1e-4, 0.75, 1e6), (0.3, 0.5, 0.0), (0.0, 0.75, 4.0)] {
        for (weight_decay, maximize) in DECAYS {
            let options = AsgdOptions { lr: 0.1, lambd, alpha, t0, weight_decay, maximize };
            check(&options, |start, gradients| {
                let (mut x, mut eta) = (start, 0.1);
                for (t, &g) in (1..).zip(gradients) {
                    let g = penalized(g, x, weight_decay, maximize);
                    x = x - lambd * eta * x - eta * g;
                    eta = 0.1 / (1.0 + lambd * 0.1 * f64::from(t)).powf(alpha);
                }
                x
            });
        }
    }
    let p = parameter(1, 3);
    let mut optimizer =
        Asgd::new([p.clone()], AsgdOptions { lr: 0.1, t0: 4.0, ..Default::default() }).unwrap();
    let mut history = Vec::new();
    for step in 0..9 {
        p.set_grad(Some(tensor(&numbers(50 + step, 3), [3]))).unwrap();
        optimizer.step().unwrap();
        history.push(values(&p)[0]);
    }
    // After update t0 + 1 the weight is still 1, so the average is over the values from that one on.
    let last = &history[5..];
    let mean = (history[5] + last.iter().skip(1).sum::<f64>()) / last.len() as f64;
    let average = optimizer.state_dict().unwrap().get("param.0.ax").unwrap().to_vec::<f64>().unwrap()[0];
    assert!((average - mean).abs() < 1e-12, "{average} instead of {mean}");
}

#[test]
fn rprop_is_its_formula() {
    for (etas, step_sizes) in [((0.5, 1.2), (1e-6, 50.0)), ((0.3, 1.9), (0.02, 0.1))] {
        for maximize in BOTH {
            check(&RpropOptions { lr: 0.05, etas, step_sizes, maximize }, |start, gradients| {
                let (mut x, mut before, mut size) = (start, 0.0, 0.05f64);
                for &g in gradients {
                    let mut g = penalized(g, x, 0.0, maximize);
                    if g * before > 0.0 {
                        size = (size * etas.1).min(step_sizes.1);
                    } else if g * before < 0.0 {
                        size = (size * etas.0).max(step_sizes.0);
                        g = 0.0;
                    }
                    if g != 0.0 {
                        x -= size * g.signum();
                    }
                    before = g;
                }
                x
            });
        }
    }
}

#[test]
fn lion_is_its_formula() {
    for betas in [(0.9, 0.99), (0.5, 0.3), (0.0, 0.0)] {
        for (weight_decay, maximize) in DECAYS {
            let lr = 0.05;
            check(&LionOptions { lr, betas, weight_decay, maximize }, |start, gradients| {
                let (mut x, mut m) = (start, 0.0);
                for &g in gradients {
                    let g = penalized(g, x, 0.0, maximize);
                    let direction = betas.0 * m + (1.0 - betas.0) * g;
                    x -= lr * (direction.signum() + weight_decay * x);
                    m = betas.1 * m + (1.0 - betas.1) * g;
                }
                x
            });
        }
    }
}
