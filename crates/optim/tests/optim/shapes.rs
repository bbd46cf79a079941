//! Algorithms that look at the shape of a parameter, against plain transcriptions of their formulas in f64.

use chainrule_optim::*;
use chainrule_tensor::{ErrorKind, Parameter, Tensor, set_num_threads};

use crate::{numbers, parameter, tensor, tensor_f32, values};

/// Compares an optimizer of one parameter with `step(x, gradient, t)`, in f64 and roughly in f32. `scale` is the
/// largest gradient.
fn check<A: Algorithm>(
    options: &A,
    shape: &[usize],
    scale: f64,
    tolerance32: f64,
    mut step: impl FnMut(&mut [f64], &[f64], i32),
) {
    let n = shape.iter().product();
    let start = numbers(7, n);
    let p64 = Parameter::new(tensor(&start, shape)).unwrap();
    let p32 = Parameter::new(tensor_f32(&start, shape)).unwrap();
    let mut optimizer = Optimizer::new([p64.clone(), p32.clone()], options.clone()).unwrap();
    let mut x = start;
    for t in 1..=8 {
        let mut gradient = numbers(100 + t as u64, n);
        gradient.iter_mut().for_each(|g| *g *= scale);
        p64.set_grad(Some(tensor(&gradient, shape))).unwrap();
        p32.set_grad(Some(tensor_f32(&gradient, shape))).unwrap();
        optimizer.step().unwrap();
        step(&mut x, &gradient, t);
        let got32 = p32.tensor().to_vec::<f32>().unwrap();
        for ((got, got32), want) in values(&p64).into_iter().zip(got32).zip(&x) {
            assert!(
                (got - want).abs() <= 1e-12 * want.abs().max(1.0),
                "{options:?}: {got} instead of {want}"
            );
            let error = (f64::from(got32) - want).abs();
            assert!(error <= tolerance32 * want.abs().max(1.0), "{options:?}: {got32} instead of {want}");
        }
    }
}

fn rms(x: &[f64]) -> f64 {
    (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64).sqrt()
}

#[test]
fn adafactor_is_its_formula() {
    let shapes: [&[usize]; 6] = [&[], &[9], &[5, 7], &[1, 4], &[3, 4, 6], &[300, 70]];
    for shape in shapes {
        // With the second, mean(r) is below the epsilon and r·c above its square.
        for (beta2_decay, eps, d, scale) in
            [(-0.8, (Some(1e-5), 1e-3), 1.0, 3.0), (-0.5, (Some(0.3), 0.2), 1.5, 0.8)]
        {
            for (weight_decay, maximize) in [(0.0, false), (0.1, true)] {
                let lr = 0.03;
                let options = AdafactorOptions { lr, beta2_decay, eps, d, weight_decay, maximize };
                let n: usize = shape.iter().product();
                let (rows, columns) = match shape {
                    [.., rows, columns] => (*rows, *columns),
                    _ => (1, n),
                };
                let matrix = shape.len() > 1;
                let (mut row, mut column) = (vec![0.0; n / columns], vec![0.0; n / rows]);
                let mut variance = vec![0.0; n];
                check(&options, shape, scale, 2e-5, |x, gradient, t| {
                    let rest = f64::from(t).powf(beta2_decay);
                    let alpha = rms(x).max(eps.1) * f64::min(lr, 1.0 / f64::from(t).sqrt());
                    let at = |m: usize, i: usize, j: usize| (m * rows + i) * columns + j;
                    for m in 0..n / (rows * columns) {
                        if matrix {
                            for i in 0..rows {
                                let mean = (0..columns).map(|j| gradient[at(m, i, j)].powi(2)).sum::<f64>()
                                    / columns as f64;
                                row[m * rows + i] += rest * (mean - row[m * rows + i]);
                            }
                            for j in 0..columns {
                                let mean = (0..rows).map(|i| gradient[at(m, i, j)].powi(2)).sum::<f64>()
                                    / rows as f64;
                                column[m * columns + j] += rest * (mean - column[m * columns + j]);
                            }
                            let row = &row[m * rows..(m + 1) * rows];
                            let mean = (row.iter().sum::<f64>() / rows as f64).max(eps.0.unwrap());
                            for i in 0..rows {
                                for j in 0..columns {
                                    variance[at(m, i, j)] = row[i] * column[m * columns + j] / mean;
                                }
                            }
                        } else {
                            for (v, g) in variance.iter_mut().zip(gradient) {
                                *v += rest * (g * g - *v);
                            }
                        }
                    }
                    let sign = if maximize { -1.0 } else { 1.0 };
                    let update: Vec<f64> = gradient
                        .iter()
                        .zip(&variance)
                        .map(|(g, v)| sign * g / v.sqrt().max(eps.0.unwrap()))
                        .collect();
                    let clip = (rms(&update) / d).max(1.0);
                    for (x, u) in x.iter_mut().zip(update) {
                        *x -= lr * weight_decay * *x;
                        *x -= alpha * u / clip;
                    }
                });
            }
        }
    }
}

/// Without an epsilon it is the machine's, of the dtype.
#[test]
fn adafactor_of_a_tiny_gradient_is_bounded_by_the_epsilon_of_the_dtype() {
    let p = Parameter::new(tensor_f32(&[1.0, 1.0], [2])).unwrap();
    p.set_grad(Some(tensor_f32(&[1e-9, -1e-9], [2]))).unwrap();
    Adafactor::new([p.clone()], AdafactorOptions::default()).unwrap().step().unwrap();
    let moved = 1.0 - f64::from(p.tensor().to_vec::<f32>().unwrap()[0]);
    let want = 1e-2 * 1e-9 / f64::from(f32::EPSILON);
    assert!((moved - want).abs() < 1e-7, "{moved} instead of {want}");
}

/// The matrix product, the plain way.
fn product(a: &[f64], b: &[f64], (m, n, k): (usize, usize, usize)) -> Vec<f64> {
    let at = |i: usize, j: usize| (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
    (0..m * n).map(|place| at(place / n, place % n)).collect()
}

fn transposed(a: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    (0..a.len()).map(|place| a[(place % rows) * columns + place / rows]).collect()
}

#[test]
fn muon_is_its_formula() {
    for (rows, columns) in [(4, 4), (3, 7), (8, 3), (1, 5)] {
        for adjust_lr_fn in
            [None, Some(AdjustLr::Original), Some(AdjustLr::MatchRmsAdamW), Some(AdjustLr::SpectralUnclamped)]
        {
            for (nesterov, momentum, ns_steps) in [(true, 0.95, 5), (false, 0.4, 3), (true, 0.3, 0)] {
                let (lr, weight_decay) = (0.05, 0.2);
                let options = MuonOptions {
                    lr,
                    weight_decay,
                    momentum,
                    nesterov,
                    ns_steps,
                    adjust_lr_fn,
                    ..Default::default()
                };
                let (a, b, c) = options.ns_coefficients;
                let (r, k) = (rows as f64, columns as f64);
                let factor = match adjust_lr_fn {
                    None | Some(AdjustLr::Original) => f64::max(1.0, r / k).sqrt(),
                    Some(AdjustLr::MatchRmsAdamW) => 0.2 * r.max(k).sqrt(),
                    Some(AdjustLr::SpectralUnclamped) => (r / k).sqrt(),
                };
                let mut buffer = vec![0.0; rows * columns];
                check(&options, &[rows, columns], 3.0, 1e-4, |x, gradient, _| {
                    for (buffer, g) in buffer.iter_mut().zip(gradient) {
                        *buffer = momentum * *buffer + (1.0 - momentum) * g;
                    }
                    let ahead = |(b, g): (&f64, &f64)| {
                        if nesterov { momentum * b + (1.0 - momentum) * g } else { *b }
                    };
                    let mut u: Vec<f64> = buffer.iter().zip(gradient).map(ahead).collect();
                    let size = u.iter().map(|u| u * u).sum::<f64>().sqrt();
                    u.iter_mut().for_each(|u| *u /= size);
                    for _ in 0..ns_steps {
                        let gram = product(&u, &transposed(&u, rows, columns), (rows, rows, columns));
                        let square = product(&gram, &gram, (rows, rows, rows));
                        let p: Vec<f64> = gram.iter().zip(&square).map(|(g, s)| b * g + c * s).collect();
                        let change = product(&p, &u, (rows, columns, rows));
                        u.iter_mut().zip(change).for_each(|(u, change)| *u = a * *u + change);
                    }
                    for (x, u) in x.iter_mut().zip(u) {
                        *x = *x * (1.0 - lr * weight_decay) - lr * factor * u;
                    }
                });
            }
        }
    }
}

#[test]
fn muon_takes_matrices_only() {
    let shapes: [&[usize]; 3] = [&[], &[4], &[2, 2, 2]];
    for shape in shapes {
        let p = Parameter::new(tensor(&numbers(1, shape.iter().product()), shape)).unwrap();
        let error = Muon::new([p], MuonOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Shape);
        assert_eq!(error.location().unwrap().file(), file!(), "{error}");
    }
    let matrix = Parameter::new(tensor(&numbers(1, 4), [2, 2])).unwrap();
    let mut optimizer = Muon::new([matrix], MuonOptions::default()).unwrap();
    let group = ParamGroup::new([parameter(1, 3)], MuonOptions::default());
    assert!(optimizer.add_param_group(group).is_err());
}

/// A row is updated by Adam's formula where it has a gradient, with the step count of the parameter.
#[test]
fn sparse_adam_is_its_formula_on_the_rows_that_have_a_gradient() {
    let (lr, betas, eps) = (0.05, (0.8, 0.95), 1e-3);
    let shapes: [&[usize]; 4] = [&[6, 3], &[5], &[4, 2, 3], &[700, 40]];
    for shape in shapes {
        for maximize in [false, true] {
            let (n, rows) = (shape.iter().product::<usize>(), shape[0]);
            let width = n / rows;
            let p = Parameter::new(tensor(&numbers(7, n), shape)).unwrap();
            let options = SparseAdamOptions { lr, betas, eps, maximize };
            let mut optimizer = SparseAdam::new([p.clone()], options).unwrap();
            let (mut x, mut m, mut v) = (numbers(7, n), vec![0.0; n], vec![0.0; n]);
            for t in 1..8 {
                let mut gradient = numbers(100 + t as u64, n);
                let has = |row: usize| (row + t as usize).is_multiple_of(3);
                for (i, g) in gradient.iter_mut().enumerate() {
                    // A row with one number that is not zero counts.
                    if !has(i / width) || (i % width == 0 && width > 1 && t == 3) {
                        *g = 0.0;
                    }
                }
                p.set_grad(Some(tensor(&gradient, shape))).unwrap();
                optimizer.step().unwrap();
                for i in (0..n).filter(|i| has(i / width)) {
                    let g = if maximize { -gradient[i] } else { gradient[i] };
                    m[i] = betas.0 * m[i] + (1.0 - betas.0) * g;
                    v[i] = betas.1 * v[i] + (1.0 - betas.1) * g * g;
                    let rate = lr * (1.0 - betas.1.powi(t)).sqrt() / (1.0 - betas.0.powi(t));
                    x[i] -= rate * m[i] / (v[i].sqrt() + eps);
                }
                for (got, want) in values(&p).into_iter().zip(&x) {
                    assert!((got - want).abs() < 1e-12, "{got} instead of {want}");
                }
            }
        }
    }
}

#[test]
fn every_number_of_threads_gives_the_same_bits() {
    fn run<A: Algorithm>(options: &A, threads: usize) -> Vec<f32> {
        set_num_threads(threads);
        let shape = [310, 270];
        let p = Parameter::new(tensor_f32(&numbers(1, 310 * 270), shape)).unwrap();
        let mut optimizer = Optimizer::new([p.clone()], options.clone()).unwrap();
        for step in 0..2 {
            p.set_grad(Some(tensor_f32(&numbers(50 + step, 310 * 270), shape))).unwrap();
            optimizer.step().unwrap();
        }
        p.tensor().to_vec::<f32>().unwrap()
    }
    fn check<A: Algorithm>(options: &A) {
        let one = run(options, 1);
        assert!(one == run(options, 2) && one == run(options, 5), "{options:?}");
    }
    check(&AdafactorOptions::default());
    check(&MuonOptions::default());
    check(&SparseAdamOptions::default());
}

#[test]
fn empty_parameters_are_left_empty() {
    fn check<A: Algorithm + Default>() {
        let p = Parameter::new(Tensor::zeros([0, 3]).unwrap()).unwrap();
        p.set_grad(Some(Tensor::zeros([0, 3]).unwrap())).unwrap();
        assert_eq!(Optimizer::new([p], A::default()).unwrap().step().unwrap().updated, 1);
    }
    check::<AdafactorOptions>();
    check::<MuonOptions>();
    check::<SparseAdamOptions>();
}
