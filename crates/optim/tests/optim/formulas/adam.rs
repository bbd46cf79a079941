//! Adam and its relatives.

use chainrule_optim::*;

use super::{BOTH, DECAYS, check, penalized};

/// Adam with bias-corrected moments written out, in the form of the paper.
fn adam(options: &AdamOptions, start: f64, gradients: &[f64]) -> f64 {
    let (beta1, beta2) = options.betas;
    let (mut x, mut m, mut v, mut largest) = (start, 0.0, 0.0, 0.0f64);
    for (t, &g) in (1..).zip(gradients) {
        let mut g = if options.maximize { -g } else { g };
        if options.decoupled_weight_decay {
            x -= options.lr * options.weight_decay * x;
        } else {
            g += options.weight_decay * x;
        }
        m = beta1 * m + (1.0 - beta1) * g;
        v = beta2 * v + (1.0 - beta2) * g * g;
        largest = largest.max(v);
        let m_hat = m / (1.0 - beta1.powi(t));
        let v_hat = if options.amsgrad { largest } else { v } / (1.0 - beta2.powi(t));
        x -= options.lr * m_hat / (v_hat.sqrt() + options.eps);
    }
    x
}

#[test]
fn adam_is_its_formula() {
    for betas in [(0.9, 0.999), (0.3, 0.5), (0.0, 0.9), (0.9, 0.0)] {
        for (weight_decay, maximize) in [(0.0, false), (0.1, true), (0.1, false)] {
            for (amsgrad, decoupled_weight_decay) in BOTH.into_iter().flat_map(|a| BOTH.map(|d| (a, d))) {
                let options = AdamOptions {
                    lr: 0.05,
                    betas,
                    eps: 1e-3,
                    weight_decay,
                    amsgrad,
                    maximize,
                    decoupled_weight_decay,
                };
                check(&options, |start, gradients| adam(&options, start, gradients));
            }
        }
    }
}

#[test]
fn adamw_is_its_formula() {
    for (weight_decay, maximize) in [(0.01, false), (0.3, true), (0.0, false)] {
        for amsgrad in BOTH {
            let (lr, betas, eps) = (0.05, (0.8, 0.95), 1e-4);
            let options = AdamWOptions { lr, betas, eps, weight_decay, amsgrad, maximize };
            let decoupled_weight_decay = true;
            let same =
                AdamOptions { lr, betas, eps, weight_decay, amsgrad, maximize, decoupled_weight_decay };
            check(&options, |start, gradients| adam(&same, start, gradients));
        }
    }
}

#[test]
fn adamax_is_its_formula() {
    for betas in [(0.9, 0.999), (0.3, 0.5), (0.0, 0.0)] {
        for (weight_decay, maximize) in DECAYS {
            let (lr, eps) = (0.05, 1e-3);
            check(&AdamaxOptions { lr, betas, eps, weight_decay, maximize }, |start, gradients| {
                let (mut x, mut m, mut u) = (start, 0.0, 0.0f64);
                for (t, &g) in (1..).zip(gradients) {
                    let g = penalized(g, x, weight_decay, maximize);
                    m = betas.0 * m + (1.0 - betas.0) * g;
                    u = (betas.1 * u).max(g.abs() + eps);
                    x -= lr / (1.0 - betas.0.powi(t)) * m / u;
                }
                x
            });
        }
    }
}

#[test]
fn nadam_is_its_formula() {
    for (betas, momentum_decay) in [((0.9, 0.999), 4e-3), ((0.6, 0.9), 0.5), ((0.9, 0.9), 0.0)] {
        for (weight_decay, maximize) in DECAYS {
            for decoupled_weight_decay in BOTH {
                let (lr, eps) = (0.05, 1e-3);
                let options = NAdamOptions {
                    lr,
                    betas,
                    eps,
                    weight_decay,
                    momentum_decay,
                    decoupled_weight_decay,
                    maximize,
                };
                check(&options, |start, gradients| {
                    let (mut x, mut m, mut v, mut product) = (start, 0.0, 0.0, 1.0);
                    let mu = |t: i32| betas.0 * (1.0 - 0.5 * 0.96f64.powf(f64::from(t) * momentum_decay));
                    for (t, &g) in (1..).zip(gradients) {
                        let penalty = if decoupled_weight_decay { 0.0 } else { weight_decay };
                        let g = penalized(g, x, penalty, maximize);
                        if decoupled_weight_decay {
                            x -= lr * weight_decay * x;
                        }
                        m = betas.0 * m + (1.0 - betas.0) * g;
                        v = betas.1 * v + (1.0 - betas.1) * g * g;
                        product *= mu(t);
                        let m_hat =
                            mu(t + 1) * m / (1.0 - product * mu(t + 1)) + (1.0 - mu(t)) * g / (1.0 - product);
                        let v_hat = v / (1.0 - betas.1.powi(t));
                        x -= lr * m_hat / (v_hat.sqrt() + eps);
                    }
                    x
                });
            }
        }
    }
}

#[test]
fn radam_is_its_formula() {
    // With the first betas the fifth step is the first to be rectified, with the second the third, with the last none.
    for betas in [(0.9, 0.999), (0.8, 0.9), (0.5, 0.6)] {
        for (weight_decay, maximize) in DECAYS {
            for decoupled_weight_decay in BOTH {
                let (lr, eps) = (0.05, 1e-3);
                let options = RAdamOptions { lr, betas, eps, weight_decay, decoupled_weight_decay, maximize };
                check(&options, |start, gradients| {
                    let (mut x, mut m, mut v) = (start, 0.0, 0.0);
                    let longest = 2.0 / (1.0 - betas.1) - 1.0;
                    for (t, &g) in (1..).zip(gradients) {
                        let penalty = if decoupled_weight_decay { 0.0 } else { weight_decay };
                        let g = penalized(g, x, penalty, maximize);
                        if decoupled_weight_decay {
                            x -= lr * weight_decay * x;
                        }
                        m = betas.0 * m + (1.0 - betas.0) * g;
                        v = betas.1 * v + (1.0 - betas.1) * g * g;
                        let m_hat = m / (1.0 - betas.0.powi(t));
                        let power = betas.1.powi(t);
                        let length = longest - 2.0 * f64::from(t) * power / (1.0 - power);
                        x -= lr
                            * if length > 5.0 {
                                let r = ((length - 4.0) * (length - 2.0) * longest
                                    / ((longest - 4.0) * (longest - 2.0) * length))
                                    .sqrt();
                                m_hat * r * (1.0 - power).sqrt() / (v.sqrt() + eps)
                            } else {
                                m_hat
                            };
                    }
                    x
                });
            }
        }
    }
}
