use super::*;
use crate::testing::{affordable, assert_close, numbers, on_thread_counts};

#[test]
fn forward_and_backward_are_the_definitions() {
    for (rows, n) in affordable([(1, 1), (3, 5), (9, 70), (70, 130), (9, 5000), (400, 200)], |(r, n)| r * n) {
        let (x, grad) = (numbers(1, rows * n), numbers(2, rows * n));
        let (weight, bias) = (numbers(3, n), numbers(4, n));
        for weighted in [true, false] {
            let affine =
                Affine { weight: weighted.then_some(&weight[..]), bias: weighted.then_some(&bias[..]) };
            let (out, of_x, of_affine) = on_thread_counts(|| {
                let (mut out, mut statistics) = (vec![9.0; rows * n], vec![[0.0; 4]; rows]);
                forward(&x, n, 1e-3, affine, &mut out, &mut statistics);
                let (mut of_x, mut of_affine) = (vec![9.0; rows * n], vec![9.0; 2 * n]);
                backward(&grad, &x, n, &statistics, affine.weight, &mut of_x, &mut of_affine);
                (out, of_x, of_affine)
            });
            let (mut want, mut want_x, mut want_affine) = (Vec::new(), Vec::new(), vec![0.0; 2 * n]);
            for r in 0..rows {
                let (x, grad) = (&x[r * n..][..n], &grad[r * n..][..n]);
                let mean = x.iter().sum::<f64>() / n as f64;
                let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
                let sigma = (variance + 1e-3).sqrt();
                let w = |j: usize| if weighted { weight[j] } else { 1.0 };
                let hat = |j: usize| (x[j] - mean) / sigma;
                let g = |j: usize| grad[j] * w(j);
                let sum = (0..n).map(g).sum::<f64>() / n as f64;
                let product = (0..n).map(|j| g(j) * hat(j)).sum::<f64>() / n as f64;
                for j in 0..n {
                    want.push(hat(j) * w(j) + if weighted { bias[j] } else { 0.0 });
                    want_x.push((g(j) - sum - hat(j) * product) / sigma);
                    want_affine[j] += grad[j] * hat(j);
                    want_affine[n + j] += grad[j];
                }
            }
            assert_close(&out, &want, 1e-12);
            assert_close(&of_x, &want_x, 1e-10);
            assert_close(&of_affine, &want_affine, 1e-10);
        }
    }
}

/// What single precision makes of a row, and the gradients, beside the definition in double precision.
#[test]
fn single_precision_is_right_at_any_mean_and_size() {
    let small = [3.0, -1.0, 2.0, 7.0, 0.5, -4.0];
    for (size, mean) in
        [(1.0, 1e5), (0.01, 1e5), (1.0, 1e7), (1e30, 0.0), (4e37, 4e37), (1e-20, 0.0), (1e-38, 1e-37)]
    {
        let x: Vec<f32> = small.iter().map(|v| (v * size + mean) as f32).collect();
        let grad = [1.0f32, -2.0, 0.5, 3.0, 0.0, 1.0];
        let (weight, bias) = ([2.0f32, 1.0, -1.0, 0.5, 1.5, 1.0], [0.5f32; 6]);
        let wide = |x: &[f32]| x.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
        let eps = 1e-12 * size * size;
        // The mean of numbers of f32 is exact to the last digit of f64, up to these sizes.
        let n = x.len() as f64;
        let average = wide(&x).iter().sum::<f64>() / n;
        let sigma = (wide(&x).iter().map(|v| (v - average).powi(2)).sum::<f64>() / n + eps).sqrt();
        let hat: Vec<f64> = wide(&x).iter().map(|v| (v - average) / sigma).collect();
        let g: Vec<f64> = (0..6).map(|j| f64::from(grad[j] * weight[j])).collect();
        let (sum, product) = (g.iter().sum::<f64>() / n, (0..6).map(|j| g[j] * hat[j]).sum::<f64>() / n);
        for (weight, bias) in [(Some(&weight[..]), Some(&bias[..])), (None, None)] {
            let (mut out, mut statistics) = (vec![9.0f32; 6], vec![[0.0; 4]]);
            forward(&x, 6, eps, Affine { weight, bias }, &mut out, &mut statistics);
            let affine = |j: usize| match weight {
                Some(weight) => hat[j] * f64::from(weight[j]) + 0.5,
                None => hat[j],
            };
            assert_close(&wide(&out), &(0..6).map(affine).collect::<Vec<_>>(), 5e-7);
            if weight.is_some() {
                let (mut of_x, mut of_affine) = (vec![9.0f32; 6], vec![9.0f32; 12]);
                backward(&grad, &x, 6, &statistics, weight, &mut of_x, &mut of_affine);
                let of_x: Vec<f64> = wide(&of_x).iter().map(|v| v * sigma).collect();
                let want: Vec<f64> = (0..6).map(|j| g[j] - sum - hat[j] * product).collect();
                // A gradient of 1e-38 has few digits.
                assert_close(&of_x, &want, if size > 1e37 { 1e-5 } else { 2e-6 });
                let want: Vec<f64> = (0..6).map(|j| f64::from(grad[j]) * hat[j]).collect();
                assert_close(&wide(&of_affine[..6]), &want, 2e-6);
            }
        }
    }
}
