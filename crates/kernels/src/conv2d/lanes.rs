//! Images with their channels in the lanes of registers.
//!
//! A run is some pixels that follow each other in memory, of as many channels as a register has lanes; in lanes, each
//! pixel is one register.

// Loops over indices, not closures: a closure that is not inlined is compiled without the registers.
#![allow(clippy::needless_range_loop)]

use std::ops::Range;

use crate::register::{LINE, Register, Registers};

/// Images `[batch, channels, height, width]`.
#[derive(Clone, Copy)]
pub(super) struct Planes<'a, T> {
    pub(super) data: &'a [T],
    pub(super) channels: usize,
    /// Height and width.
    pub(super) size: [usize; 2],
}

/// Copies `columns` pixels of a row of some channels, from row y and column x on: zeros where that is outside of the
/// image.
///
/// # Safety
///
/// The image has the channels; `to` has room for `columns` registers and a [`LINE`] more, which may be written too; the
/// processor has the register.
#[inline(always)]
pub(super) unsafe fn row_to_lanes<T: Registers, V: Register<T>>(
    planes: Planes<'_, T>,
    (image, channel, channels): (usize, usize, usize),
    [y, x]: [isize; 2],
    columns: usize,
    to: *mut T,
) {
    let [height, width] = planes.size;
    // Columns inside of the image.
    let start = ((-x).max(0) as usize).min(columns);
    let end = (width as isize - x).clamp(start as isize, columns as isize) as usize;
    let zero = |range: Range<usize>| {
        for column in range {
            // SAFETY: there is room for the columns.
            unsafe { V::splat(T::ZERO).store(to.add(column * V::LEN)) };
        }
    };
    if y < 0 || y as usize >= height || start == end {
        return zero(0..columns);
    }
    let plane = (image * planes.channels + channel) * height * width;
    let at = plane + y as usize * width + (x + start as isize) as usize;
    // SAFETY: the run starts below `end`, so it is written before a line after the columns ends.
    unsafe {
        to_lanes::<T, V>(planes.data, at, (channels, height * width), end - start, to.add(start * V::LEN));
    }
    zero(0..start);
    zero(end..columns);
}

/// Copies a run of `len` pixels from place `at` on, of `channels` channels that are `plane` apart; other lanes get any
/// numbers.
///
/// # Safety
///
/// `to` has room for `len` registers, rounded up to [`LINE`]; the processor has the register.
#[inline(always)]
unsafe fn to_lanes<T: Registers, V: Register<T>>(
    data: &[T],
    at: usize,
    (channels, plane): (usize, usize),
    len: usize,
    to: *mut T,
) {
    let last = channels.min(V::LEN) - 1;
    let mut pixel = 0;
    while pixel < len {
        let at = at + pixel;
        // SAFETY: the caller's promise; what is read lies in the data: the last channel's is furthest.
        unsafe {
            let to = to.add(pixel * V::LEN);
            if at + last * plane + V::LEN <= data.len() {
                let from = data.as_ptr().add(at);
                V::transpose(|i| from.add(i.min(last) * plane), to, V::LEN);
            } else {
                let mut margin = [[T::ZERO; LINE]; LINE];
                for i in 0..V::LEN {
                    let from = &data[at + i.min(last) * plane..][..(len - pixel).min(V::LEN)];
                    margin[i][..from.len()].copy_from_slice(from);
                }
                V::transpose(|i| margin[i].as_ptr(), to, V::LEN);
            }
        }
        pixel += V::LEN;
    }
}

/// Writes a run of `len` pixels to `channels` planes that are `plane` apart.
///
/// # Safety
///
/// There are `len` registers at `from`; the run in each of the planes may be written; the processor has the register.
#[inline(always)]
pub(super) unsafe fn from_lanes<T: Registers, V: Register<T>>(
    from: *const T,
    len: usize,
    (to, channels, plane): (*mut T, usize, usize),
) {
    let mut pixel = 0;
    while pixel < len {
        // SAFETY: the caller's promise.
        unsafe {
            if channels == V::LEN && len >= V::LEN {
                // The last block may overlap the one before.
                pixel = pixel.min(len - V::LEN);
                V::transpose(|i| from.add((pixel + i) * V::LEN), to.add(pixel), plane);
            } else {
                let mut margin = [[T::ZERO; LINE]; LINE];
                let count = V::LEN.min(len - pixel);
                let last = pixel + count - 1;
                let rows = margin.as_mut_ptr().cast::<T>();
                V::transpose(|i| from.add((pixel + i).min(last) * V::LEN), rows, LINE);
                for i in 0..channels {
                    std::slice::from_raw_parts_mut(to.add(i * plane + pixel), count)
                        .copy_from_slice(&margin[i][..count]);
                }
            }
        }
        pixel += V::LEN;
    }
}
