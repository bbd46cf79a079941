//! Each algorithm against a plain transcription of its published formula, in f64, for all combinations of
//! options.

use chainrule_optim::*;
use chainrule_tensor::Parameter;

use crate::{numbers, parameter, tensor, tensor_f32, values};

const STEPS: u64 = 10;
/// Whole blocks of a vectorised loop, and a rest.
const N: usize = 37;

/// Compares an optimizer with `formula(element, gradients so far) -> value`, in f64 and roughly in f32. At step 3
/// there is no gradient.
fn check<A: Algorithm>(options: &A, formula: impl Fn(f64, &[f64]) -> f64) {
    let (p64, start) = (parameter(7, N), numbers(7, N));
    let p32 = Parameter::new(tensor_f32(&start, [N])).unwrap();
    let mut optimizer = Optimizer::new([p64.clone(), p32.clone()], options.clone()).unwrap();
    let mut gradients = vec![Vec::new(); N];
    for step in 0..STEPS {
        let gradient = numbers(100 + step, N);
        let has = step != 3;
        p64.set_grad(has.then(|| tensor(&gradient, [N]))).unwrap();
        p32.set_grad(has.then(|| tensor_f32(&gradient, [N]))).unwrap();
        let report = optimizer.step().unwrap();
        assert_eq!((report.updated, report.without_gradient), if has { (2, 0) } else { (0, 2) });
        if has {
            gradients.iter_mut().zip(&gradient).for_each(|(all, &g)| all.push(g));
        }
        let got32 = p32.tensor().to_vec::<f32>().unwrap();
        for (i, got) in values(&p64).into_iter().enumerate() {
            let want = formula(start[i], &gradients[i]);
            assert!(
                (got - want).abs() <= 1e-12 * want.abs().max(1.0),
                "{options:?}: {got} instead of {want}"
            );
            let error = (f64::from(got32[i]) - want).abs();
            assert!(error <= 2e-5 * want.abs().max(1.0), "{options:?}: {} instead of {want}", got32[i]);
        }
    }
}

/// Both values of a switch.
const BOTH: [bool; 2] = [false, true];

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
fn defaults_are_those_of_pytorch() {
    let sgd = SgdOptions::default();
    assert_eq!((sgd.lr, sgd.momentum, sgd.dampening, sgd.weight_decay), (1e-3, 0.0, 0.0, 0.0));
    let adam = AdamOptions::default();
    assert_eq!((adam.lr, adam.betas, adam.eps, adam.weight_decay), (1e-3, (0.9, 0.999), 1e-8, 0.0));
    assert!(!adam.amsgrad && !adam.maximize && !adam.decoupled_weight_decay);
    let adamw = AdamWOptions::default();
    assert_eq!((adamw.lr, adamw.betas, adamw.eps, adamw.weight_decay), (1e-3, (0.9, 0.999), 1e-8, 0.01));
    let rmsprop = RmsPropOptions::default();
    assert_eq!((rmsprop.lr, rmsprop.alpha, rmsprop.eps, rmsprop.momentum), (1e-2, 0.99, 1e-8, 0.0));
}
