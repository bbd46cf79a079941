//! From the 36 positions to images.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::positions::Positions;
use super::tiles::{STRIP, Strip, Tiles};
use super::transform::results;
use super::{LINE, REACH, TILE};
use crate::conv2d::lanes::from_lanes;
use crate::register::{Register, Registers};

/// Writes the results of a block of tiles to images `[batch, channels, height, width]`, with a number for each channel
/// added.
///
/// # Safety
///
/// `from` holds `positions` of the block's tiles; the block's results in `out`, which is as long as the shape says, may
/// be written and are nobody else's; the processor has the register.
#[inline(always)]
pub(super) unsafe fn lower<T: Registers, V: Register<T>>(
    from: *const T,
    positions: Positions,
    (tiles, block): (&Tiles, Range<usize>),
    bias: Option<&[T]>,
    (channels, out): (usize, *mut T),
) {
    let mut canvas = [const { MaybeUninit::<V>::uninit() }; TILE * TILE * STRIP];
    let canvas = canvas.as_mut_ptr().cast::<T>();
    let [height, width] = tiles.output;
    for group in 0..positions.groups(V::LEN) {
        let channel = group * V::LEN;
        let count = V::LEN.min(channels - channel);
        let mut first = [T::ZERO; LINE];
        if let Some(bias) = bias {
            first[..count].copy_from_slice(&bias[channel..][..count]);
        }
        for strip in tiles.strips(block.clone()) {
            let (y, x) = (strip.row * TILE, strip.column * TILE);
            let rows = TILE.min(height - y);
            let columns = (strip.count * TILE).min(width - x);
            // Where the strip is as wide as the image, its rows are one run of numbers.
            let (runs, run) = if columns == width { (1, rows * width) } else { (rows, columns) };
            // SAFETY: the canvas has room for the rows of a strip of at most `STRIP` tiles; the caller's promise.
            unsafe {
                let from = from.add(positions.at(0, group, strip.first, V::LEN));
                let bias = V::load(first.as_ptr());
                tiles_of::<T, V>(strip, from, positions.step(), bias, [rows, columns], canvas);
                for i in 0..runs {
                    let plane = (strip.image * channels + channel) * height * width;
                    let to = out.add(plane + (y + i) * width + x);
                    from_lanes::<T, V>(canvas.add(i * columns * V::LEN), run, (to, count, height * width));
                }
            }
        }
    }
}

/// The results of the tiles of a strip, as `rows` rows of `columns` columns of a register.
///
/// # Safety
///
/// As [`lower`].
#[inline(always)]
unsafe fn tiles_of<T: Registers, V: Register<T>>(
    strip: Strip,
    from: *const T,
    step: usize,
    bias: V,
    [rows, columns]: [usize; 2],
    canvas: *mut T,
) {
    for tile in 0..strip.count {
        // SAFETY: the caller's promise.
        unsafe {
            let from = from.add(tile * V::LEN);
            let mut half = [[V::splat(T::ZERO); REACH]; TILE];
            for row in 0..REACH {
                let mut x = [V::splat(T::ZERO); REACH];
                for i in 0..REACH {
                    x[i] = V::load(from.add((row * REACH + i) * step));
                }
                let x = results::<T, V>(x);
                for i in 0..TILE {
                    half[i][row] = x[i];
                }
            }
            for column in 0..TILE {
                let x = results::<T, V>(half[column]);
                let column = tile * TILE + column;
                if column < columns {
                    for row in 0..TILE {
                        if row < rows {
                            let x = x[row].mul_add(V::splat(T::ONE), bias);
                            x.store(canvas.add((row * columns + column) * V::LEN));
                        }
                    }
                }
            }
        }
    }
}
