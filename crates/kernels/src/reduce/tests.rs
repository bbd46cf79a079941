use super::*;
use crate::testing::{affordable, assert_close, numbers, numbers_f32, on_thread_counts, widen};

/// Shapes that reach every path: no rows, one row, narrow and wide rows, several blocks, several tasks.
const SHAPES: [[usize; 3]; 14] = [
    [3, 0, 2],
    [0, 3, 2],
    [2, 3, 0],
    [1, 1, 1],
    [7, 5, 1],
    [3000, 33, 1],
    [2, 70_001, 1],
    [1, 1_000_000, 1],
    [5, 7, 3],
    [1, 40_000, 5],
    [2, 600, 70],
    [1, 300, 1500],
    [3, 1030, 1024],
    [1, 2, 60_000],
];

fn size([outer, n, inner]: [usize; 3]) -> (usize, usize) {
    (outer * n * inner, outer * inner)
}

/// The definition: for each output, its values in order.
fn reference<T: Copy, R>(x: &[T], [outer, n, inner]: [usize; 3], f: impl Fn(&[T]) -> R) -> Vec<R> {
    let mut out = Vec::new();
    for o in 0..outer {
        for c in 0..inner {
            let column: Vec<T> = (0..n).map(|r| x[(o * n + r) * inner + c]).collect();
            out.push(f(&column));
        }
    }
    out
}

#[test]
fn sums_are_those_of_the_definition_for_every_shape_and_thread_count() {
    for dims in affordable(SHAPES, |dims| dims.iter().product()) {
        let (len, outputs) = size(dims);
        let x = numbers_f32(1, len);
        let got = on_thread_counts(|| {
            let mut out = vec![9.0f32; outputs];
            sum(&x, dims, &mut out);
            out
        });
        let want = reference(&widen(&x), dims, |column| column.iter().sum::<f64>());
        assert_close(&widen(&got), &want, 1e-7);
        let x = numbers(2, len);
        let mut got = vec![9.0; outputs];
        sum(&x, dims, &mut got);
        assert_close(&got, &reference(&x, dims, |column| column.iter().sum::<f64>()), 1e-11);
    }
}

#[test]
#[cfg_attr(miri, ignore = "ten million of anything")]
fn ten_million_tenths_make_a_million() {
    let x = vec![0.1f32; 10_000_000];
    let want = 0.1f32 as f64 * 1e7;
    for dims in [[1, 10_000_000, 1], [1, 1_000_000, 10], [1, 5000, 2000]] {
        let mut out = vec![0.0f32; dims[2]];
        sum(&x, dims, &mut out);
        let total: f64 = out.iter().map(|&v| f64::from(v)).sum();
        assert!((total - want).abs() <= 1e-7 * want, "{dims:?}: {total}");
    }
}

#[test]
fn infinities_and_nans_reach_the_sum() {
    let inf = f32::INFINITY;
    let x = [1.0, inf, inf, 2.0, inf, -inf, f32::NAN, 0.0];
    let mut out = [0.0; 4];
    sum(&x, [4, 2, 1], &mut out);
    assert_eq!(out[..2], [inf, inf]);
    assert!(out[2].is_nan() && out[3].is_nan());
}

#[test]
fn integers_wrap_around_and_booleans_count() {
    let mut out = [0];
    sum_i64(&[i64::MAX, 1, 1], [1, 3, 1], |v| v, &mut out);
    assert_eq!(out, [i64::MIN + 1]);
    for dims in affordable(SHAPES, |dims| dims.iter().product()) {
        let (len, outputs) = size(dims);
        let x: Vec<bool> = numbers(3, len).iter().map(|&v| v > 1.0).collect();
        let mut got = vec![9; outputs];
        sum_i64(&x, dims, i64::from, &mut got);
        assert_eq!(got, reference(&x, dims, |column| column.iter().filter(|&&v| v).count() as i64));
        let mut got = vec![true; outputs];
        any(&x, dims, &mut got);
        assert_eq!(got, reference(&x, dims, |column| column.iter().any(|&v| v)));
        let x: Vec<bool> = x.iter().map(|v| !v).collect();
        all(&x, dims, &mut got);
        assert_eq!(got, reference(&x, dims, |column| column.iter().all(|&v| v)));
    }
}

#[test]
fn products_are_those_of_the_definition() {
    for dims in affordable(SHAPES, |dims| dims.iter().product()) {
        let (len, outputs) = size(dims);
        let x: Vec<f64> = numbers(4, len).iter().map(|v| 1.0 + v / 1000.0).collect();
        let got = on_thread_counts(|| {
            let mut out = vec![9.0; outputs];
            prod(&x, dims, &mut out);
            out
        });
        assert_close(&got, &reference(&x, dims, |column| column.iter().product::<f64>()), 1e-10);
    }
    let mut out = [0i64];
    prod_i64(&[3, -4, 5], [1, 3, 1], &mut out);
    assert_eq!(out, [-60]);
}

/// The definition of `torch.max(dim)`, by plain comparison.
fn first_extremum(column: &[f32], larger: bool) -> (u32, i64) {
    let mut best = 0;
    for (i, &v) in column.iter().enumerate() {
        let beats = if larger { v > column[best] } else { v < column[best] };
        if !column[best].is_nan() && (beats || v.is_nan()) {
            best = i;
        }
    }
    (column[best].to_bits(), best as i64)
}

#[test]
fn the_first_extremum_wins_and_the_first_nan_beats_it() {
    for dims in affordable(SHAPES, |dims| dims.iter().product()) {
        let (len, outputs) = size(dims);
        if dims[1] == 0 {
            continue;
        }
        for nan_below in [-3.0, -1.999] {
            // Few different values make many ties.
            let x: Vec<f32> = numbers(5, len)
                .iter()
                .map(|&v| if v < nan_below { f32::NAN } else { (v * 3.0).round() as f32 })
                .collect();
            for larger in [true, false] {
                let got = on_thread_counts(|| {
                    let (mut values, mut indices) = (vec![9.0f32; outputs], vec![9; outputs]);
                    extremum(&x, dims, larger, &mut values, &mut indices);
                    values.into_iter().map(f32::to_bits).zip(indices).collect::<Vec<_>>()
                });
                let want = reference(&x, dims, |column| first_extremum(column, larger));
                let equal = |a: f32, b: f32| a == b || (a.is_nan() && b.is_nan());
                for ((value, index), (want_value, want_index)) in got.iter().zip(&want) {
                    assert_eq!(index, want_index, "{dims:?}");
                    assert!(equal(f32::from_bits(*value), f32::from_bits(*want_value)));
                }
                let mut values = vec![9.0f32; outputs];
                extreme_values(&x, dims, larger, &mut values);
                assert!(values.iter().zip(&want).all(|(v, (w, _))| equal(*v, f32::from_bits(*w))));
            }
        }
    }
}

#[test]
fn extremes_of_infinities_integers_and_booleans() {
    let (mut value, mut index) = ([0.0], [9]);
    extremum(&[f64::NEG_INFINITY; 3], [1, 3, 1], true, &mut value, &mut index);
    assert_eq!((value, index), ([f64::NEG_INFINITY], [0]));
    let mut out = [0i64];
    extreme_values(&[i64::MIN, i64::MIN], [1, 2, 1], true, &mut out);
    assert_eq!(out, [i64::MIN]);
    extreme_values(&[i64::MAX, i64::MAX], [1, 2, 1], false, &mut out);
    assert_eq!(out, [i64::MAX]);
    let mut out = [true; 2];
    extreme_values(&[false, false, false, true], [2, 2, 1], true, &mut out);
    assert_eq!(out, [false, true]);
    extreme_values(&[true, true, false, true], [2, 2, 1], false, &mut out);
    assert_eq!(out, [true, false]);
}

#[test]
#[should_panic(expected = "an extremum of no values")]
fn no_values_have_no_extremum() {
    extremum::<f32>(&[], [1, 0, 1], true, &mut [0.0], &mut [0]);
}

/// Two values are 0, one is infinite or none is, in some of the runs.
#[test]
fn one_value_is_left_out_of_each_product() {
    for dims in affordable([[1, 5, 1], [3, 4, 1], [2, 3, 5], [1, 100, 300], [0, 3, 2], [2, 0, 3]], |dims| {
        dims.iter().product()
    }) {
        let [outer, n, inner] = dims;
        let mut x = numbers(2, outer * n * inner);
        x.iter_mut().skip(2).step_by(7).for_each(|x| *x = 0.0);
        x.iter_mut().skip(3).step_by(31).for_each(|x| *x = f64::NEG_INFINITY);
        let scale = numbers(3, outer * inner);
        let got = on_thread_counts(|| {
            let mut out = vec![9.0; x.len()];
            prod_of_others(&x, &scale, dims, &mut out);
            out.iter()
                .map(|v| v.to_bits() & if v.is_nan() { f64::NAN.to_bits() } else { u64::MAX })
                .collect::<Vec<_>>()
        });
        let got: Vec<f64> = got.into_iter().map(f64::from_bits).collect();
        let want: Vec<f64> = (0..x.len())
            .map(|k| {
                let (plane, row, column) = (k / (n * inner), k / inner % n, k % inner);
                let others = (0..n).filter(|&j| j != row).map(|j| x[(plane * n + j) * inner + column]);
                scale[plane * inner + column] * others.product::<f64>()
            })
            .collect();
        for (i, (got, want)) in got.iter().zip(&want).enumerate() {
            let near = (got - want).abs() <= 1e-12 * want.abs();
            assert!(
                near || got == want || got.is_nan() && want.is_nan(),
                "{dims:?}, {i}: {got} instead of {want}"
            );
        }
    }
}

#[test]
fn products_have_no_bounds_on_the_way() {
    let product = |x: &[f64]| {
        let mut out = [0.0];
        prod(x, [1, x.len(), 1], &mut out);
        out[0]
    };
    assert!((product(&[1e200, 1e200, 1e-200, 2e-200]) - 2.0).abs() < 1e-15);
    // A subnormal number on the way would have a few digits only.
    assert!((product(&[1e-160, 1.2345e-160, 1e200]) / 1.2345e-120 - 1.0).abs() < 1e-15);
    assert_eq!(product(&[5e-324, 0.5f64.powi(-1000)]), 0.5f64.powi(74));
    assert_eq!(product(&[1e200, 1e200]), f64::INFINITY);
    assert_eq!(product(&[-1e-200, 1e-200]), 0.0);
    assert_eq!(product(&[1e200, 1e200, 0.0]), 0.0);
    assert!(product(&[f64::INFINITY, 0.0]).is_nan());
    let mut out = [0.0f32; 3];
    prod(&[1e30f32, 2.0, 3.0, 1e30, 2.0, 3.0, 1e-30, 2.0, 3.0, 1e-30, 2.0, 3.0], [1, 4, 3], &mut out);
    assert!((out[0] - 1.0).abs() < 1e-6);
    assert_eq!(out[1..], [16.0, 81.0]);

    let others = |x: &[f64]| {
        let mut out = vec![9.0; x.len()];
        prod_of_others(x, &[1.0], [1, x.len(), 1], &mut out);
        out
    };
    assert_eq!(others(&[1e200, 0.0, 0.0, 1e200, 1e200]), [0.0; 5]);
    assert_eq!(others(&[1e13, 0.0, 1e300, 1e300]), [0.0, f64::INFINITY, 0.0, 0.0]);
    let got = others(&[1e200, 1e200, 1e-200, 1e-200]);
    assert!((got[0] / 1e-200 - 1.0).abs() < 1e-14 && (got[3] / 1e200 - 1.0).abs() < 1e-14, "{got:?}");
    let (x, mut out) = ([1e13f32, 0.0, 0.0, 1e13, 1e13, 0.0, 1e13, 1e13, 1e13], [9.0f32; 9]);
    prod_of_others(&x, &[1.0], [1, 9, 1], &mut out);
    assert_eq!(out, [0.0; 9]);
}
