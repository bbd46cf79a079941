//! One index for each slice: index-select and index-add.

use crate::memory::{OutOfMemory, try_collect};
use crate::parallel;
use crate::prefetch;
use crate::simd::Kernel;
use crate::{Element, Number};

/// The estimated time for an element of the slices, in nanoseconds.
const NS: f64 = 0.25;
/// The same for an element of an array that is only copied or filled.
const NS_FILL: f64 = 0.1;
/// Elements in a task.
const PIECE: usize = 16_384;
/// Additions to many rows are divided by rows into parts of so many elements, which the second-level cache holds ...
const PART: usize = 65_536;
/// ... and into so many where there is work for several threads.
const PARTS: usize = 16;
/// So many indices ahead slices are asked for: where an index leads the processor cannot know before.
const AHEAD: usize = 8;

/// `out[o][i] = x[o][index[i]]`: slices of `inner` elements out of a contiguous `[outer, n, inner]` array into
/// `[outer, index.len(), inner]`, as `torch.index_select` and the forward pass of an embedding.
pub fn index_select<T: Element>(x: &[T], [outer, n, inner]: [usize; 3], index: &[i64], out: &mut [T]) {
    assert_eq!(x.len(), outer * n * inner, "input length");
    assert_eq!(out.len(), outer * index.len() * inner, "output length");
    if out.is_empty() {
        return;
    }
    let slices = (PIECE / inner).max(1);
    parallel::chunks_mut(out, slices * inner, NS * (outer * index.len() * inner) as f64, |i, out| {
        let from = |slice: usize| {
            let (plane, at) = (slice / index.len(), slice % index.len());
            &x[(plane * n + index[at] as usize) * inner..][..inner]
        };
        let last = outer * index.len() - 1;
        for (k, out) in out.chunks_exact_mut(inner).enumerate() {
            let slice = i * slices + k;
            if inner == 1 {
                out[0] = from(slice)[0];
            } else {
                let ahead = from((slice + AHEAD).min(last));
                prefetch::slice(ahead.as_ptr(), size_of_val(ahead));
                out.copy_from_slice(from(slice));
            }
        }
    });
}

/// `out[o][i] = base[o][i] + Σ src[o][j]` over the j with `index[j]` = i: slices of a contiguous
/// `[outer, index.len(), inner]` array added, in order, to those of an `[outer, n, inner]` one; without a base to
/// zeros. As `torch.index_add`, and the backward pass of an embedding.
///
/// # Errors
/// Where there is no memory for the order of the indices.
pub fn index_add<T: Number>(
    base: Option<&[T]>,
    out: &mut [T],
    [outer, n, inner]: [usize; 3],
    index: &[i64],
    src: &[T],
) -> Result<(), OutOfMemory> {
    assert_eq!(out.len(), outer * n * inner, "output length");
    assert!(base.is_none_or(|base| base.len() == out.len()), "base length");
    assert_eq!(src.len(), outer * index.len() * inner, "source length");
    if out.is_empty() {
        return Ok(());
    }
    let prepare = |start: usize, out: &mut [T]| match base {
        Some(base) => out.copy_from_slice(&base[start..start + out.len()]),
        None => out.fill(T::ZERO),
    };
    let source = index.len() * inner;
    let ns = NS * src.len() as f64 + NS_FILL * out.len() as f64;
    if outer >= PARTS || inner < 8 {
        let planes = (PIECE / source.max(n * inner)).max(1);
        parallel::chunks_mut(out, planes * n * inner, ns, |i, out| {
            prepare(i * planes * n * inner, out);
            for (k, out) in out.chunks_exact_mut(n * inner).enumerate() {
                let src = &src[(i * planes + k) * source..][..source];
                T::run(Add { out, inner, index, first: 0, places: 0..index.len(), src });
            }
        });
        return Ok(());
    }
    // Each task adds to some of the rows only, and is given the places in `index` that name these rows, in order.
    let work = source + n * inner;
    let rows = n.div_ceil((n * inner).div_ceil(PART).max(PARTS.min(work / PIECE)).clamp(1, n));
    let (places, starts) = by_part(index, rows, n.div_ceil(rows))?;
    for o in 0..outer {
        let (plane, src) = (o * n * inner, &src[o * source..][..source]);
        parallel::chunks_mut(&mut out[plane..plane + n * inner], rows * inner, ns, |i, out| {
            prepare(plane + i * rows * inner, out);
            let places = places[starts[i]..starts[i + 1]].iter().copied();
            T::run(Add { out, inner, index, first: i * rows, places, src });
        });
    }
    Ok(())
}

/// The places of `index` in order of the part that the index falls into, of `rows` each, and then in their own; and
/// where each part begins, and the last ends.
fn by_part(index: &[i64], rows: usize, parts: usize) -> Result<(Vec<usize>, Vec<usize>), OutOfMemory> {
    let zeros = |len: usize| try_collect(std::iter::repeat_n(0, len), len);
    let mut starts = zeros(parts + 1)?;
    index.iter().for_each(|&at| starts[at as usize / rows + 1] += 1);
    for i in 0..parts {
        starts[i + 1] += starts[i];
    }
    let mut next = try_collect(starts.iter().copied(), starts.len())?;
    let mut places = zeros(index.len())?;
    for (place, &at) in index.iter().enumerate() {
        let next = &mut next[at as usize / rows];
        places[*next] = place;
        *next += 1;
    }
    Ok((places, starts))
}

/// Adds the slices of `src` at some places to the rows of `out` that the indices there name, of which `out` holds those
/// from the first on.
struct Add<'a, T, P> {
    out: &'a mut [T],
    inner: usize,
    index: &'a [i64],
    first: usize,
    places: P,
    src: &'a [T],
}

impl<T: Number, P: Iterator<Item = usize>> Kernel for Add<'_, T, P> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Add { out, inner, index, first, places, src } = self;
        for place in places {
            let row = index[place] as usize - first;
            let pairs = out[row * inner..][..inner].iter_mut().zip(&src[place * inner..][..inner]);
            pairs.for_each(|(out, &v)| *out = out.add(v));
        }
    }
}
