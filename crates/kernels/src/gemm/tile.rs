//! The innermost loops of a product: a tile of C that stays in registers over the whole depth.

use super::Onto;
use crate::register::{Register, Registers};

/// The most rows of a tile, on any processor.
pub(super) const MOST_ROWS: usize = 14;

/// A tile's operands: element (l, j) of B is `b[l · b_step + j]`.
#[derive(Clone, Copy)]
pub(super) struct Operands<T> {
    pub(super) depth: usize,
    pub(super) a: Left<T>,
    pub(super) b: *const T,
    pub(super) b_step: usize,
}

/// Where the rows of A lie.
#[derive(Clone, Copy)]
pub(super) enum Left<T> {
    /// Element (i, l) is `a[l · step + i]`, for this a and step.
    Columns(*const T, usize),
    /// Element (i, l) is `a[i · stride + l]`, for this a and stride.
    Rows(*const T, usize),
}

/// `rows` × `columns` elements of C, at most [`Register::TILE_ROWS`] × two registers.
///
/// # Safety
///
/// Of each row of B whole registers may be read: one where `columns` fit, else two. A row to add has at least `columns`
/// elements. C may be written (and read) by nobody else. The processor has the register.
#[inline(always)]
pub(super) unsafe fn tile<T: Registers, V: Register<T>>(
    (rows, columns): (usize, usize),
    operands: Operands<T>,
    onto: Onto<'_, T>,
    (c, c_stride): (*mut T, usize),
) {
    let whole = columns == V::LEN || columns == 2 * V::LEN;
    // Where the tile is wider than C, it is computed elsewhere and what counts is copied.
    let mut margin = [std::mem::MaybeUninit::<T>::uninit(); MOST_ROWS * 32];
    let width = if columns <= V::LEN { V::LEN } else { 2 * V::LEN };
    // SAFETY: the caller's promise; `margin` has room for a tile of the widest registers.
    unsafe {
        if whole {
            by_rows::<T, V>(rows, width, operands, onto, (c, c_stride));
        } else {
            let margin = margin.as_mut_ptr().cast::<T>();
            by_rows::<T, V>(rows, width, operands, Onto::Nothing, (margin, width));
            for i in 0..rows {
                for j in 0..columns {
                    let (c, x) = (c.add(i * c_stride + j), *margin.add(i * width + j));
                    *c = match onto {
                        Onto::Nothing => x,
                        Onto::C(beta) => beta.mul_add(*c, x),
                        Onto::Row(row) => row[j] + x,
                    };
                }
            }
        }
    }
}

/// # Safety
///
/// As [`tile`], for a whole tile.
#[inline(always)]
unsafe fn by_rows<T: Registers, V: Register<T>>(
    rows: usize,
    width: usize,
    operands: Operands<T>,
    onto: Onto<'_, T>,
    c: (*mut T, usize),
) {
    macro_rules! cases {
        ($($r:literal)*) => {
            match (rows, width == V::LEN) {
                // The first condition is a constant: tiles that do not fit the registers are not compiled.
                // SAFETY: the caller's promise.
                $(($r, true) if $r <= V::TILE_ROWS => unsafe { whole::<T, V, $r, 1>(operands, onto, c) },)*
                // SAFETY: as above.
                $(($r, false) if $r <= V::TILE_ROWS => unsafe { whole::<T, V, $r, 2>(operands, onto, c) },)*
                _ => unreachable!("a tile of {rows} rows"),
            }
        };
    }
    cases!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}

/// R rows of N registers.
///
/// # Safety
///
/// As [`tile`].
// Loops over indices, not closures: a closure that is not inlined is compiled without the registers.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
unsafe fn whole<T: Registers, V: Register<T>, const R: usize, const N: usize>(
    operands: Operands<T>,
    onto: Onto<'_, T>,
    (c, c_stride): (*mut T, usize),
) {
    let Operands { depth, a, mut b, b_step } = operands;
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[V::splat(T::ZERO); N]; R];
        match a {
            Left::Columns(mut a, step) => {
                for _ in 0..depth {
                    let mut x = [V::splat(T::ZERO); N];
                    for n in 0..N {
                        x[n] = V::load(b.add(n * V::LEN));
                    }
                    for r in 0..R {
                        let y = V::splat(*a.add(r));
                        for n in 0..N {
                            sums[r][n] = y.mul_add(x[n], sums[r][n]);
                        }
                    }
                    // Beyond the last step there may be no memory.
                    a = a.wrapping_add(step);
                    b = b.wrapping_add(b_step);
                }
            }
            Left::Rows(a, stride) => {
                // Nothing is known of these pointers, so that each stays one. Where it is known how they differ, the
                // compiler computes the next from the one before at every step, which costs as much as the sums.
                let mut rows = [a; R];
                for r in 0..R {
                    rows[r] = std::hint::black_box(a.wrapping_add(r * stride));
                }
                for l in 0..depth {
                    let mut x = [V::splat(T::ZERO); N];
                    for n in 0..N {
                        x[n] = V::load(b.add(n * V::LEN));
                    }
                    for r in 0..R {
                        let y = V::splat(*rows[r].add(l));
                        for n in 0..N {
                            sums[r][n] = y.mul_add(x[n], sums[r][n]);
                        }
                    }
                    b = b.wrapping_add(b_step);
                }
            }
        }
        // The cases outside of the loops, so that these are unrolled and the sums stay where they are.
        match onto {
            Onto::Nothing => {
                for r in 0..R {
                    for n in 0..N {
                        sums[r][n].store(c.add(r * c_stride + n * V::LEN));
                    }
                }
            }
            Onto::C(beta) => {
                let beta = V::splat(beta);
                for r in 0..R {
                    for n in 0..N {
                        let c = c.add(r * c_stride + n * V::LEN);
                        beta.mul_add(V::load(c), sums[r][n]).store(c);
                    }
                }
            }
            Onto::Row(row) => {
                for n in 0..N {
                    let (one, row) = (V::splat(T::ONE), V::load(row.as_ptr().add(n * V::LEN)));
                    for r in 0..R {
                        one.mul_add(row, sums[r][n]).store(c.add(r * c_stride + n * V::LEN));
                    }
                }
            }
        }
    }
}
