//! Copying blocks: concatenation, padding, triangles.
//!
//! All arrays are contiguous.

use crate::Element;
use crate::parallel;

/// The estimated time for an element, in nanoseconds.
const NS: f64 = 0.4;
/// Elements in a task.
const PIECE: usize = 16_384;

/// Puts arrays next to each other: part p is `[outer, lengths[p]]` and `out` is `[outer, Σ lengths]`.
pub fn concatenate<T: Element>(parts: &[(&[T], usize)], outer: usize, out: &mut [T]) {
    for (part, length) in parts {
        assert_eq!(part.len(), outer * length, "length of a part");
    }
    let width: usize = parts.iter().map(|(_, length)| length).sum();
    assert_eq!(out.len(), outer * width, "output length");
    let mut starts = Vec::with_capacity(parts.len());
    parts.iter().fold(0, |start, (_, length)| {
        starts.push(start);
        start + length
    });
    let ns = NS * out.len() as f64;
    parallel::chunks_mut(out, PIECE, ns, |i, mut out| {
        let (mut row, mut column) = (i * PIECE / width, i * PIECE % width);
        // The last part that starts at or before the column; empty parts start where the next one does.
        let mut p = starts.partition_point(|&start| start <= column) - 1;
        while !out.is_empty() {
            let (part, length) = parts[p];
            let skipped = column - starts[p];
            let run = (length - skipped).min(out.len());
            let (here, rest) = out.split_at_mut(run);
            here.copy_from_slice(&part[row * length + skipped..][..run]);
            out = rest;
            column += run;
            p += 1;
            if p == parts.len() {
                (row, column, p) = (row + 1, 0, 0);
            }
        }
    });
}

/// Puts an array into a larger one of `value`s: its first element at the index `before`.
pub fn pad<T: Element>(
    x: &[T],
    x_shape: &[usize],
    before: &[usize],
    value: T,
    out_shape: &[usize],
    out: &mut [T],
) {
    assert!(x_shape.len() == out_shape.len() && before.len() == out_shape.len(), "numbers of dimensions");
    for (d, &size) in out_shape.iter().enumerate() {
        assert!(before[d] + x_shape[d] <= size, "the array does not fit in dimension {d}");
    }
    assert_eq!(x.len(), x_shape.iter().product::<usize>(), "input length");
    assert_eq!(out.len(), out_shape.iter().product::<usize>(), "output length");
    if x.is_empty() {
        return out.fill(value);
    }
    // Dimensions at the end that stay as they are belong to the row of the one before.
    let same = (1..out_shape.len()).rev().take_while(|&d| x_shape[d] == out_shape[d]).count();
    let last = out_shape.len().saturating_sub(same + 1);
    let inner: usize = out_shape.iter().skip(last + 1).product();
    let size = |shape: &[usize]| shape.get(last).map_or(1, |n| n * inner);
    let (width, x_width) = (size(out_shape), size(x_shape));
    let start = before.get(last).map_or(0, |n| n * inner);
    // The row of x that lies in a row of the output, if there is one.
    let row_of_x = |mut row: usize| {
        let (mut of_x, mut rows) = (0, 1);
        for d in (0..last).rev() {
            let at = (row % out_shape[d]).checked_sub(before[d]).filter(|&at| at < x_shape[d])?;
            of_x += at * rows;
            rows *= x_shape[d];
            row /= out_shape[d];
        }
        Some(of_x)
    };
    let rows = (PIECE / width).max(1);
    let ns = NS * out.len() as f64;
    parallel::chunks_mut(out, rows * width, ns, |i, out| {
        for (k, out) in out.chunks_exact_mut(width).enumerate() {
            match row_of_x(i * rows + k) {
                None => out.fill(value),
                Some(row) => {
                    out[..start].fill(value);
                    out[start..start + x_width].copy_from_slice(&x[row * x_width..][..x_width]);
                    out[start + x_width..].fill(value);
                }
            }
        }
    });
}

/// Copies the elements of `[batch, rows, columns]` on one side of a diagonal, itself included, and puts zeros
/// on the other. The diagonal runs through the places where column − row = `diagonal`.
pub fn triangle<T: Element>(
    x: &[T],
    [batch, rows, columns]: [usize; 3],
    diagonal: isize,
    lower: bool,
    out: &mut [T],
) {
    assert_eq!(x.len(), batch * rows * columns, "input length");
    assert_eq!(out.len(), x.len(), "output length");
    if out.is_empty() {
        return;
    }
    let chunk = (PIECE / columns).max(1);
    parallel::chunks_mut(out, chunk * columns, NS * x.len() as f64, |i, out| {
        let x = &x[i * chunk * columns..][..out.len()];
        for (k, (out, x)) in out.chunks_exact_mut(columns).zip(x.chunks_exact(columns)).enumerate() {
            let row = (i * chunk + k) % rows;
            let first_above = row as i128 + diagonal as i128 + i128::from(lower);
            let cut = first_above.clamp(0, columns as i128) as usize;
            let kept = if lower { 0..cut } else { cut..columns };
            out.fill(T::ZERO);
            out[kept.clone()].copy_from_slice(&x[kept]);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::affordable;

    #[test]
    fn parts_stand_side_by_side_however_the_output_is_cut() {
        let outer = if cfg!(miri) { 40 } else { 700 };
        let lengths = [0, 13, 0, 40, 1, 0];
        let parts: Vec<Vec<i64>> = lengths
            .iter()
            .enumerate()
            .map(|(p, &length)| (0..outer * length).map(|i| (p * 1_000_000 + i) as i64).collect())
            .collect();
        let views: Vec<(&[i64], usize)> = parts.iter().map(Vec::as_slice).zip(lengths).collect();
        let mut out = vec![-1; outer * 54];
        concatenate(&views, outer, &mut out);
        let expected: Vec<i64> = (0..outer)
            .flat_map(|row| views.iter().flat_map(move |(part, n)| part[row * n..(row + 1) * n].to_vec()))
            .collect();
        assert_eq!(out, expected);
    }

    #[test]
    fn padding_surrounds_the_array() {
        let cases = [
            ([2, 3, 4], [0, 0, 0], [2, 3, 4]),
            ([2, 3, 4], [1, 0, 2], [3, 5, 7]),
            ([2, 3, 4], [0, 2, 0], [2, 5, 4]),
            ([2, 3, 4], [3, 0, 0], [6, 3, 4]),
            ([40, 30, 20], [2, 1, 3], [45, 33, 29]),
            ([0, 3, 4], [1, 0, 0], [2, 3, 4]),
        ];
        for (x_shape, before, shape) in affordable(cases, |(_, _, shape)| shape.iter().product()) {
            let x: Vec<i64> = (0..x_shape.iter().product::<usize>() as i64).collect();
            let mut out = vec![0; shape.iter().product()];
            pad(&x, &x_shape, &before, -7, &shape, &mut out);
            for (flat, &got) in out.iter().enumerate() {
                let at = [flat / (shape[1] * shape[2]), flat / shape[2] % shape[1], flat % shape[2]];
                let inside = (0..3).all(|d| at[d] >= before[d] && at[d] < before[d] + x_shape[d]);
                let place = || {
                    let at = [0, 1, 2].map(|d| at[d] - before[d]);
                    ((at[0] * x_shape[1] + at[1]) * x_shape[2] + at[2]) as i64
                };
                assert_eq!(got, if inside { place() } else { -7 }, "{x_shape:?} {shape:?} at {at:?}");
            }
        }
        let mut out = [0.0];
        pad(&[2.5], &[], &[], 0.0, &[], &mut out);
        assert_eq!(out, [2.5]);
    }

    #[test]
    fn triangles_keep_their_side() {
        let [batch, rows, columns] = [2, 3, 4];
        let x: Vec<i64> = (1..=24).collect();
        for diagonal in [isize::MIN, -4, -1, 0, 2, 5, isize::MAX] {
            for lower in [true, false] {
                let mut out = vec![-1; 24];
                triangle(&x, [batch, rows, columns], diagonal, lower, &mut out);
                for (flat, &got) in out.iter().enumerate() {
                    let difference = (flat % columns) as i128 - (flat / columns % rows) as i128;
                    let kept =
                        if lower { difference <= diagonal as i128 } else { difference >= diagonal as i128 };
                    assert_eq!(got, if kept { x[flat] } else { 0 }, "diagonal {diagonal}, lower {lower}");
                }
            }
        }
    }
}
