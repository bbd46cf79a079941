use super::*;
use crate::testing::{affordable, assert_close, numbers, on_thread_counts};

const SHAPES: [[usize; 3]; 7] =
    [[0, 3, 1], [4, 1, 1], [5, 3, 1], [300, 700, 1], [2, 5, 7], [3, 40, 300], [2, 3, 1000]];

/// The logits of the row of output i, as the definition sees them.
fn row(x: &[f64], [_, c, s]: [usize; 3], i: usize) -> Vec<f64> {
    (0..c).map(|k| x[(i / s * c + k) * s + i % s]).collect()
}

fn nll(x: &[f64]) -> Vec<f64> {
    let total = x.iter().map(|v| v.exp()).sum::<f64>().ln();
    x.iter().map(|v| total - v).collect()
}

/// Spreads the target over the classes: class c counts `q[c]` in the loss `Σ q[c]·(lse − x[c])`.
fn shares_of_index(target: usize, weight: &[f64], epsilon: f64) -> Vec<f64> {
    let classes = weight.len() as f64;
    let hit = |c: usize| if c == target { (1.0 - epsilon) * weight[c] } else { 0.0 };
    (0..weight.len()).map(|c| hit(c) + epsilon / classes * weight[c]).collect()
}

fn shares_of_probabilities(p: &[f64], weight: &[f64], epsilon: f64) -> Vec<f64> {
    let classes = p.len() as f64;
    p.iter().zip(weight).map(|(p, w)| w * ((1.0 - epsilon) * p + epsilon / classes)).collect()
}

/// The definitions of loss and gradient, from the shares of each row (`None` where ignored).
fn definition(
    x: &[f64],
    dims: [usize; 3],
    scale: &[f64],
    shares: impl Fn(usize) -> Option<Vec<f64>>,
) -> (Vec<f64>, Vec<f64>) {
    let [n, c, s] = dims;
    let (mut losses, mut grad) = (vec![0.0; n * s], vec![0.0; x.len()]);
    for i in 0..n * s {
        let Some(q) = shares(i) else { continue };
        let nll = nll(&row(x, dims, i));
        let total: f64 = q.iter().sum();
        losses[i] = nll.iter().zip(&q).map(|(l, q)| l * q).sum();
        for k in 0..c {
            grad[(i / s * c + k) * s + i % s] = scale[i] * ((-nll[k]).exp() * total - q[k]);
        }
    }
    (losses, grad)
}

#[test]
fn class_indices_give_the_definition() {
    for dims in affordable(SHAPES, |dims| dims.iter().product()) {
        let [n, c, s] = dims;
        let (x, scale) = (numbers(1, n * c * s), numbers(2, n * s));
        let targets: Vec<i64> = numbers(3, n * s)
            .iter()
            .map(|v| if *v > 1.0 { -100 } else { ((v + 2.0) / 3.0 * c as f64) as i64 % c as i64 })
            .collect();
        let weight: Vec<f64> = numbers(4, c).iter().map(|v| v + 2.5).collect();
        for (weight, epsilon) in
            [(None, 0.0), (Some(&weight[..]), 0.0), (Some(&weight[..]), 0.1), (None, 1.0)]
        {
            let (losses, grad) = on_thread_counts(|| {
                let (mut losses, mut lse) = (vec![9.0; n * s], vec![[9.0; 2]; n * s]);
                forward(&x, dims, &targets, weight, -100, epsilon, &mut losses, &mut lse);
                let mut grad = vec![9.0; x.len()];
                backward(&x, dims, &targets, weight, -100, epsilon, &lse, &scale, &mut grad);
                (losses, grad)
            });
            let weight = class_weights(weight, c);
            let (want_losses, want_grad) = definition(&x, dims, &scale, |i| {
                (targets[i] >= 0).then(|| shares_of_index(targets[i] as usize, &weight, epsilon))
            });
            assert_close(&losses, &want_losses, 1e-12);
            assert_close(&grad, &want_grad, 1e-13);
        }
    }
}

#[test]
fn probabilities_give_the_definition() {
    for dims in affordable(SHAPES, |dims| dims.iter().product()) {
        let [n, c, s] = dims;
        let (x, scale) = (numbers(1, n * c * s), numbers(2, n * s));
        let targets: Vec<f64> = numbers(3, n * c * s).iter().map(|v| v.abs()).collect();
        let weight: Vec<f64> = numbers(4, c).iter().map(|v| v + 2.5).collect();
        for (weight, epsilon) in [(None, 0.0), (Some(&weight[..]), 0.1)] {
            let (losses, grad) = on_thread_counts(|| {
                let (mut losses, mut lse) = (vec![9.0; n * s], vec![[9.0; 2]; n * s]);
                forward_probabilities(&x, dims, &targets, weight, epsilon, &mut losses, &mut lse);
                let mut grad = vec![9.0; x.len()];
                backward_probabilities(&x, dims, &targets, weight, epsilon, &lse, &scale, &mut grad);
                (losses, grad)
            });
            let weight = class_weights(weight, c);
            let (want_losses, want_grad) = definition(&x, dims, &scale, |i| {
                Some(shares_of_probabilities(&row(&targets, dims, i), &weight, epsilon))
            });
            assert_close(&losses, &want_losses, 1e-12);
            assert_close(&grad, &want_grad, 1e-12);
        }
    }
}

#[test]
fn a_small_case_gives_the_numbers_of_pytorch() {
    let x = [0.5, -1.0, 2.0, 1.0, 0.0, -2.0, 3.0, 3.0, 1.0];
    let weight = [0.5, 2.0, 1.5];
    let (mut losses, mut lse, mut grad) = ([9.0; 3], [[9.0; 2]; 3], [9.0; 9]);
    let targets = [2, -100, 1];
    forward(&x, [3, 3, 1], &targets, Some(&weight), -100, 0.1, &mut losses, &mut lse);
    assert_close(&losses, &[0.5829450900414497, 0.0, 1.5666724396470595], 1e-15);
    backward(&x, [3, 3, 1], &targets, Some(&weight), -100, 0.1, &lse, &[1.0; 3], &mut grad);
    let want = [
        0.2433474150077211,
        -0.008649682981813614,
        -0.23469773202590755,
        0.0,
        0.0,
        0.0,
        0.8887336929447303,
        -0.9612663070552697,
        0.07253261411053942,
    ];
    assert_close(&grad, &want, 1e-15);
    let targets = [0.2, 0.3, 0.5, 1.0, 0.0, 0.0, 0.6, 0.3, 0.3];
    forward_probabilities(&x, [3, 3, 1], &targets, Some(&weight), 0.1, &mut losses, &mut lse);
    assert_close(&losses, &[2.3270860816918777, 0.42025712644810864, 1.9328775893745442], 1e-15);
    backward_probabilities(&x, [3, 3, 1], &targets, Some(&weight), 0.1, &lse, &[1.0; 3], &mut grad);
    let want = [
        0.14545934736141947,
        -0.5504097487789946,
        0.40495040141757527,
        -0.05519236759269261,
        0.08470626853307783,
        -0.029513900940385158,
        0.34477203240714377,
        0.024772032407143787,
        -0.3695440648142876,
    ];
    assert_close(&grad, &want, 1e-15);
}

#[test]
fn infinite_logits() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let x = [0.0, -inf, 1.0, -inf, -inf, -inf, inf, 0.0, 0.0];
    let (mut losses, mut lse) = ([9.0; 3], [[9.0; 2]; 3]);
    forward(&x, [3, 3, 1], &[0, 0, 1], None, -100, 0.0, &mut losses, &mut lse);
    assert_close(&losses, &[1.3132616875182228, nan, nan], 1e-15);
    forward(&x, [3, 3, 1], &[1, 0, 0], None, -100, 0.0, &mut losses, &mut lse);
    assert_close(&losses, &[inf, nan, nan], 0.0);
    forward(&x, [3, 3, 1], &[0, 0, 0], None, -100, 0.1, &mut losses, &mut lse);
    assert_close(&losses, &[inf, nan, nan], 0.0);
    let first = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
    forward_probabilities(&x, [3, 3, 1], &first, None, 0.0, &mut losses, &mut lse);
    // An impossible class with no share costs nothing; PyTorch's 0·∞ is NaN.
    assert_close(&losses, &[1.3132616875182228, nan, nan], 1e-15);
}

#[test]
fn ignored_rows_give_zero_whatever_they_hold() {
    for dims in [[2, 3, 1], [1, 3, 2]] {
        let x = [f64::NAN; 6];
        let (mut losses, mut lse, mut grad) = ([9.0; 2], [[9.0; 2]; 2], [9.0; 6]);
        forward(&x, dims, &[7, 7], None, 7, 0.1, &mut losses, &mut lse);
        backward(&x, dims, &[7, 7], None, 7, 0.1, &lse, &[f64::NAN; 2], &mut grad);
        assert_eq!((losses, grad), ([0.0; 2], [0.0; 6]));
    }
}

#[test]
fn large_logits_keep_the_loss_exact() {
    let x = [10_000.0f32, 10_001.0];
    let (mut losses, mut lse) = ([9.0], [[9.0; 2]]);
    forward(&x, [1, 2, 1], &[1], None, -100, 0.0, &mut losses, &mut lse);
    assert_close(&[f64::from(losses[0])], &[(1.0 + (-1.0f64).exp()).ln()], 1e-7);
}

/// In `f32` the logarithm of a small sum vanishes beside a large logit.
#[test]
fn gradients_of_large_logits() {
    for large in [1e8f32, f32::MIN, f32::MAX] {
        // Two columns in one layout, two rows in the other, all of whose logits are the same.
        for dims in [[2, 2, 1], [1, 2, 2]] {
            let (x, p) = ([large; 4], [0.5; 4]);
            let (mut losses, mut lse, mut grad) = ([9.0; 2], [[9.0; 2]; 2], [9.0; 4]);
            forward(&x, dims, &[0, 0], None, -100, 0.0, &mut losses, &mut lse);
            backward(&x, dims, &[0, 0], None, -100, 0.0, &lse, &[1.0; 2], &mut grad);
            let want = if dims[2] == 1 { [-0.5, 0.5, -0.5, 0.5] } else { [-0.5, -0.5, 0.5, 0.5] };
            assert!(grad.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-6), "{large}: {grad:?}");
            forward_probabilities(&x, dims, &p, None, 0.0, &mut losses, &mut lse);
            backward_probabilities(&x, dims, &p, None, 0.0, &lse, &[1.0; 2], &mut grad);
            assert!(grad.iter().all(|g| g.abs() < 1e-6), "{large}: {grad:?}");
        }
    }
}
