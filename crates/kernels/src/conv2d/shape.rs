//! [`Conv2dShape`]: the sizes of a convolution, checked.

use std::ops::Deref;

use super::axis::Axis;

/// Sizes of a convolution; pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dSizes {
    /// Images.
    pub batch: usize,
    /// Channels of the input, a multiple of `groups`.
    pub in_channels: usize,
    /// Channels of the output, a multiple of `groups`.
    pub out_channels: usize,
    /// Groups of channels that are convolved separately.
    pub groups: usize,
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Distance of the windows of neighbouring outputs; at least 1.
    pub stride: [usize; 2],
    /// Zeros added at each side of the input.
    pub padding: [usize; 2],
    /// Distance of neighbouring kernel elements in the input; at least 1.
    pub dilation: [usize; 2],
    /// Height and width of the output: at most as many windows as fit in the padded input.
    pub output: [usize; 2],
}

/// [`Conv2dSizes`] that make sense, and with which no number that is computed from them overflows: what the kernels
/// take. It reads as the sizes that it was made of, but for strides and dilations beyond the padded input: what they
/// are makes no difference, and they are as large as it is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dShape(Conv2dSizes);

/// A padded image that has at most so many times the pixels of the image is worth a copy…
const PADDED: u128 = 16;
/// …and so is one of this many more.
const SMALL: u128 = 1 << 12;
/// A copy has fewer elements, of all channels: every other memory that a kernel asks for is in proportion to it.
const COPY: u128 = 1 << 44;

impl Conv2dShape {
    /// The sizes, where groups divide the channels, kernels, strides and dilations are above 0, all windows fit in the
    /// padded input, and memory has addresses for a row of that and for each of the operands.
    pub fn new(sizes: Conv2dSizes) -> Option<Self> {
        let Conv2dSizes { batch, in_channels, out_channels, groups, input, kernel, output, .. } = sizes;
        let divided = |channels: usize| groups > 0 && channels.is_multiple_of(groups);
        if !divided(in_channels) || !divided(out_channels) || kernel.contains(&0) {
            return None;
        }
        addressable([batch, in_channels, input[0], input[1]])?;
        addressable([out_channels, in_channels / groups, kernel[0], kernel[1]])?;
        addressable([batch, out_channels, output[0], output[1]])?;
        let mut shape = Conv2dShape(sizes);
        for dim in 0..2 {
            let padded = padded(input[dim], sizes.padding[dim])?;
            let (stride, dilation) = (&mut shape.0.stride[dim], &mut shape.0.dilation[dim]);
            if *stride == 0 || *dilation == 0 {
                return None;
            }
            let reach = (output[dim].saturating_sub(1) as u128).checked_mul(*stride as u128);
            let span = ((kernel[dim] - 1) as u128).checked_mul(*dilation as u128);
            let last = reach?.checked_add(span?)?;
            if output[dim] > 0 && last >= padded as u128 {
                return None;
            }
            (*stride, *dilation) = ((*stride).min(padded.max(1)), (*dilation).min(padded.max(1)));
        }
        Some(shape)
    }

    pub(super) fn axes(&self) -> [Axis; 2] {
        [0, 1].map(|dim| Axis {
            input: self.input[dim],
            output: self.output[dim],
            kernel: self.kernel[dim],
            stride: self.stride[dim],
            padding: self.padding[dim],
            dilation: self.dilation[dim],
        })
    }

    pub(super) fn group_in(&self) -> usize {
        self.in_channels / self.groups
    }

    pub(super) fn group_out(&self) -> usize {
        self.out_channels / self.groups
    }

    pub(super) fn kernel_len(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    pub(super) fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    pub(super) fn output_plane(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Whether padded copies of images are not much larger than the images. In the others windows see little but
    /// padding: see `sparse`.
    pub(super) fn is_dense(&self) -> bool {
        let padded: u128 =
            (0..2).map(|dim| self.input[dim] as u128 + 2 * self.padding[dim] as u128).product();
        let channels = self.in_channels as u128 + self.out_channels as u128 + 64;
        padded <= PADDED * self.input_plane() as u128 + SMALL
            && padded.checked_mul(channels).is_some_and(|copy| copy < COPY)
    }

    /// Estimated time of one direction on one thread.
    pub(super) fn nanoseconds(&self) -> f64 {
        let outputs = self.batch as f64 * self.out_channels as f64 * self.output_plane() as f64;
        let multiplications = outputs * (self.group_in() * self.kernel_len()) as f64;
        multiplications / 30.0 + 0.3 * (self.batch * self.in_channels * self.input_plane()) as f64
    }

    /// Panics unless the slices have the lengths that follow from the sizes.
    pub(super) fn check(&self, input: usize, weight: usize, output: usize) {
        assert_eq!(input, self.batch * self.in_channels * self.input_plane(), "length of the input");
        assert_eq!(weight, self.out_channels * self.group_in() * self.kernel_len(), "length of the weight");
        assert_eq!(output, self.batch * self.out_channels * self.output_plane(), "length of the output");
    }
}

impl Deref for Conv2dShape {
    type Target = Conv2dSizes;
    fn deref(&self) -> &Conv2dSizes {
        &self.0
    }
}

/// `input + 2 · padding`, where memory has addresses for as many bytes.
pub(crate) fn padded(input: usize, padding: usize) -> Option<usize> {
    padding.checked_mul(2)?.checked_add(input).filter(|&n| n <= isize::MAX as usize)
}

/// Whether memory has addresses for so many numbers of 8 bytes, sizes of 0 left out of account.
pub(crate) fn addressable(sizes: impl IntoIterator<Item = usize>) -> Option<()> {
    let bytes = sizes.into_iter().try_fold(8usize, |product, n| product.checked_mul(n.max(1)))?;
    (bytes <= isize::MAX as usize).then_some(())
}
