//! Few of many rows: which of them indices name, what is summed up for each, and adding that to an array.

use crate::parallel;
use crate::simd::Kernel;
use crate::{Element, Number};

/// The estimated time for an element of the rows, in nanoseconds.
const NS: f64 = 0.5;
/// Elements in a task.
const PIECE: usize = 16_384;

/// Writes the places of `index` in the order of the indices there, equal ones in their own order: what [`sum_rows`] goes
/// by. Gives the number of different indices.
pub fn order(index: &[i64], places: &mut [i64]) -> usize {
    assert_eq!(places.len(), index.len(), "number of places");
    places.iter_mut().zip(0..).for_each(|(place, i)| *place = i);
    let at = |place: i64| index[place as usize];
    if !index.is_sorted() {
        places.sort_unstable_by_key(|&place| (at(place), place));
    }
    let changes = places.windows(2).filter(|pair| at(pair[0]) != at(pair[1])).count();
    changes + usize::from(!index.is_empty())
}

/// Writes the different indices in rising order, and the sum of the rows of `src`, of `width` elements each, that each
/// of them stands at. A sum begins with 0 and goes in the order of the places, as [`index_add`](super::index_add) adds.
pub fn sum_rows<T: Number>(
    index: &[i64],
    places: &[i64],
    width: usize,
    src: &[T],
    rows: &mut [i64],
    out: &mut [T],
) {
    assert_eq!(places.len(), index.len(), "number of places");
    assert_eq!(src.len(), index.len() * width, "source length");
    assert_eq!(out.len(), rows.len() * width, "output length");
    let at = |place: i64| index[place as usize];
    let mut next = 0;
    for (i, &place) in places.iter().enumerate() {
        if i == 0 || at(places[i - 1]) != at(place) {
            rows[next] = at(place);
            next += 1;
        }
    }
    assert_eq!(next, rows.len(), "number of different indices");
    if out.is_empty() {
        return;
    }
    let rows = &*rows;
    let count = (PIECE / width).max(1);
    parallel::chunks_mut(out, count * width, NS * src.len() as f64, |i, out| {
        let rows = &rows[i * count..][..out.len() / width];
        let first = places.partition_point(|&place| at(place) < rows[0]);
        T::run(Sums { index, places: &places[first..], width, src, rows, out });
    });
}

struct Sums<'a, T> {
    index: &'a [i64],
    places: &'a [i64],
    width: usize,
    src: &'a [T],
    rows: &'a [i64],
    out: &'a mut [T],
}

impl<T: Number> Kernel for Sums<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Sums { index, places, width, src, rows, out } = self;
        let mut places = places.iter().map(|&place| place as usize).peekable();
        for (&row, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
            out.fill(T::ZERO);
            while let Some(place) = places.next_if(|&place| index[place] == row) {
                let src = &src[place * width..][..width];
                out.iter_mut().zip(src).for_each(|(out, &v)| *out = out.add(v));
            }
        }
    }
}

/// Adds rows of `width` elements to those of `out` whose numbers are given, in rising order.
pub fn add_rows<T: Number>(out: &mut [T], width: usize, rows: &[i64], x: &[T]) {
    to_rows(out, width, rows, x, |out, x| T::run(AddRow { out, x }));
}

/// Writes rows of `width` elements over those of `out` whose numbers are given, in rising order.
pub fn put_rows<T: Element>(out: &mut [T], width: usize, rows: &[i64], x: &[T]) {
    to_rows(out, width, rows, x, <[T]>::copy_from_slice);
}

struct AddRow<'a, T> {
    out: &'a mut [T],
    x: &'a [T],
}

impl<T: Number> Kernel for AddRow<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        self.out.iter_mut().zip(self.x).for_each(|(out, &v)| *out = out.add(v));
    }
}

/// Calls `f(row of out, row of x)` for each row that is named.
fn to_rows<T: Element>(
    out: &mut [T],
    width: usize,
    rows: &[i64],
    x: &[T],
    f: impl Fn(&mut [T], &[T]) + Sync,
) {
    assert_eq!(x.len(), rows.len() * width, "length of the rows");
    assert!(rows.is_sorted_by(|a, b| a < b), "rows are named once, in rising order");
    if x.is_empty() {
        return;
    }
    // Each task gets the part of `out` from its first row to that of the next task.
    let count = (PIECE / width).max(1);
    let mut tasks = Vec::with_capacity(rows.len().div_ceil(count));
    let (mut rest, mut start) = (out, 0);
    for (rows, x) in rows.chunks(count).zip(x.chunks(count * width)) {
        let first = rows[0] as usize;
        let end = (rows[rows.len() - 1] as usize + 1) * width;
        let (here, behind) =
            std::mem::take(&mut rest)[first * width - start..].split_at_mut(end - first * width);
        tasks.push((here, rows, x));
        (rest, start) = (behind, end);
    }
    parallel::chunks_mut(&mut tasks, 1, NS * x.len() as f64, |_, tasks| {
        for (out, rows, x) in tasks {
            let first = rows[0] as usize;
            for (&row, x) in rows.iter().zip(x.chunks_exact(width)) {
                f(&mut out[(row as usize - first) * width..][..width], x);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{index_add, index_select};
    use crate::testing::{affordable, numbers, numbers_f32, on_thread_counts};

    #[test]
    fn few_rows_are_those_of_the_whole_array() {
        let cases = [(5, 0, 4), (5, 9, 1), (1000, 40, 3), (100_000, 3000, 33), (7, 4000, 16), (9, 5, 0)];
        for (n, count, width) in affordable(cases, |(n, count, width)| (n + count) * width) {
            let index: Vec<i64> =
                numbers(1, count).iter().map(|v| ((v + 2.0) / 4.0 * n as f64) as i64).collect();
            let src = numbers_f32(2, count * width);
            let base = numbers_f32(3, n * width);
            let (rows, sums, added, put) = on_thread_counts(|| {
                let mut places = vec![-1; count];
                let different = order(&index, &mut places);
                let (mut rows, mut sums) = (vec![-1; different], vec![9.0; different * width]);
                sum_rows(&index, &places, width, &src, &mut rows, &mut sums);
                let (mut added, mut put) = (base.clone(), base.clone());
                add_rows(&mut added, width, &rows, &sums);
                put_rows(&mut put, width, &rows, &sums);
                (rows, sums, added, put)
            });
            assert!(rows.is_sorted_by(|a, b| a < b) && index.iter().all(|at| rows.contains(at)));
            let mut whole = vec![9.0; n * width];
            index_add(None, &mut whole, [1, n, width], &index, &src).unwrap();
            let mut want = vec![9.0; sums.len()];
            index_select(&whole, [1, n, width], &rows, &mut want);
            assert_eq!(sums, want);
            let all = base.iter().zip(&whole).map(|(a, b)| a + b);
            assert_eq!(added, all.collect::<Vec<_>>());
            let named = |i: usize| rows.binary_search(&((i / width) as i64)).is_ok();
            let all = (0..n * width).map(|i| if named(i) { whole[i] } else { base[i] });
            assert_eq!(put, all.collect::<Vec<_>>());
        }
    }

    #[test]
    #[should_panic(expected = "rising order")]
    fn a_row_that_is_named_twice_is_refused() {
        add_rows(&mut [0.0; 4], 1, &[1, 1], &[1.0, 2.0]);
    }
}
