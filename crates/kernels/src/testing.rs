//! What the tests of several kernels share.

use crate::parallel;

/// `len` reproducible numbers between −2 and 2.
pub(crate) fn numbers(seed: u64, len: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64 * 4.0 - 2.0
        })
        .collect()
}

/// The numbers as `f32`.
pub(crate) fn numbers_f32(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len).into_iter().map(|x| x as f32).collect()
}

/// Asserts that `make` gives the same bits on 1, 2 and 3 threads, and returns them.
pub(crate) fn on_thread_counts<R: PartialEq + std::fmt::Debug>(make: impl Fn() -> R) -> R {
    parallel::set_num_threads(1);
    let one = make();
    for threads in [2, 3] {
        parallel::set_num_threads(threads);
        assert_eq!(make(), one, "{threads} threads");
    }
    one
}

/// The cases that a test goes through: all of them, but for those of many elements under Miri, which would take hours.
pub(crate) fn affordable<T>(
    cases: impl IntoIterator<Item = T>,
    elements: impl Fn(&T) -> usize,
) -> impl Iterator<Item = T> {
    cases.into_iter().filter(move |case| !cfg!(miri) || elements(case) <= 3000)
}

/// Asserts that two slices agree to `tolerance`, relative to numbers larger than 1; NaN equals NaN.
#[track_caller]
pub(crate) fn assert_close(got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let close = g == w || (g.is_nan() && w.is_nan()) || (g - w).abs() <= tolerance * w.abs().max(1.0);
        assert!(close, "at {i}: {g}, expected {w}");
    }
}

/// `f32` numbers as `f64`.
pub(crate) fn widen(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&v| f64::from(v)).collect()
}
