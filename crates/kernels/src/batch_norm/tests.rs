use super::*;
use crate::Float;
use crate::testing::{affordable, assert_close, numbers, on_thread_counts};

const SHAPES: [[usize; 3]; 8] =
    [[1, 1, 1], [5, 3, 1], [700, 300, 1], [9, 4, 6], [3, 5, 31], [4, 3, 100], [40, 2, 700], [2, 3, 20_001]];

/// The values of one channel, in order.
fn channel(x: &[f64], [n, c, s]: [usize; 3], k: usize) -> Vec<f64> {
    (0..n * s).map(|i| x[(i / s * c + k) * s + i % s]).collect()
}

fn definition(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    (mean, x.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / x.len() as f64)
}

/// Mean and biased variance of each channel.
fn statistics<T: Float>(x: &[T], dims: [usize; 3]) -> (Vec<f64>, Vec<f64>) {
    let count = (dims[0] * dims[2]) as f64;
    let (mut mean, mut var) = (Vec::new(), Vec::new());
    moments(x, dims, 0.0, |_, Moments { scale, mean: m, squares, .. }| {
        mean.push(m / scale);
        var.push(squares / count / scale / scale);
    });
    (mean, var)
}

fn normals<T: Float>(x: &[T], dims: [usize; 3], eps: f64) -> Vec<Normal> {
    let mut normals = Vec::new();
    moments(x, dims, eps, |_, of_channel| {
        normals.push(of_channel.normal::<T>((dims[0] * dims[2]) as f64, eps))
    });
    normals
}

#[test]
fn statistics_are_the_definition() {
    for dims in affordable(SHAPES, |dims| dims.iter().product()) {
        let x = numbers(1, dims.iter().product());
        let (mean, var) = on_thread_counts(|| statistics(&x, dims));
        for k in 0..dims[1] {
            let want = definition(&channel(&x, dims, k));
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
        let (mean, var) = statistics(&x, dims);
        for k in 0..dims[1] {
            let want = definition(&channel(&wide, dims, k));
            assert_close(&[mean[k], var[k]], &[want.0, want.1], 1e-10);
        }
    }
}

#[test]
fn no_positions_give_nan_and_a_nan_stays_in_its_channel() {
    let (mean, var) = statistics::<f64>(&[], [0, 2, 3]);
    assert!(mean.iter().chain(&var).all(|v| v.is_nan()));
    let (mean, var) = statistics(&[1.0, f64::NAN, 3.0, 4.0], [2, 2, 1]);
    assert_eq!((mean[0], var[0]), (2.0, 1.0));
    assert!(mean[1].is_nan() && var[1].is_nan());
}

#[test]
fn a_small_case_gives_the_numbers_of_pytorch() {
    let x = [1.0, 2.0, 0.0, -1.0, 4.0, 0.0, 3.0, 2.0];
    let g = [1.0, -2.0, 0.5, 3.0, 0.0, 1.0, -1.0, 2.0];
    let (weight, bias) = ([2.0, -0.5], [0.1, 0.2]);
    let normals = normals(&x, [2, 2, 2], 1e-5);
    let mut out = [0.0; 8];
    normalize(&x, [2, 2, 2], &normals, Some(&weight), Some(&bias), &mut out);
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
    backward(&g, &x, [2, 2, 2], &normals, Some(&weight), true, Some(&mut out), w, b);
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
        let (mean, var) = statistics(&x, dims);
        let inv_std: Vec<f64> = var.iter().map(|v| 1.0 / (v + 1e-5).sqrt()).collect();
        let normals = normals(&x, dims, 1e-5);
        let got = on_thread_counts(|| {
            let mut out = vec![9.0; x.len()];
            normalize(&x, dims, &normals, None, Some(&weight), &mut out);
            out
        });
        let k = |i: usize| i / s % c;
        let hat: Vec<f64> = (0..x.len()).map(|i| (x[i] - mean[k(i)]) * inv_std[k(i)]).collect();
        assert_close(&got, &(0..x.len()).map(|i| hat[i] + weight[k(i)]).collect::<Vec<_>>(), 1e-13);
        for training in [true, false] {
            let (grad_x, grad_weight, grad_bias) = on_thread_counts(|| {
                let mut out = vec![9.0; x.len()];
                let (mut w, mut b) = (vec![9.0; c], vec![9.0; c]);
                backward(&g, &x, dims, &normals, Some(&weight), training, Some(&mut out), &mut w, &mut b);
                (out, w, b)
            });
            let average = |v: &[f64], k| definition(&channel(v, dims, k)).0;
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

/// Channels of `size` times small numbers are normalised as the small numbers, around a mean of `offset` too.
#[test]
fn neither_size_nor_offset_shows_in_what_is_normalised() {
    let case = |dims: [usize; 3], size: f64, offset: f64, tolerance: f64| {
        let small: Vec<f64> = numbers(6, dims.iter().product()).iter().map(|v| (v * 8.0).round()).collect();
        let x: Vec<f64> = small.iter().map(|v| (v + offset) * size).collect();
        let g = numbers(7, x.len());
        let count = (dims[0] * dims[2]) as f64;
        let run = |x: &[f64], size: f64| {
            let normals = normals(x, dims, 0.0);
            let (mut out, mut of_x) = (vec![9.0; x.len()], vec![9.0; x.len()]);
            let (mut of_weight, mut of_bias) = (vec![9.0; dims[1]], vec![9.0; dims[1]]);
            normalize(x, dims, &normals, None, None, &mut out);
            let (w, b) = (&mut of_weight, &mut of_bias);
            backward(&g, x, dims, &normals, None, true, Some(&mut of_x), w, b);
            of_x.iter_mut().for_each(|v| *v *= size);
            (out, of_x, of_weight)
        };
        let (got, want) = (run(&x, size), run(&small, 1.0));
        assert!(want.0.iter().all(|v| v.is_finite()));
        assert_close(&got.0, &want.0, tolerance);
        assert_close(&got.1, &want.1, tolerance);
        assert_close(&got.2, &want.2, tolerance * count);
    };
    for dims in [[3, 4, 40], [20, 3, 1], [1, 5, 7], [1, 2, 300]] {
        for size in [1e307, 1e200, 1e-200, 1e-300] {
            case(dims, size, 0.0, 1e-13);
        }
        case(dims, 1.0, (1u64 << 50) as f64 + 1.0, 1e-12);
    }
}

#[test]
fn the_ends_of_f32_are_normalised() {
    let mut out = [0.0f32; 4];
    let want = [0.6324555320336759, -0.6324555320336759, 1.2649110640673518, -1.2649110640673518];
    for size in [1e30f32, 1.7e38, 1e-20, 1e-38] {
        let x = [size, -size, 2.0 * size, -2.0 * size];
        for dims in [[4, 1, 1], [1, 1, 4]] {
            let normals = normals(&x, dims, 1e-90);
            normalize(&x, dims, &normals, None, None, &mut out);
            assert_close(&out.map(f64::from), &want, 1e-6);
        }
    }
    // A difference from the mean that is no number of f32.
    let x = [3e38f32, 3e38, 3e38, -3e38];
    normalize(&x, [4, 1, 1], &normals(&x, [4, 1, 1], 1e-5), None, None, &mut out);
    assert_close(
        &out.map(f64::from),
        &[3f64.sqrt() / 3.0, 3f64.sqrt() / 3.0, 3f64.sqrt() / 3.0, -(3f64.sqrt())],
        1e-6,
    );
}
