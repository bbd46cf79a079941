//! A window of an image, whose channels are the lanes of registers.

use crate::conv2d::lanes::{LINE, to_lanes};
use crate::register::{Register, Registers};

/// Images `[batch, channels, height, width]`.
#[derive(Clone, Copy)]
pub(super) struct Planes<'a, T> {
    pub(super) data: &'a [T],
    pub(super) channels: usize,
    /// Height and width.
    pub(super) size: [usize; 2],
}

/// Rows and columns of an image, some of them possibly outside of it.
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// The first row and column.
    pub(super) start: [isize; 2],
    /// Rows and columns.
    pub(super) size: [usize; 2],
}

impl Window {
    /// Registers of memory that the window needs.
    pub(super) fn len(&self) -> usize {
        self.size[0] * self.size[1] + LINE
    }

    /// Copies what a window shows of some channels from `channel` on: zeros where it is outside of the image.
    ///
    /// # Safety
    ///
    /// `to` has room for `len` registers; the image has these channels; the processor has the register.
    #[inline(always)]
    pub(super) unsafe fn read<T: Registers, V: Register<T>>(
        &self,
        planes: Planes<'_, T>,
        (image, channel, channels): (usize, usize, usize),
        to: *mut T,
    ) {
        let [height, width] = planes.size;
        let [rows, columns] = self.size;
        let [top, left] = self.start;
        let start = ((-left).max(0) as usize).min(columns);
        let end = (width as isize - left).clamp(start as isize, columns as isize) as usize;
        let plane = (image * planes.channels + channel) * height * width;
        for row in 0..rows {
            let y = top + row as isize;
            let there = y >= 0 && (y as usize) < height && start < end;
            // SAFETY: registers of the window's row, and up to a line beyond, which is written afterwards or is slack.
            unsafe {
                let to = to.add(row * columns * V::LEN);
                let zero = |range: std::ops::Range<usize>| {
                    for column in range {
                        V::splat(T::ZERO).store(to.add(column * V::LEN));
                    }
                };
                if there {
                    let at = plane + y as usize * width + (left + start as isize) as usize;
                    let planes_of = (channels, height * width);
                    to_lanes::<T, V>(planes.data, at, planes_of, end - start, to.add(start * V::LEN));
                    zero(0..start);
                    zero(end..columns);
                } else {
                    zero(0..columns);
                }
            }
        }
    }
}
