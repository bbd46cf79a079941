//! QR decomposition by Householder reflections (Golub and Van Loan, "Matrix Computations", 5.2).
//!
//! Sums are made in the order, and rounded at the places, of the library that PyTorch calls for small matrices on
//! processors with AVX-512: up to 16 rows the values are PyTorch's bit for bit, and beyond they are as good.

use chainrule_tensor::FloatElement;

/// So many partial sums make a product of long vectors; a short one is added up from the front.
const LANES: usize = 16;

/// The factor Q of the matrix whose columns, of `m` values each and not more than `m` of them, stand one after the
/// other: replaces them by Q's. Gives the signs of R's diagonal.
pub(super) fn orthogonalize<T: FloatElement>(columns: &mut [T], m: usize) -> Vec<T> {
    let n = columns.len() / m;
    let mut scales = Vec::with_capacity(n);
    let mut signs = Vec::with_capacity(n);
    for i in 0..n {
        let (done, rest) = columns.split_at_mut((i + 1) * m);
        let column = &mut done[i * m + i..];
        let (diagonal, scale) = reflection(column);
        column[0] = T::of(1.0);
        for other in rest.chunks_mut(m) {
            let other = &mut other[i..];
            let share = scale * first_product(column, other);
            other.iter_mut().zip(&*column).for_each(|(x, &v)| *x -= v * share);
        }
        scales.push(scale);
        signs.push(if diagonal > T::of(0.0) {
            T::of(1.0)
        } else if diagonal < T::of(0.0) {
            T::of(-1.0)
        } else {
            T::of(0.0)
        });
    }
    // The reflections in reverse order make Q out of the identity.
    for i in (0..n).rev() {
        let (done, rest) = columns.split_at_mut((i + 1) * m);
        let column = &mut done[i * m..];
        let (scale, reflector) = (scales[i], &column[i..]);
        for other in rest.chunks_mut(m) {
            let other = &mut other[i..];
            let share = scale * second_product(reflector, other);
            other.iter_mut().zip(reflector).for_each(|(x, &v)| *x = fused(-v, share, *x));
        }
        column[..i].fill(T::of(0.0));
        column[i] = T::of(1.0) - scale;
        column[i + 1..].iter_mut().for_each(|x| *x *= -scale);
    }
    signs
}

/// Turns a column into the reflector that maps it to a multiple of the first unit vector (its first value, which is
/// 1, is left as it was). Gives the multiple, and the scale of the reflection.
fn reflection<T: FloatElement>(column: &mut [T]) -> (T, T) {
    let (first, rest) = (column[0], &mut column[1..]);
    let norm = length(rest);
    if norm == T::of(0.0) {
        return (first, T::of(0.0));
    }
    let size = hypotenuse(first.abs(), norm);
    let diagonal = if first >= T::of(0.0) { -size } else { size };
    rest.iter_mut().for_each(|x| *x /= first - diagonal);
    (diagonal, (diagonal - first) / diagonal)
}

/// The Euclidean length, without overflow: in units of the largest value so far.
fn length<T: FloatElement>(values: &[T]) -> T {
    let (mut unit, mut sum) = (T::of(0.0), T::of(1.0));
    for value in values.iter().map(|x| x.abs()).filter(|&x| x != T::of(0.0)) {
        if unit < value {
            let ratio = unit / value;
            sum = T::of(1.0) + sum * ratio * ratio;
            unit = value;
        } else {
            let ratio = value / unit;
            sum += ratio * ratio;
        }
    }
    unit * sum.sqrt()
}

fn hypotenuse<T: FloatElement>(a: T, b: T) -> T {
    let (long, short) = if a < b { (b, a) } else { (a, b) };
    let ratio = short / long;
    long * (T::of(1.0) + ratio * ratio).sqrt()
}

/// The product of two vectors on the way to R.
fn first_product<T: FloatElement>(a: &[T], b: &[T]) -> T {
    if a.len() > 2 * LANES {
        return second_product(a, b);
    }
    a.iter().zip(b).fold(T::of(0.0), |sum, (&a, &b)| sum + a * b)
}

/// The product of two vectors on the way to Q: partial sums, added up by halves.
fn second_product<T: FloatElement>(a: &[T], b: &[T]) -> T {
    let mut sums = [T::of(0.0); LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum = fused(a, b, *sum);
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
        half /= 2;
    }
    sums[0]
}

/// a·b + c in double precision: for `f32` as good as rounded once, and fast on every processor.
fn fused<T: FloatElement>(a: T, b: T, c: T) -> T {
    T::of(a.to_f64() * b.to_f64() + c.to_f64())
}
