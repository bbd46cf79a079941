//! Folds of a slice into one value that the compiler can vectorise.
//!
//! A running sum is a chain: each addition waits for the one before, and reordering floats is not the
//! compiler's to decide. So the order is fixed here instead: element i goes to accumulator i mod [`LANES`],
//! and the accumulators are merged as a tree at the end. Sums of floats are accumulated in `f64`, which is
//! as fast as memory delivers `f32` and makes their rounding error one rounding of the result.

use crate::Float;
use crate::prefetch;

/// Accumulators that run side by side.
pub(crate) const LANES: usize = 64;

/// Folds `x` with `combine` after `map`, in the fixed order of lanes.
#[inline(always)]
pub(crate) fn fold<T: Copy, A: Copy>(
    x: &[T],
    identity: A,
    map: impl Fn(T) -> A,
    combine: impl Fn(A, A) -> A,
) -> A {
    if x.len() < LANES {
        return x.iter().fold(identity, |a, &v| combine(a, map(v)));
    }
    let mut lanes = [identity; LANES];
    accumulate(&mut lanes, x, |a, v| combine(a, map(v)));
    merge(lanes, combine)
}

/// Folds pairs of elements of two slices of one length, as [`fold`].
#[inline(always)]
pub(crate) fn fold2<T: Copy, U: Copy, A: Copy>(
    (x, y): (&[T], &[U]),
    identity: A,
    map: impl Fn(T, U) -> A,
    combine: impl Fn(A, A) -> A,
) -> A {
    let mut lanes = [identity; LANES];
    accumulate2(&mut lanes, (x, y), |a, v, w| combine(a, map(v, w)));
    merge(lanes, combine)
}

/// How far ahead of its use memory is asked for. Sums would wait for it at the beginning of each page, where the processor
/// does not yet know that they go on: that of four million numbers took an eighth longer.
const AHEAD: usize = 2048;

/// Elements that [`sum`] and [`sums2`] add up in their own precision before they go on in `f64`: sixteen to a lane.
const STRETCH: usize = 16 * LANES;

/// A sum over elements. Half as much work as a fold in `f64`, at the price of a few roundings in the precision of `T`.
#[inline(always)]
pub(crate) fn sum<T: Float>(x: &[T], map: impl Fn(T) -> T) -> f64 {
    let mut total = 0.0;
    for x in x.chunks(STRETCH) {
        let mut lanes = [T::ZERO; LANES];
        accumulate(&mut lanes, x, |lane, v| lane + map(v));
        total += merge(lanes.map(T::to_f64), |a, b| a + b);
    }
    total
}

/// Two sums over pairs of elements of two slices of one length. Half as much work as two folds in `f64`, at the price of
/// a few roundings in the precision of `T`.
#[inline(always)]
pub(crate) fn sums2<T: Float>((x, y): (&[T], &[T]), map: impl Fn(T, T) -> [T; 2]) -> [f64; 2] {
    let mut totals = [0.0; 2];
    for (x, y) in x.chunks(STRETCH).zip(y.chunks(STRETCH)) {
        let (mut first, mut second) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        let (rows_x, rest_x) = x.as_chunks::<LANES>();
        let (rows_y, rest_y) = y.as_chunks::<LANES>();
        for (x, y) in rows_x.iter().zip(rows_y) {
            for lane in 0..LANES {
                let [a, b] = map(x[lane], y[lane]);
                first[lane] += a;
                second[lane] += b;
            }
        }
        for (lane, (&x, &y)) in rest_x.iter().zip(rest_y).enumerate() {
            let [a, b] = map(x, y);
            first[lane] += a;
            second[lane] += b;
        }
        totals[0] += merge(first.map(T::to_f64), |a, b| a + b);
        totals[1] += merge(second.map(T::to_f64), |a, b| a + b);
    }
    totals
}

/// `lane = step(lane, element)` for each element of `x`, which starts at the first lane.
#[inline(always)]
pub(crate) fn accumulate<T: Copy, A: Copy>(lanes: &mut [A; LANES], x: &[T], step: impl Fn(A, T) -> A) {
    // Four rows of lanes at a time: the lanes are loaded and stored a quarter as often.
    let (fours, x) = x.as_chunks::<{ 4 * LANES }>();
    for four in fours {
        prefetch::slice(four.as_ptr().wrapping_byte_add(AHEAD), size_of_val(four));
        for lane in 0..LANES {
            let two = step(step(lanes[lane], four[lane]), four[LANES + lane]);
            lanes[lane] = step(step(two, four[2 * LANES + lane]), four[3 * LANES + lane]);
        }
    }
    for row in x.chunks(LANES) {
        for (lane, &v) in lanes.iter_mut().zip(row) {
            *lane = step(*lane, v);
        }
    }
}

/// As [`accumulate`], over two slices of one length.
#[inline(always)]
pub(crate) fn accumulate2<T: Copy, U: Copy, A: Copy>(
    lanes: &mut [A; LANES],
    (x, y): (&[T], &[U]),
    step: impl Fn(A, T, U) -> A,
) {
    let (fours_x, x) = x.as_chunks::<{ 4 * LANES }>();
    let (fours_y, y) = y.as_chunks::<{ 4 * LANES }>();
    for (x, y) in fours_x.iter().zip(fours_y) {
        for lane in 0..LANES {
            let at = |k: usize| (x[k * LANES + lane], y[k * LANES + lane]);
            let [a, b, c, d] = [at(0), at(1), at(2), at(3)];
            let two = step(step(lanes[lane], a.0, a.1), b.0, b.1);
            lanes[lane] = step(step(two, c.0, c.1), d.0, d.1);
        }
    }
    for (x, y) in x.chunks(LANES).zip(y.chunks(LANES)) {
        for ((lane, &v), &w) in lanes.iter_mut().zip(x).zip(y) {
            *lane = step(*lane, v, w);
        }
    }
}

/// Merges the lanes as a tree: each half onto the other.
#[inline(always)]
pub(crate) fn merge<A: Copy>(mut lanes: [A; LANES], combine: impl Fn(A, A) -> A) -> A {
    // Rows of lanes first: added lane by lane they stay vectors.
    const ROW: usize = 8;
    let rows = lanes.as_chunks_mut::<ROW>().0;
    let mut height = LANES / ROW / 2;
    while height > 0 {
        let (upper, lower) = rows.split_at_mut(height);
        for (upper, lower) in upper.iter_mut().zip(lower.iter()) {
            *upper = std::array::from_fn(|lane| combine(upper[lane], lower[lane]));
        }
        height /= 2;
    }
    let mut width = ROW / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = combine(lanes[lane], lanes[lane + width]);
        }
        width /= 2;
    }
    lanes[0]
}
