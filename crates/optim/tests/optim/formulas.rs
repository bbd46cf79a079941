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

/// Weight decay and maximize, in all combinations.
const DECAYS: [(f64, bool); 4] = [(0.0, false), (0.1, false), (0.0, true), (0.1, true)];

/// The gradient with its sign and the penalty.
fn penalized(g: f64, x: f64, weight_decay: f64, maximize: bool) -> f64 {
    (if maximize { -g } else { g }) + weight_decay * x
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

/// What PyTorch's constructors have, by the JSON of the options.
#[test]
fn defaults_are_those_of_pytorch_in_full() {
    fn check<A: Algorithm + Default>(want: &str) {
        assert_eq!(serde_json::to_string(&A::default()).unwrap(), want);
    }
    check::<AdagradOptions>(
        r#"{"lr":0.01,"lr_decay":0.0,"weight_decay":0.0,"initial_accumulator_value":0.0,"eps":1e-10,"maximize":false}"#,
    );
    check::<AdadeltaOptions>(r#"{"lr":1.0,"rho":0.9,"eps":1e-6,"weight_decay":0.0,"maximize":false}"#);
    check::<AdamaxOptions>(
        r#"{"lr":0.002,"betas":[0.9,0.999],"eps":1e-8,"weight_decay":0.0,"maximize":false}"#,
    );
    check::<NAdamOptions>(
        r#"{"lr":0.002,"betas":[0.9,0.999],"eps":1e-8,"weight_decay":0.0,"momentum_decay":0.004,"decoupled_weight_decay":false,"maximize":false}"#,
    );
    check::<RAdamOptions>(
        r#"{"lr":0.001,"betas":[0.9,0.999],"eps":1e-8,"weight_decay":0.0,"decoupled_weight_decay":false,"maximize":false}"#,
    );
    check::<RpropOptions>(r#"{"lr":0.01,"etas":[0.5,1.2],"step_sizes":[1e-6,50.0],"maximize":false}"#);
    check::<AdafactorOptions>(
        r#"{"lr":0.01,"beta2_decay":-0.8,"eps":[null,0.001],"d":1.0,"weight_decay":0.0,"maximize":false}"#,
    );
    check::<MuonOptions>(
        r#"{"lr":0.001,"weight_decay":0.1,"momentum":0.95,"nesterov":true,"ns_coefficients":[3.4445,-4.775,2.0315],"eps":1e-7,"ns_steps":5,"adjust_lr_fn":null}"#,
    );
    check::<SparseAdamOptions>(r#"{"lr":0.001,"betas":[0.9,0.999],"eps":1e-8,"maximize":false}"#);
    check::<AsgdOptions>(
        r#"{"lr":0.01,"lambd":0.0001,"alpha":0.75,"t0":1000000.0,"weight_decay":0.0,"maximize":false}"#,
    );
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
