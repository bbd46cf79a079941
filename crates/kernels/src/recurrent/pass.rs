//! What passes over the gates are made of: functions of a few neighbouring units at a time, held in arrays of their own,
//! since the compiler does not vectorise loops over so many slices at once.

use crate::Float;

/// Units that are computed together.
pub(super) const BLOCK: usize = 16;

/// A number for each of some neighbouring units.
pub(super) type Units<T> = [T; BLOCK];

/// The numbers from `start` on; zeros where there are no more.
#[inline(always)]
pub(super) fn load<T: Float>(x: &[T], start: usize) -> Units<T> {
    match x[start..].first_chunk() {
        Some(units) => *units,
        None => {
            let mut units = [T::ZERO; BLOCK];
            units[..x.len() - start].copy_from_slice(&x[start..]);
            units
        }
    }
}

/// The sums of the numbers from `start` on, as [`load`].
#[inline(always)]
pub(super) fn sum<T: Float>(x: &[T], y: &[T], start: usize) -> Units<T> {
    let (mut x, y) = (load(x, start), load(y, start));
    for l in 0..BLOCK {
        x[l] += y[l];
    }
    x
}

/// Puts back what [`load`] took.
#[inline(always)]
pub(super) fn store<T: Float>(units: &Units<T>, x: &mut [T], start: usize) {
    match x[start..].first_chunk_mut() {
        Some(x) => *x = *units,
        None => {
            let n = x.len() - start;
            x[start..].copy_from_slice(&units[..n]);
        }
    }
}

/// What is there, or zeros.
pub(super) fn start<T: Float>(out: &mut [T], from: Option<&[T]>) {
    match from {
        Some(from) => out.copy_from_slice(from),
        None => out.fill(T::ZERO),
    }
}
