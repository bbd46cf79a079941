//! The matrix products at the positions.

use super::POSITIONS;
use super::positions::Positions;
use crate::register::{Register, Registers};

/// Products of so many channels are summed up before they are added to those before: a multiple of every register's
/// length. Most of the rounding errors are made in these sums. Sums of 512 in one go make the mean error three times as
/// great; with 16 it is a seventh smaller than with 32 for 64 channels, but the time 3 % more.
const CHAIN: usize = 32;

/// Tiles that a block must have memory for: the innermost loop takes whole units of rows, of which this is a multiple.
pub(super) fn padded(tiles: usize) -> usize {
    tiles.next_multiple_of(7).next_multiple_of(3)
}

/// At each position C = A·B: A of tiles by channels, B of channels by output channels, C of tiles by output channels.
///
/// # Safety
///
/// Memory is there for the positions, tiles rounded up to `padded`; the processor has the register.
#[inline(always)]
pub(super) unsafe fn tiles_by_channels<T: Registers, V: Register<T>>(
    tiles: usize,
    channels: usize,
    (a, a_positions): (*const T, Positions),
    (b, b_positions): (*const T, Positions),
    (c, c_positions): (*mut T, Positions),
) {
    let groups = c_positions.groups(V::LEN);
    // Tiles of 14 rows, or of 6 where fewer registers than that are there to hold them.
    let most = if V::TILE_ROWS == 14 { 14 } else { 6 };
    for position in 0..POSITIONS {
        let mut group = 0;
        while group < groups {
            let b = b.wrapping_add(b_positions.at(position, group, 0, V::LEN));
            let b = (b, b_positions.rows * V::LEN);
            let mut tile = 0;
            while tile < tiles {
                let a = a.wrapping_add(a_positions.at(position, 0, tile, V::LEN));
                let a = (a, a_positions.rows * V::LEN);
                let c = c.wrapping_add(c_positions.at(position, group, tile, V::LEN));
                let c = (c, c_positions.rows * V::LEN);
                let two = group + 1 < groups;
                // SAFETY: the caller's promise.
                tile += unsafe {
                    match (most == 14, tiles - tile > most / 2, two) {
                        (true, true, true) => by_channels::<T, V, 14, 2>(channels, a, b, c),
                        (true, true, false) => by_channels::<T, V, 14, 1>(channels, a, b, c),
                        (true, false, true) => by_channels::<T, V, 7, 2>(channels, a, b, c),
                        (true, false, false) => by_channels::<T, V, 7, 1>(channels, a, b, c),
                        (false, true, true) => by_channels::<T, V, 6, 2>(channels, a, b, c),
                        (false, true, false) => by_channels::<T, V, 6, 1>(channels, a, b, c),
                        (false, false, true) => by_channels::<T, V, 3, 2>(channels, a, b, c),
                        (false, false, false) => by_channels::<T, V, 3, 1>(channels, a, b, c),
                    }
                };
            }
            group += 2;
        }
    }
}

/// R rows of N registers of C, which are R. Of each operand the distance of groups of channels is given.
///
/// # Safety
///
/// As [`tiles_by_channels`].
#[inline(always)]
unsafe fn by_channels<T: Registers, V: Register<T>, const R: usize, const N: usize>(
    channels: usize,
    (mut a, a_group): (*const T, usize),
    (mut b, b_group): (*const T, usize),
    (c, c_group): (*mut T, usize),
) -> usize {
    let mut done = 0;
    while done < channels {
        let end = channels.min(done + CHAIN);
        // SAFETY: the caller's promise.
        unsafe {
            let mut sums = [[V::splat(T::ZERO); N]; R];
            for _ in 0..(end - done) / V::LEN {
                for l in 0..V::LEN {
                    step::<T, V, R, N>(a.add(l), |r| r * V::LEN, b.add(l * V::LEN), b_group, &mut sums);
                }
                // Beyond the last group there may be no memory.
                a = a.wrapping_add(a_group);
                b = b.wrapping_add(V::LEN * V::LEN);
            }
            for l in 0..(end - done) % V::LEN {
                step::<T, V, R, N>(a.add(l), |r| r * V::LEN, b.add(l * V::LEN), b_group, &mut sums);
            }
            // The cases outside of the loops, so that these are unrolled and the sums stay where they are.
            if done == 0 {
                for r in 0..R {
                    for n in 0..N {
                        sums[r][n].store(c.add(n * c_group + r * V::LEN));
                    }
                }
            } else {
                add::<T, V, R, N>(&sums, c, c_group);
            }
        }
        done = end;
    }
    R
}

/// At each position C += Aᵀ·B: A of tiles by channels, B of tiles by output channels, C of channels by output channels.
///
/// # Safety
///
/// As [`tiles_by_channels`]; C has rows for a multiple of 8 channels, and numbers in them.
#[inline(always)]
pub(super) unsafe fn add_channels_by_channels<T: Registers, V: Register<T>>(
    tiles: usize,
    (a, a_positions): (*const T, Positions),
    (b, b_positions): (*const T, Positions),
    (c, c_positions): (*mut T, Positions),
) {
    let groups = c_positions.groups(V::LEN);
    let rows = if V::ROWS == 8 { 8 } else { 4 };
    for position in 0..POSITIONS {
        for channel in (0..a_positions.groups(V::LEN) * V::LEN).step_by(rows) {
            let a = a.wrapping_add(a_positions.at(position, channel / V::LEN, 0, V::LEN) + channel % V::LEN);
            let a = (a, a_positions.rows * V::LEN);
            for group in (0..groups).step_by(2) {
                let b = b.wrapping_add(b_positions.at(position, group, 0, V::LEN));
                let b = (b, b_positions.rows * V::LEN);
                let c = c.wrapping_add(c_positions.at(position, group, channel, V::LEN));
                let c = (c, c_positions.rows * V::LEN);
                // SAFETY: the caller's promise.
                unsafe {
                    match (V::ROWS == 8, group + 1 < groups) {
                        (true, true) => by_tiles::<T, V, 8, 2>(tiles, a, b, c),
                        (true, false) => by_tiles::<T, V, 8, 1>(tiles, a, b, c),
                        (false, true) => by_tiles::<T, V, 4, 2>(tiles, a, b, c),
                        (false, false) => by_tiles::<T, V, 4, 1>(tiles, a, b, c),
                    }
                }
            }
        }
    }
}

/// R rows of N registers of C. The rows are channels of A, of one group or of whole groups.
///
/// # Safety
///
/// As [`add_channels_by_channels`].
#[inline(always)]
unsafe fn by_tiles<T: Registers, V: Register<T>, const R: usize, const N: usize>(
    tiles: usize,
    (a, a_group): (*const T, usize),
    (b, b_group): (*const T, usize),
    (c, c_group): (*mut T, usize),
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[V::splat(T::ZERO); N]; R];
        for l in 0..tiles {
            let place = |r: usize| r / V::LEN * a_group + r % V::LEN;
            step::<T, V, R, N>(a.add(l * V::LEN), place, b.add(l * V::LEN), b_group, &mut sums);
        }
        add::<T, V, R, N>(&sums, c, c_group);
    }
}

/// Adds sums to C.
///
/// # Safety
///
/// As [`add_channels_by_channels`].
#[inline(always)]
unsafe fn add<T: Registers, V: Register<T>, const R: usize, const N: usize>(
    sums: &[[V; N]; R],
    c: *mut T,
    c_group: usize,
) {
    for r in 0..R {
        for n in 0..N {
            // SAFETY: the caller's promise.
            unsafe {
                let c = c.add(n * c_group + r * V::LEN);
                sums[r][n].mul_add(V::splat(T::ONE), V::load(c)).store(c);
            }
        }
    }
}

/// `sums[r][n] += a[place(r)] · register n of b`
///
/// # Safety
///
/// As [`tiles_by_channels`].
#[inline(always)]
unsafe fn step<T: Registers, V: Register<T>, const R: usize, const N: usize>(
    a: *const T,
    place: impl Fn(usize) -> usize,
    b: *const T,
    b_group: usize,
    sums: &mut [[V; N]; R],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut x = [V::splat(T::ZERO); N];
        for n in 0..N {
            x[n] = V::load(b.add(n * b_group));
        }
        for r in 0..R {
            let y = V::splat(*a.add(place(r)));
            for n in 0..N {
                sums[r][n] = y.mul_add(x[n], sums[r][n]);
            }
        }
    }
}
