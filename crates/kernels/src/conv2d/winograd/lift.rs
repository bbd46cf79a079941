//! From images to the 36 positions.

use std::ops::Range;

use super::positions::Positions;
use super::tiles::{STRIP, Strip, Tiles};
use super::transform::Lift;
use super::{REACH, TILE};
use crate::conv2d::lanes::{Planes, row_to_lanes};
use crate::register::{LINE, Register, Registers};

/// Columns of a strip, with the padding and what is written beyond.
const COLUMNS: usize = STRIP * TILE + REACH - TILE + LINE;

/// Images, and which of their pixels the first tile starts with.
#[derive(Clone, Copy)]
pub(super) struct Images<'a, T> {
    pub(super) planes: Planes<'a, T>,
    /// Rows and columns of zeros that the first tile starts with.
    pub(super) padding: [usize; 2],
}

/// A strip of one register of channels: rows of columns.
pub(super) struct Canvas<V>([std::mem::MaybeUninit<V>; REACH * COLUMNS]);

impl<V> Canvas<V> {
    pub(super) fn new() -> Self {
        Canvas([const { std::mem::MaybeUninit::uninit() }; REACH * COLUMNS])
    }
}

/// Writes the numbers of a block of tiles at all positions.
///
/// # Safety
///
/// `to` has room for `positions`, whose rows are at least the tiles of the block; the processor has the register.
#[inline(always)]
pub(super) unsafe fn lift<T: Registers, V: Register<T>, L: Lift>(
    images: Images<'_, T>,
    tiles: &Tiles,
    block: Range<usize>,
    positions: Positions,
    to: *mut T,
) {
    let mut canvas = Canvas::<V>::new();
    let canvas = canvas.0.as_mut_ptr().cast::<T>();
    // Groups outside: the next strip's first rows are this one's last, and still in the first-level cache.
    for group in 0..positions.groups(V::LEN) {
        for strip in tiles.strips(block.clone()) {
            // SAFETY: the canvas has six rows of `COLUMNS`, and the caller's promise.
            unsafe {
                for row in 0..L::TAKES {
                    read::<T, V, L>(images, strip, group * V::LEN, row, canvas.add(row * COLUMNS * V::LEN));
                }
                downwards::<T, V, L>(strip.count * TILE + L::TAKES - TILE, canvas);
                let to = to.add(positions.at(0, group, strip.first, V::LEN));
                rightwards::<T, V, L>(strip.count, canvas, to, positions.step());
            }
        }
    }
}

/// Copies a row of what the tiles meet, channels from `channel` on, so that channels are neighbours: zeros where it is
/// outside of the image, and any numbers for channels that are not there.
///
/// # Safety
///
/// `to` is a row of a canvas.
#[inline(always)]
unsafe fn read<T: Registers, V: Register<T>, L: Lift>(
    images: Images<'_, T>,
    strip: Strip,
    channel: usize,
    row: usize,
    to: *mut T,
) {
    let columns = strip.count * TILE + L::TAKES - TILE;
    let place = |first: usize, dim: usize| first as isize - images.padding[dim] as isize;
    let at = [place(strip.row * TILE + row, 0), place(strip.column * TILE, 1)];
    let which = (strip.image, channel, images.planes.channels - channel);
    // SAFETY: the row of the canvas has a line more than the columns.
    unsafe { row_to_lanes::<T, V>(images.planes, which, at, columns, to) };
}

/// Columns to points, in place.
///
/// # Safety
///
/// `canvas` is one, of which these columns have been written; the processor has the register.
#[inline(always)]
unsafe fn downwards<T: Registers, V: Register<T>, L: Lift>(columns: usize, canvas: *mut T) {
    for column in 0..columns {
        // SAFETY: the caller's promise.
        unsafe {
            let at = canvas.add(column * V::LEN);
            let mut x = [V::splat(T::ZERO); REACH];
            for i in 0..L::TAKES {
                x[i] = V::load(at.add(i * COLUMNS * V::LEN));
            }
            let x = L::lift::<T, V>(x);
            for i in 0..REACH {
                x[i].store(at.add(i * COLUMNS * V::LEN));
            }
        }
    }
}

/// Rows of each tile to points, to memory: positions are `step` apart, tiles follow each other.
///
/// # Safety
///
/// As [`lift`]; the columns of `count` tiles of the canvas have been written.
#[inline(always)]
unsafe fn rightwards<T: Registers, V: Register<T>, L: Lift>(
    count: usize,
    canvas: *const T,
    to: *mut T,
    step: usize,
) {
    for row in 0..REACH {
        for tile in 0..count {
            // SAFETY: the caller's promise.
            unsafe {
                let at = canvas.add((row * COLUMNS + tile * TILE) * V::LEN);
                let mut x = [V::splat(T::ZERO); REACH];
                for i in 0..L::TAKES {
                    x[i] = V::load(at.add(i * V::LEN));
                }
                let x = L::lift::<T, V>(x);
                let to = to.add(row * REACH * step + tile * V::LEN);
                for i in 0..REACH {
                    x[i].store(to.add(i * step));
                }
            }
        }
    }
}
