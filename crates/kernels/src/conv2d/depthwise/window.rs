//! A window of an image, whose channels are the lanes of registers.

use crate::conv2d::lanes::{Planes, row_to_lanes};
use crate::register::{LINE, Register, Registers};

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

    /// Copies what a window shows of some channels: zeros where it is outside of the image.
    ///
    /// # Safety
    ///
    /// `to` has room for `len` registers; the image has the channels; the processor has the register.
    #[inline(always)]
    pub(super) unsafe fn read<T: Registers, V: Register<T>>(
        &self,
        planes: Planes<'_, T>,
        which: (usize, usize, usize),
        to: *mut T,
    ) {
        let [rows, columns] = self.size;
        let [top, left] = self.start;
        for row in 0..rows {
            // SAFETY: a line after a row there is the next row, which is written afterwards, or the line more.
            unsafe {
                let to = to.add(row * columns * V::LEN);
                row_to_lanes::<T, V>(planes, which, [top + row as isize, left], columns, to);
            }
        }
    }
}
