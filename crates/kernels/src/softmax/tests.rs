use super::*;
use crate::testing::{affordable, assert_close, numbers, numbers_f32, on_thread_counts, widen};

const SHAPES: [[usize; 3]; 9] = [
    [2, 0, 3],
    [1, 1, 1],
    [3, 5, 1],
    [700, 100, 1],
    [1, 40_000, 1],
    [4, 3, 7],
    [1, 50, 700],
    [3, 257, 129],
    [40, 10, 3],
];

/// Applies a function of a row and a companion row to each row over n.
fn rows(
    x: &[f64],
    y: &[f64],
    [outer, n, inner]: [usize; 3],
    f: impl Fn(&[f64], &[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    for o in 0..outer {
        for c in 0..inner {
            let at = |r: usize| (o * n + r) * inner + c;
            let row: Vec<f64> = (0..n).map(|r| x[at(r)]).collect();
            let other: Vec<f64> = (0..n).map(|r| y[at(r)]).collect();
            f(&row, &other).iter().enumerate().for_each(|(r, &v)| out[at(r)] = v);
        }
    }
    out
}

fn definition(x: &[f64]) -> Vec<f64> {
    let total: f64 = x.iter().map(|v| v.exp()).sum();
    x.iter().map(|v| v.exp() / total).collect()
}

#[test]
fn forward_and_backward_are_the_definitions() {
    for dims in affordable(SHAPES, |dims| dims.iter().product()) {
        let len = dims.iter().product();
        let (x, g) = (numbers(1, len), numbers(2, len));
        let run = |f: &dyn Fn(&mut [f64])| {
            on_thread_counts(|| {
                let mut out = vec![9.0; len];
                f(&mut out);
                out
            })
        };
        let y = run(&|out| softmax(&x, dims, out));
        assert_close(&y, &rows(&x, &x, dims, |x, _| definition(x)), 1e-14);
        let log = run(&|out| log_softmax(&x, dims, out));
        assert_close(&log, &y.iter().map(|v| v.ln()).collect::<Vec<_>>(), 1e-13);
        let want = rows(&g, &y, dims, |g, y| {
            let dot: f64 = g.iter().zip(y).map(|(g, y)| g * y).sum();
            g.iter().zip(y).map(|(g, y)| y * (g - dot)).collect()
        });
        assert_close(&run(&|out| softmax_backward(&g, &y, dims, out)), &want, 1e-13);
        let want = rows(&g, &log, dims, |g, y| {
            let total: f64 = g.iter().sum();
            g.iter().zip(y).map(|(g, y)| g - y.exp() * total).collect()
        });
        assert_close(&run(&|out| log_softmax_backward(&g, &log, dims, out)), &want, 1e-12);
    }
}

#[test]
fn logsumexp_is_the_definition() {
    for dims in affordable(SHAPES, |dims| dims.iter().product()) {
        let x = numbers_f32(3, dims.iter().product());
        let got = on_thread_counts(|| {
            let mut out = vec![9.0f32; dims[0] * dims[2]];
            logsumexp(&x, dims, &mut out);
            out
        });
        let [outer, n, inner] = dims;
        let mut want = Vec::new();
        for o in 0..outer {
            for c in 0..inner {
                let terms = (0..n).map(|r| f64::from(x[(o * n + r) * inner + c]).exp());
                want.push(terms.sum::<f64>().ln());
            }
        }
        assert_close(&widen(&got), &want, 1e-6);
    }
}

#[test]
fn large_numbers_neither_overflow_nor_vanish() {
    for inner in [1, 2] {
        let x: Vec<f32> = [1000.0, 1001.0].into_iter().flat_map(|v| vec![v; inner]).collect();
        let mut out = vec![0.0; 2 * inner];
        softmax(&x, [1, 2, inner], &mut out);
        assert_close(&[f64::from(out[0]), f64::from(out[inner])], &definition(&[0.0, 1.0]), 1e-7);
        log_softmax(&x, [1, 2, inner], &mut out);
        assert_close(&[f64::from(out[0])], &[definition(&[0.0, 1.0])[0].ln()], 1e-6);
        logsumexp(&x, [1, 2, inner], &mut out[..inner]);
        assert_close(&[f64::from(out[0])], &[1001.0 + (1.0 + (-1.0f64).exp()).ln()], 1e-6);
    }
}

#[test]
fn infinities_and_nans_follow_pytorch() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let x = [inf, 0.0, -inf, -inf, nan, inf, inf, -inf, -inf, 0.0];
    let want_log_sum = [inf, -inf, nan, inf, 0.0];
    let want_softmax = [nan, nan, nan, nan, nan, nan, nan, nan, 0.0, 1.0];
    let want_log = [nan, nan, nan, nan, nan, nan, nan, nan, -inf, 0.0];
    let mut out = [9.0; 10];
    softmax(&x, [5, 2, 1], &mut out);
    assert_close(&out, &want_softmax, 0.0);
    log_softmax(&x, [5, 2, 1], &mut out);
    assert_close(&out, &want_log, 0.0);
    let mut sums = [9.0; 5];
    logsumexp(&x, [5, 2, 1], &mut sums);
    assert_close(&sums, &want_log_sum, 0.0);
    // The same pairs as columns.
    let transposed = |v: &[f64]| -> Vec<f64> { (0..10).map(|i| v[i % 5 * 2 + i / 5]).collect() };
    softmax(&transposed(&x), [1, 2, 5], &mut out);
    assert_close(&out, &transposed(&want_softmax), 0.0);
    log_softmax(&transposed(&x), [1, 2, 5], &mut out);
    assert_close(&out, &transposed(&want_log), 0.0);
    logsumexp(&transposed(&x), [1, 2, 5], &mut sums);
    assert_close(&sums, &want_log_sum, 0.0);
}
