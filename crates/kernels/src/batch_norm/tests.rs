use super::*;
use crate::testing::{affordable, assert_close, numbers, on_thread_counts};

const SHAPES: [[usize; 3]; 8] =
    [[1, 1, 1], [5, 3, 1], [700, 300, 1], [9, 4, 6], [3, 5, 31], [4, 3, 100], [40, 2, 700], [2, 3, 20_001]];

/// The values of one channel, in order.
fn channel(x: &[f64], [n, c, s]: [usize; 3], k: usize) -> Vec<f64> {
    (0..n * s).map(|i| x[(i / s * c + k) * s + i % s]).collect()
}

fn moments(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    (mean, x.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / x.len() as f64)
}

#[test]
fn statistics_are_the_definition() {
    for dims in affordable(SHAPES, |dims| dims.iter().product()) {
        let x = numbers(1, dims.iter().product());
        let (mean, var) = on_thread_counts(|| {
            let (mut mean, mut var) = (vec![9.0; dims[1]], vec![9.0; dims[1]]);
            statistics(&x, dims, &mut mean, &mut var);
            (mean, var)
        });
        for k in 0..dims[1] {
            let want = moments(&channel(&x, dims, k));
            assert_close(&[mean[k], var[k]], &[want.0, want.1], 1e-13);
        }
    }
}

#[test]
fn a_large_mean_does_not_drown_the_variance() {
    for dims in affordable([[64, 4, 1000], [20_000, 3, 1], [3000, 2, 9], [90, 2, 9]], |d| d.iter().product())
    {
        let x: Vec<f32> = numbers(2, dims.iter().product()).iter().map(|v| (1e4 + v) as f32).collect();
        let wide: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
        let (mut mean, mut var) = (vec![0.0f32; dims[1]], vec![0.0f32; dims[1]]);
        statistics(&x, dims, &mut mean, &mut var);
        for k in 0..dims[1] {
            let want = moments(&channel(&wide, dims, k));
            assert_close(&[f64::from(mean[k]), f64::from(var[k])], &[want.0, want.1], 1e-6);
        }
    }
}

#[test]
fn no_positions_give_nan_and_a_nan_stays_in_its_channel() {
    let (mut mean, mut var) = ([0.0; 2], [0.0; 2]);
    statistics::<f64>(&[], [0, 2, 3], &mut mean, &mut var);
    assert!(mean.iter().chain(&var).all(|v| v.is_nan()));
    statistics(&[1.0, f64::NAN, 3.0, 4.0], [2, 2, 1], &mut mean, &mut var);
    assert_eq!((mean[0], var[0]), (2.0, 1.0));
    assert!(mean[1].is_nan() && var[1].is_nan());
}

#[test]
fn a_small_case_gives_the_numbers_of_pytorch() {
    let x = [1.0, 2.0, 0.0, -1.0, 4.0, 0.0, 3.0, 2.0];
    let g = [1.0, -2.0, 0.5, 3.0, 0.0, 1.0, -1.0, 2.0];
    let (weight, bias) = ([2.0, -0.5], [0.1, 0.2]);
    let (mut mean, mut var) = ([0.0; 2], [0.0; 2]);
    statistics(&x, [2, 2, 2], &mut mean, &mut var);
    let inv_std = var.map(|v: f64| 1.0 / (v + 1e-5).sqrt());
    let mut out = [0.0; 8];
    normalize(&x, [2, 2, 2], &mean, &inv_std, Some(&weight), Some(&bias), &mut out);
    let want = [
        -0.9141827875447832,
        0.43806092918159445,
        0.5162271335632033,
        0.8324542671264066,
        3.14254836263435,
        -2.266426504271161,
        -0.4324542671264065,
        -0.11622713356320324,
    ];
    assert_close(&out, &want, 1e-14);
    let (mut grad_weight, mut grad_bias) = ([0.0; 2], [0.0; 2]);
    let (w, b) = (&mut grad_weight, &mut grad_bias);
    backward(&g, &x, [2, 2, 2], &mean, &inv_std, Some(&weight), true, Some(&mut out), w, b);
    let want = [
        1.0045254934229013,
        -2.588581359018263,
        0.4031887731058256,
        -0.18183224617335897,
        1.0431546699104288,
        0.5409011956849331,
        0.26088902956415977,
        -0.4822455564966264,
    ];
    assert_close(&out, &want, 1e-13);
    assert_close(&grad_weight, &[-2.0283655750895666, -4.110952736321642], 1e-14);
    assert_close(&grad_bias, &[0.0, 4.5], 1e-14);
}

#[test]
fn forward_and_backward_are_the_definitions() {
    for dims in affordable(SHAPES, |dims| dims.iter().product()) {
        let [n, c, s] = dims;
        let (x, g) = (numbers(3, n * c * s), numbers(4, n * c * s));
        let weight = numbers(5, c);
        let (mut mean, mut var) = (vec![0.0; c], vec![0.0; c]);
        statistics(&x, dims, &mut mean, &mut var);
        let inv_std: Vec<f64> = var.iter().map(|v| 1.0 / (v + 1e-5).sqrt()).collect();
        let got = on_thread_counts(|| {
            let mut out = vec![9.0; x.len()];
            normalize(&x, dims, &mean, &inv_std, None, Some(&weight), &mut out);
            out
        });
        let k = |i: usize| i / s % c;
        let hat: Vec<f64> = (0..x.len()).map(|i| (x[i] - mean[k(i)]) * inv_std[k(i)]).collect();
        assert_close(&got, &(0..x.len()).map(|i| hat[i] + weight[k(i)]).collect::<Vec<_>>(), 1e-13);
        for training in [true, false] {
            let (grad_x, grad_weight, grad_bias) = on_thread_counts(|| {
                let mut out = vec![9.0; x.len()];
                let (mut w, mut b) = (vec![9.0; c], vec![9.0; c]);
                backward(
                    &g,
                    &x,
                    dims,
                    &mean,
                    &inv_std,
                    Some(&weight),
                    training,
                    Some(&mut out),
                    &mut w,
                    &mut b,
                );
                (out, w, b)
            });
            let average = |v: &[f64], k| moments(&channel(v, dims, k)).0;
            let product: Vec<f64> = hat.iter().zip(&g).map(|(h, g)| h * g).collect();
            let count = (n * s) as f64;
            let sums = |v: &[f64]| (0..c).map(|k| average(v, k) * count).collect::<Vec<_>>();
            assert_close(&grad_weight, &sums(&product), 1e-11);
            assert_close(&grad_bias, &sums(&g), 1e-11);
            let (g_average, product_average): (Vec<f64>, Vec<f64>) =
                (0..c).map(|k| (average(&g, k), average(&product, k))).unzip();
            let want: Vec<f64> = (0..x.len())
                .map(|i| {
                    let through =
                        if training { g_average[k(i)] + hat[i] * product_average[k(i)] } else { 0.0 };
                    weight[k(i)] * inv_std[k(i)] * (g[i] - through)
                })
                .collect();
            // With one position, inv_std is 316 and the terms cancel.
            assert_close(&grad_x, &want, if n * s == 1 { 1e-8 } else { 1e-11 });
        }
    }
}
