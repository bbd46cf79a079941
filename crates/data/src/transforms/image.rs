//! [`Image`]: what a transform looks at.

use std::fmt;

/// The size of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSize {
    /// The number of channels: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// The number of rows.
    pub height: usize,
    /// The number of columns.
    pub width: usize,
}

impl ImageSize {
    /// The number of pixels, counted in each channel; `usize::MAX`, which no memory holds, where there are more.
    pub fn numel(self) -> usize {
        self.channels.saturating_mul(self.area())
    }

    /// The number of pixels of a channel, likewise.
    pub(crate) fn area(self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// The same channels in another height and width.
    pub fn with_area(self, [height, width]: [usize; 2]) -> ImageSize {
        ImageSize { channels: self.channels, height, width }
    }
}

impl fmt::Display for ImageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {}, {}]", self.channels, self.height, self.width)
    }
}

/// The pixels of an image: channel by channel, row by row.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    size: ImageSize,
    pixels: &'a [f32],
}

impl<'a> Image<'a> {
    /// An image of as many pixels as its size says.
    pub(crate) fn new(size: ImageSize, pixels: &'a [f32]) -> Self {
        debug_assert_eq!(size.numel(), pixels.len());
        Image { size, pixels }
    }

    /// The size.
    pub fn size(&self) -> ImageSize {
        self.size
    }

    /// All pixels.
    pub fn pixels(&self) -> &'a [f32] {
        self.pixels
    }

    /// The pixels of each channel.
    pub fn channels(&self) -> impl ExactSizeIterator<Item = &'a [f32]> + use<'a> {
        let area = self.size.area();
        let pixels = self.pixels;
        (0..self.size.channels).map(move |channel| &pixels[channel * area..][..area])
    }

    /// A row of a channel.
    pub fn row(&self, channel: usize, row: usize) -> &'a [f32] {
        &self.pixels[(channel * self.size.height + row) * self.size.width..][..self.size.width]
    }
}
