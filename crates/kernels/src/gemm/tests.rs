use super::*;
use crate::parallel::set_num_threads;
use crate::testing::affordable;

/// Numbers in [-1, 1] with no pattern that a wrong index could hide behind.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..len).map(|_| next() as i64 as f64 / i64::MAX as f64).collect()
}

/// The definition.
fn plain(
    (m, n, k): (usize, usize, usize),
    a: Matrix<'_, f64>,
    b: Matrix<'_, f64>,
    beta: f64,
    c: &[f64],
) -> Vec<f64> {
    let at =
        |x: &Matrix<'_, f64>, i: usize, j: usize| x.data[x.offset + i * x.row_stride + j * x.column_stride];
    let old = |i: usize| if beta == 0.0 { 0.0 } else { beta * c[i] };
    (0..m * n).map(|i| old(i) + (0..k).map(|l| at(&a, i / n, l) * at(&b, l, i % n)).sum::<f64>()).collect()
}

/// Ways to lay a matrix out: offset, row stride, column stride.
fn layouts(rows: usize, columns: usize) -> [(usize, usize, usize); 6] {
    [(0, columns, 1), (3, 1, rows), (5, columns + 7, 1), (1, 2 * columns + 1, 2), (2, 0, 1), (4, 1, 0)]
}

fn with_data<T>(data: &[T], (offset, row_stride, column_stride): (usize, usize, usize)) -> Matrix<'_, T> {
    Matrix { data, offset, row_stride, column_stride }
}

fn close(got: &[f64], want: &[f64], bound: f64, what: &str) {
    assert_eq!(got.len(), want.len());
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= bound, "{what}: element {i} is {g}, not {w}");
    }
}

const SIZES: [usize; 6] = [0, 1, 2, 17, 64, 130];

#[test]
fn every_layout_and_size_gives_the_definition() {
    let data_a = noise(300 * 150, 1);
    let data_b = noise(300 * 150, 2);
    let single = |x: &[f64]| x.iter().map(|&x| x as f32).collect::<Vec<f32>>();
    let (single_a, single_b) = (single(&data_a), single(&data_b));
    let sizes = |x: &[f64]| x.iter().map(|x| x.abs()).collect::<Vec<f64>>();
    let (size_a, size_b, ones) = (sizes(&data_a), sizes(&data_b), vec![1.0; 130 * 130]);
    let mut case = 0;
    for (m, n, k) in
        SIZES.iter().flat_map(|&m| SIZES.iter().flat_map(move |&n| SIZES.iter().map(move |&k| (m, n, k))))
    {
        for (i, layout_a) in layouts(m, k).into_iter().enumerate() {
            // Each layout of A with two of B, all pairs over the sizes.
            for j in [case % 6, (case / 6 + i) % 6] {
                case += 1;
                if cfg!(miri) && (case % 97 > 0 || m * n * k > 5000) {
                    continue;
                }
                let layout_b = layouts(k, n)[j];
                let (a, b) = (with_data(&data_a, layout_a), with_data(&data_b, layout_b));
                let beta = [0.0, 1.0, -0.5][case % 3];
                let before = if beta == 0.0 { vec![f64::NAN; m * n] } else { noise(m * n, 3) };
                let want = plain((m, n, k), a, b, beta, &before);
                let what = format!("{m}x{n}x{k}, beta {beta}, {layout_a:?} {layout_b:?}");
                let mut c = before.clone();
                gemm((m, n, k), a, b, beta, &mut c).unwrap();
                close(&c, &want, 1e-13 * (k + 1) as f64, &what);
                let mut c = single(&before);
                gemm(
                    (m, n, k),
                    with_data(&single_a, layout_a),
                    with_data(&single_b, layout_b),
                    beta as f32,
                    &mut c,
                )
                .unwrap();
                // Each of k + 2 roundings is relative to at most the sum of the terms' sizes.
                let positive = plain(
                    (m, n, k),
                    with_data(&size_a, layout_a),
                    with_data(&size_b, layout_b),
                    1.0,
                    &ones[..m * n],
                );
                for ((c, want), size) in c.iter().zip(&want).zip(&positive) {
                    let bound = f64::from(f32::EPSILON) * (k + 2) as f64 * size;
                    assert!((f64::from(*c) - want).abs() <= bound, "{what}: {c}, not {want}");
                }
            }
        }
    }
}

#[test]
fn a_row_is_added_as_if_each_row_of_c_held_it() {
    fn check<T: GemmNumber>(of: impl Fn(f64) -> T) {
        let data: Vec<T> = noise(if cfg!(miri) { 4000 } else { 100_000 }, 5).into_iter().map(of).collect();
        let sizes = [(0, 3, 2), (3, 0, 2), (2, 3, 0), (1, 70, 30), (70, 1, 30), (64, 96, 300), (37, 45, 20)];
        for (m, n, k) in affordable(sizes, |(m, n, k)| m * n * k / 16) {
            let (a, b) = (Matrix::row_major(&data, k), Matrix::row_major(&data[1..], n));
            let row = &data[7..][..n];
            let mut want: Vec<T> = row.repeat(m);
            gemm((m, n, k), a, b, T::ONE, &mut want).unwrap();
            let mut c = vec![data[0]; m * n];
            gemm((m, n, k), a, b, Onto::Row(row), &mut c).unwrap();
            assert_eq!(c, want, "{m}x{n}x{k}");
        }
        if cfg!(miri) {
            return;
        }
        // Few enough outputs for the depth to be cut.
        let (a, b) = (Matrix::row_major(&data, 3000), Matrix::row_major(&data, 33));
        let mut want = data[..33].repeat(33);
        gemm((33, 33, 3000), a, b, T::ONE, &mut want).unwrap();
        let mut c = vec![data[0]; 33 * 33];
        gemm((33, 33, 3000), a, b, Onto::Row(&data[..33]), &mut c).unwrap();
        assert_eq!(c, want);
    }
    check(|x| x as f32);
    check(|x| x);
    check(|x| (x * 1e18) as i64);
}

#[test]
fn integers_wrap_and_are_exact() {
    let data: Vec<i64> = noise(5000, 4).into_iter().map(|x| (x * 1e18) as i64).collect();
    for (m, n, k) in [(1, 1, 1), (3, 4, 5), (1, 17, 20), (17, 1, 20), (17, 18, 19), (2, 3, 0)] {
        for (layout_a, layout_b) in layouts(m, k).into_iter().zip(layouts(k, n)) {
            let (a, b) = (with_data(&data, layout_a), with_data(&data, layout_b));
            let at = |x: &Matrix<'_, i64>, i: usize, j: usize| {
                x.data[x.offset + i * x.row_stride + j * x.column_stride]
            };
            for beta in [0, 1, -3] {
                let mut c = vec![7; m * n];
                gemm((m, n, k), a, b, beta, &mut c).unwrap();
                for (i, c) in c.into_iter().enumerate() {
                    let want = (0..k).fold(7i64.wrapping_mul(beta), |sum, l| {
                        sum.wrapping_add(at(&a, i / n, l).wrapping_mul(at(&b, l, i % n)))
                    });
                    assert_eq!(c, want);
                }
            }
        }
    }
}

/// Shapes that are cut by rows, by columns, by both, by depth, and matrix-vector products cut either way.
const LARGE: [(usize, usize, usize); 8] = [
    (2000, 40, 300),
    (40, 2000, 300),
    (500, 500, 500),
    (10, 9, 100_003),
    (20, 300, 9000),
    (1, 3000, 1000),
    (700, 1, 999),
    (1, 1, 300_001),
];

#[test]
#[cfg_attr(miri, ignore = "large products")]
fn threads_change_no_bit_and_large_products_are_right() {
    for (m, n, k) in LARGE {
        let (a, b) = (noise(m * k, 5), noise(k * n, 6));
        for (a, b) in [
            (Matrix::row_major(&a, k), Matrix::row_major(&b, n)),
            (Matrix::row_major(&a, m).transposed(), Matrix::row_major(&b, k).transposed()),
        ] {
            let before = noise(m * n, 7);
            let results = [1, 2, 3].map(|threads| {
                set_num_threads(threads);
                let mut c = before.clone();
                gemm((m, n, k), a, b, 0.5, &mut c).unwrap();
                c
            });
            assert!(results[0] == results[1] && results[0] == results[2], "{m}x{n}x{k}");
            close(&results[0], &plain((m, n, k), a, b, 0.5, &before), 1e-11, &format!("{m}x{n}x{k}"));
        }
    }
}

#[test]
fn batches_are_products_one_by_one() {
    let sizes =
        [(0, 3, 4, 5), (3, 3, 4, 5), (40, 3, 4, 5), (5, 130, 64, 64), (20, 1, 70, 64), (33, 64, 64, 0)];
    for (batch, m, n, k) in affordable(sizes, |(batch, m, n, k)| batch * m * n * (k + 10) / 40) {
        let (data_a, data_b) = (noise(batch * m * k, 8), noise(k * n, 9));
        let a = |i: usize| Matrix { offset: i * m * k, ..Matrix::row_major(&data_a, k) };
        let b = |_| Matrix::row_major(&data_b, n);
        let before = noise(batch * m * n, 10);
        for threads in [1, 3] {
            set_num_threads(threads);
            let mut c = before.clone();
            batched(batch, (m, n, k), a, b, 2.0, &mut c).unwrap();
            for i in 0..batch {
                let part = i * m * n..(i + 1) * m * n;
                close(&c[part.clone()], &plain((m, n, k), a(i), b(i), 2.0, &before[part]), 1e-11, "batch");
            }
        }
    }
}

#[test]
#[should_panic(expected = "B reaches beyond its memory")]
fn operands_stay_within_their_memory() {
    let data = [0.0f32; 12];
    let short = Matrix { data: &data, offset: 1, row_stride: 3, column_stride: 1 };
    gemm((4, 3, 4), Matrix { row_stride: 0, ..short }, short, 0.0, &mut [0.0; 12]).unwrap();
}
