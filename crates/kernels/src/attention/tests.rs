use super::*;
use crate::testing::{affordable, assert_close, numbers, on_thread_counts};

/// Batch, heads, queries, keys, width, value width.
type Size = (usize, usize, usize, usize, usize, usize);
/// Around the sizes of blocks and tiles.
const SIZES: [Size; 12] = [
    (1, 1, 1, 1, 1, 1),
    (2, 1, 3, 5, 4, 2),
    (6, 3, 17, 9, 5, 33),
    (2, 2, 64, 64, 32, 32),
    (1, 1, 65, 257, 16, 20),
    (3, 1, 130, 70, 40, 24),
    (1, 1, 600, 300, 8, 8),
    (1, 1, 70, 700, 3, 1),
    (2, 1, 5, 0, 3, 2),
    (2, 1, 0, 5, 3, 2),
    (2, 2, 4, 3, 0, 2),
    (2, 2, 4, 3, 2, 0),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    None,
    Keep,
    Add,
}

struct Case {
    attention: Attention,
    q: Vec<f64>,
    k: Vec<f64>,
    v: Vec<f64>,
    g: Vec<f64>,
    keep: Vec<bool>,
    add: Vec<f64>,
    kind: Kind,
}

/// Output, logarithms, and the gradients of queries, keys and values, all `[batch, rows, columns]`.
type Everything = [Vec<f64>; 5];

impl Case {
    fn new((batch, _, queries, keys, width, value_width): Size, kind: Kind, causal: bool) -> Self {
        let attention = Attention { batch, queries, keys, width, value_width, causal, scale: 0.7 };
        let add = numbers(5, batch * queries * keys);
        // The second query of each matrix sees nothing.
        let keep =
            add.iter().enumerate().map(|(i, &x)| x > -0.5 && i / keys.max(1) % queries.max(1) != 1).collect();
        Case {
            attention,
            q: numbers(1, batch * queries * width),
            k: numbers(2, batch * keys * width),
            v: numbers(3, batch * keys * value_width),
            g: numbers(4, batch * queries * value_width),
            keep,
            add,
            kind,
        }
    }

    /// The definition written out, with the whole matrix of scores.
    fn plain(&self) -> Everything {
        let Attention { batch, queries, keys, width, value_width, causal, scale } = self.attention;
        let mut all: Everything = [
            batch * queries * value_width,
            batch * queries,
            batch * queries * width,
            batch * keys * width,
            batch * keys * value_width,
        ]
        .map(|len| vec![0.0; len]);
        let [out, logs, dq, dk, dv] = &mut all;
        for b in 0..batch {
            let q = |i: usize, e: usize| (b * queries + i) * width + e;
            let k = |j: usize, e: usize| (b * keys + j) * width + e;
            let v = |j: usize, e: usize| (b * keys + j) * value_width + e;
            let o = |i: usize, e: usize| (b * queries + i) * value_width + e;
            for i in 0..queries {
                let score = |j: usize| {
                    let at = (b * queries + i) * keys + j;
                    let dot: f64 = (0..width).map(|e| self.q[q(i, e)] * self.k[k(j, e)]).sum();
                    let hidden = (causal && j > i) || (self.kind == Kind::Keep && !self.keep[at]);
                    let add = if self.kind == Kind::Add { self.add[at] } else { 0.0 };
                    if hidden { f64::NEG_INFINITY } else { scale * dot + add }
                };
                let terms: Vec<f64> = (0..keys).map(|j| score(j).exp()).collect();
                let sum: f64 = terms.iter().sum();
                logs[b * queries + i] = if sum == 0.0 { f64::INFINITY } else { sum.ln() };
                if sum == 0.0 {
                    continue;
                }
                let p: Vec<f64> = terms.iter().map(|t| t / sum).collect();
                let dp: Vec<f64> = (0..keys)
                    .map(|j| (0..value_width).map(|e| self.g[o(i, e)] * self.v[v(j, e)]).sum())
                    .collect();
                let mean: f64 = p.iter().zip(&dp).map(|(p, dp)| p * dp).sum();
                for j in 0..keys {
                    let slope = p[j] * (dp[j] - mean) * scale;
                    for e in 0..value_width {
                        out[o(i, e)] += p[j] * self.v[v(j, e)];
                        dv[v(j, e)] += p[j] * self.g[o(i, e)];
                    }
                    for e in 0..width {
                        dq[q(i, e)] += slope * self.k[k(j, e)];
                        dk[k(j, e)] += slope * self.q[q(i, e)];
                    }
                }
            }
        }
        all
    }

    fn run<T: AttentionNumber>(&self, heads: usize) -> Everything {
        let Attention { batch, queries, keys, width, value_width, .. } = self.attention;
        let cast = |x: &[f64]| x.iter().map(|&x| T::of(x)).collect::<Vec<T>>();
        let [q, k, v, g, add] = [&self.q, &self.k, &self.v, &self.g, &self.add].map(|x| cast(x));
        // Queries with their rows as columns, values with rows twice as far apart.
        let mut across = vec![T::NAN; batch * width * queries];
        for b in 0..batch {
            for i in 0..queries {
                for e in 0..width {
                    across[(b * width + e) * queries + i] = q[(b * queries + i) * width + e];
                }
            }
        }
        let mut apart = vec![T::NAN; 2 * batch * keys * value_width];
        for (row, from) in apart.chunks_mut(2 * value_width.max(1)).zip(v.chunks(value_width.max(1))) {
            row[..from.len()].copy_from_slice(from);
        }
        let query = |b: usize| Matrix {
            data: &across[..],
            offset: b * width * queries,
            row_stride: 1,
            column_stride: queries,
        };
        let key = |b: usize| Matrix { offset: b * keys * width, ..Matrix::row_major(&k[..], width) };
        let value = |b: usize| Matrix {
            data: &apart[..],
            offset: 2 * b * keys * value_width,
            row_stride: 2 * value_width,
            column_stride: 1,
        };
        let grad =
            |b: usize| Matrix { offset: b * queries * value_width, ..Matrix::row_major(&g[..], value_width) };
        let keep =
            |b: usize| Matrix { offset: b * queries * keys, ..Matrix::row_major(&self.keep[..], keys) };
        let add = |b: usize| Matrix { offset: b * queries * keys, ..Matrix::row_major(&add[..], keys) };
        let mask = match self.kind {
            Kind::None => None,
            Kind::Keep => Some(Mask::Keep(&keep)),
            Kind::Add => Some(Mask::Add(&add)),
        };
        let inputs = Inputs { query: &query, key: &key, value: &value, mask };
        let mut out = vec![T::NAN; batch * queries * value_width];
        let mut log_sums = vec![[T::NAN; 2]; batch * queries];
        forward(&self.attention, inputs, Output { data: &mut out, heads }, &mut log_sums).unwrap();
        let mut grads = [batch * queries * width, batch * keys * width, batch * keys * value_width]
            .map(|len| vec![T::NAN; len]);
        let matrix = |b: usize| Matrix {
            data: &out[..],
            offset: (b / heads * queries * heads + b % heads) * value_width,
            row_stride: heads * value_width,
            column_stride: 1,
        };
        let results = Results { out: &matrix, log_sums: &log_sums, grad: &grad };
        backward(&self.attention, inputs, results, grads.each_mut().map(|data| Output { data, heads }))
            .unwrap();
        let [dq, dk, dv] = grads;
        let apart = |x: Vec<T>, rows: usize, columns: usize| {
            let mut to = vec![0.0; x.len()];
            for b in 0..batch {
                for i in 0..rows {
                    for e in 0..columns {
                        let from = ((b / heads * rows + i) * heads + b % heads) * columns + e;
                        to[(b * rows + i) * columns + e] = x[from].to_f64();
                    }
                }
            }
            to
        };
        [
            apart(out, queries, value_width),
            log_sums.iter().map(|[most, log]| most.to_f64() + log.to_f64()).collect(),
            apart(dq, queries, width),
            apart(dk, keys, width),
            apart(dv, keys, value_width),
        ]
    }
}

#[test]
fn both_ways_are_the_definition() {
    for size in affordable(SIZES, |&(b, _, q, k, w, v)| b * (q + k) * (w + v) + b * q * k) {
        for kind in [Kind::None, Kind::Keep, Kind::Add] {
            for causal in [false, true] {
                // There even small cases take long: most of a block is padding then.
                if cfg!(miri) && (causal == (kind == Kind::None) || size.2 < 3) {
                    continue;
                }
                let case = Case::new(size, kind, causal);
                let want = case.plain();
                println!("{size:?} {kind:?} causal {causal}");
                for heads in [1, size.1] {
                    for (got, want) in on_thread_counts(|| case.run::<f64>(heads)).iter().zip(&want) {
                        assert_close(got, want, 1e-12);
                    }
                    for (got, want) in case.run::<f32>(heads).iter().zip(&want) {
                        assert_close(got, want, 1e-4);
                    }
                }
            }
        }
    }
}

#[test]
fn large_scores_neither_overflow_nor_vanish() {
    // Keys in two blocks; in the second the largest score is larger by 2000.
    let keys = KEYS + 2;
    let attention =
        Attention { batch: 1, queries: 1, keys, width: 1, value_width: 1, causal: false, scale: 1.0 };
    let mut k = vec![1000.0f32; keys];
    k[KEYS] = 3000.0;
    k[KEYS + 1] = 3001.0;
    let v: Vec<f32> = (0..keys).map(|j| j as f32).collect();
    let (one, k, v) = ([1.0f32], &k[..], &v[..]);
    let query = |_| Matrix::row_major(&one[..], 1);
    let (key, value) = (|_| Matrix::row_major(k, 1), |_| Matrix::row_major(v, 1));
    let (mut out, mut log_sum) = ([0.0], [[0.0; 2]]);
    let inputs = Inputs { query: &query, key: &key, value: &value, mask: None };
    forward(&attention, inputs, Output { data: &mut out, heads: 1 }, &mut log_sum).unwrap();
    let e = 1.0f64.exp();
    let want = (KEYS as f64 + (KEYS + 1) as f64 * e) / (1.0 + e);
    assert_close(
        &[f64::from(out[0]), f64::from(log_sum[0][0] + log_sum[0][1])],
        &[want, 3000.0 + (1.0 + e).ln()],
        1e-6,
    );
}

#[test]
fn infinities_and_nans_come_through() {
    let attention =
        Attention { batch: 1, queries: 3, keys: 2, width: 1, value_width: 1, causal: false, scale: 1.0 };
    let q = [f64::INFINITY, f64::NAN, 1.0];
    let (query, ones) = (|_| Matrix::row_major(&q[..], 1), [1.0; 2]);
    let (key, value) = (|_| Matrix::row_major(&ones[..], 1), |_| Matrix::row_major(&ones[..], 1));
    let (mut out, mut log_sums) = ([0.0; 3], [[0.0; 2]; 3]);
    let inputs = Inputs { query: &query, key: &key, value: &value, mask: None };
    forward(&attention, inputs, Output { data: &mut out, heads: 1 }, &mut log_sums).unwrap();
    assert_close(&out, &[f64::NAN, f64::NAN, 1.0], 0.0);
}
