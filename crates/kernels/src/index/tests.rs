use super::*;
use crate::testing::{affordable, numbers, numbers_f32, on_thread_counts};

/// Indices below n.
fn indices(seed: u64, len: usize, n: usize) -> Vec<i64> {
    numbers(seed, len).iter().map(|v| ((v + 2.0) / 4.0 * n as f64) as i64).collect()
}

fn offset(shape: &[usize], at: &[usize]) -> usize {
    shape.iter().zip(at).fold(0, |offset, (&size, &i)| offset * size + i)
}

/// For each element of an index: where it points, by coordinates.
fn pointed(shape: &[usize], dim: usize, index: &[i64], index_shape: &[usize]) -> Vec<usize> {
    (0..index.len())
        .map(|flat| {
            let mut at = vec![0; index_shape.len()];
            let mut rest = flat;
            for d in (0..index_shape.len()).rev() {
                at[d] = rest % index_shape[d];
                rest /= index_shape[d];
            }
            if let Some(at) = at.get_mut(dim) {
                *at = index[flat] as usize;
            }
            offset(shape, &at)
        })
        .collect()
}

#[test]
fn gather_and_scatter_add_go_where_the_coordinates_say() {
    let cases: [(&[usize], usize, &[usize]); 11] = [
        (&[], 0, &[]),
        (&[5], 0, &[9]),
        (&[5], 0, &[0]),
        (&[4, 3], 0, &[6, 2]),
        (&[4, 3], 1, &[2, 5]),
        (&[3, 4, 5], 0, &[7, 4, 3]),
        (&[3, 4, 5], 1, &[2, 9, 5]),
        (&[3, 4, 5], 2, &[3, 2, 11]),
        (&[700, 90], 1, &[650, 100]),
        (&[90, 700], 0, &[100, 650]),
        (&[60, 7, 9, 11], 2, &[50, 6, 90, 10]),
    ];
    for (shape, dim, index_shape) in affordable(cases, |case| case.0.iter().chain(case.2).product()) {
        let (size, count): (usize, usize) = (shape.iter().product(), index_shape.iter().product());
        let index = indices(1, count, shape.get(dim).copied().unwrap_or(1));
        let to = pointed(shape, dim, &index, index_shape);
        let (x, src) = (numbers_f32(2, size), numbers_f32(3, count));
        let (taken, added) = on_thread_counts(|| {
            let (mut taken, mut added) = (vec![9.0; count], x.clone());
            gather(&x, shape, dim, &index, index_shape, &mut taken);
            scatter_add(&mut added, shape, dim, &index, index_shape, &src);
            (taken, added)
        });
        let mut named = vec![-1; count];
        super::numbers(shape, dim, &index, index_shape, &mut named);
        assert_eq!(named, to.iter().map(|&at| at as i64).collect::<Vec<_>>());
        assert_eq!(taken, to.iter().map(|&at| x[at]).collect::<Vec<_>>(), "{shape:?} {dim} {index_shape:?}");
        // f32 additions one after the other: the order is seen in the last bits.
        let mut want = x.clone();
        to.iter().zip(&src).for_each(|(&at, v)| want[at] += v);
        assert_eq!(added, want, "{shape:?} {dim} {index_shape:?}");
    }
}

#[test]
fn index_select_and_index_add_are_the_definitions() {
    let cases = [
        ([1, 1, 1], 3),
        ([1, 5, 4], 0),
        ([0, 5, 4], 3),
        ([2, 5, 0], 3),
        ([3, 5, 4], 7),
        ([1, 300, 64], 2000),
        ([1, 20_000, 16], 500),
        ([3, 2000, 100], 10),
        ([2, 37, 20], 5000),
        ([40, 9, 33], 50),
        ([1, 1000, 1], 60_000),
        ([20, 3, 1], 4000),
    ];
    for ([outer, n, inner], count) in
        affordable(cases, |([outer, n, inner], count)| outer * inner * (n + count))
    {
        let index = indices(4, count, n);
        let (x, src) = (numbers_f32(5, outer * n * inner), numbers_f32(6, outer * count * inner));
        let (taken, added, summed) = on_thread_counts(|| {
            let (mut taken, mut added) = (vec![9.0; outer * count * inner], vec![9.0; x.len()]);
            let mut summed = added.clone();
            index_select(&x, [outer, n, inner], &index, &mut taken);
            index_add(Some(&x), &mut added, [outer, n, inner], &index, &src).unwrap();
            index_add(None, &mut summed, [outer, n, inner], &index, &src).unwrap();
            (taken, added, summed)
        });
        let (mut want_taken, mut want_added, mut want_summed) = (Vec::new(), x.clone(), vec![0.0; x.len()]);
        for o in 0..outer {
            for (i, &at) in index.iter().enumerate() {
                for c in 0..inner {
                    let place = (o * n + at as usize) * inner + c;
                    want_taken.push(x[place]);
                    want_added[place] += src[(o * count + i) * inner + c];
                    want_summed[place] += src[(o * count + i) * inner + c];
                }
            }
        }
        assert_eq!(taken, want_taken);
        assert_eq!(added, want_added);
        assert_eq!(summed, want_summed);
    }
}

#[test]
fn other_types_are_indexed_too() {
    let mut flags = [false; 3];
    index_select(&[true, false], [1, 2, 1], &[1, 0, 0], &mut flags);
    assert_eq!(flags, [false, true, true]);
    let mut counts = [0i64; 2];
    scatter_add(&mut counts, &[2], 0, &[1, 1, 0], &[3], &[1, 1, 1]);
    assert_eq!(counts, [1, 2]);
}
