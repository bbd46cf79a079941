//! Windows that slide over images: the one place where it is computed how many there are, and how large what is spread by
//! them gets, with no number that could overflow.

use chainrule_kernels::pool2d::{Pool2dShape, Pool2dSizes};

use crate::{Result, Shape, Tensor, bail};

/// Windows along one direction.
#[derive(Clone, Copy)]
pub(crate) struct Axis {
    /// Of the image; of what a transposed convolution spreads.
    pub(crate) input: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) dilation: usize,
}

impl Axis {
    /// From the first to the last element of a window, both counted: `dilation · (kernel − 1) + 1`, for a kernel that is
    /// not empty.
    fn span(&self) -> u128 {
        self.dilation as u128 * (self.kernel as u128 - 1) + 1
    }

    /// How many windows there are: `⌊(input + 2·padding − span) / stride⌋ + 1`, with `ceil_mode` rounded up, but without
    /// a last one that would begin in the padding at the end; 0 where none fits. `None` where memory has no addresses
    /// for the padded size. Kernel, stride and dilation are above 0.
    pub(crate) fn outputs(&self, ceil_mode: bool) -> Option<usize> {
        let padded = self.padding.checked_mul(2)?.checked_add(self.input)?;
        if padded > isize::MAX as usize {
            return None;
        }
        // With the stride as slack even the first window may reach beyond the end.
        let slack = if ceil_mode { self.stride as u128 - 1 } else { 0 };
        let Some(rest) = (padded as u128 + slack).checked_sub(self.span()) else { return Some(0) };
        let last = rest / self.stride as u128;
        let begins_inside = last * (self.stride as u128) < (self.input + self.padding) as u128;
        let count = if ceil_mode && !begins_inside { last } else { last + 1 };
        usize::try_from(count).ok()
    }

    /// How large the output of a transposed convolution is: `(input − 1)·stride − 2·padding + span + output_padding`, or
    /// 0 where nothing is left. `None` where memory has no addresses for it.
    pub(crate) fn transposed(&self, output_padding: usize) -> Option<usize> {
        if self.input == 0 || self.kernel == 0 {
            return Some(0);
        }
        let spread = (self.input as u128 - 1) * self.stride as u128;
        let full = self.span().checked_add(spread)?.checked_add(output_padding as u128)?;
        let left = full.saturating_sub(2 * self.padding as u128);
        usize::try_from(left).ok().filter(|&n| n <= isize::MAX as usize)
    }

    /// Whether a window that begins before the image has no element in it, its dilation being so large that the next one
    /// is behind the image.
    fn beside(&self, outputs: usize) -> bool {
        let mut outside = (0..outputs).map_while(|i| self.padding.checked_sub(i * self.stride));
        outside.any(|outside| {
            let first = outside.div_ceil(self.dilation) as u128 * self.dilation as u128;
            first - outside as u128 >= self.input as u128
        })
    }
}

/// Windows over images; pairs are (vertical, horizontal).
pub(crate) struct Window {
    pub(crate) kernel_size: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) padding: [usize; 2],
    pub(crate) dilation: [usize; 2],
    pub(crate) ceil_mode: bool,
}

impl Window {
    /// The geometry of these windows over images `[N, C, H, W]` or `[C, H, W]`, and the shape of the result.
    #[track_caller]
    pub(crate) fn over(&self, operation: &str, images: &Tensor) -> Result<(Pool2dShape, Shape)> {
        let shape = images.shape();
        let (&[.., height, width], 3 | 4) = (&**shape, shape.len()) else {
            bail!(Shape, operation, "expects images [N, C, H, W] or [C, H, W], not shape {shape}");
        };
        if shape[shape.len() - 3..].contains(&0) {
            bail!(Shape, operation, "channels, height and width must be above 0, not as in shape {shape}");
        }
        if !images.dtype().is_float() {
            bail!(DType, operation, "not defined for {}: convert it with to_dtype first", images.dtype());
        }
        let &Window { kernel_size, stride, padding, dilation, ceil_mode } = self;
        if [kernel_size, stride, dilation].concat().contains(&0) {
            bail!(
                Value,
                operation,
                "window {kernel_size:?}, stride {stride:?} and dilation {dilation:?} must be above 0"
            );
        }
        if (0..2).any(|d| padding[d] > kernel_size[d] / 2) {
            bail!(Value, operation, "padding {padding:?} is larger than half of the window {kernel_size:?}");
        }
        let input = [height, width];
        let mut output = [0; 2];
        for d in 0..2 {
            let axis = Axis {
                input: input[d],
                kernel: kernel_size[d],
                stride: stride[d],
                padding: padding[d],
                dilation: dilation[d],
            };
            output[d] = match axis.outputs(ceil_mode) {
                None => {
                    bail!(Value, operation, "padding {padding:?} around images of size {input:?} is too much")
                }
                Some(0) => bail!(
                    Shape,
                    operation,
                    "a window of size {kernel_size:?} with dilation {dilation:?} does not fit images of size {input:?} with padding {padding:?}"
                ),
                Some(outputs) => outputs,
            };
            if axis.beside(output[d]) {
                bail!(
                    Shape,
                    operation,
                    "with dilation {dilation:?} and padding {padding:?} a window of size {kernel_size:?} lies beside an image of size {input:?}"
                );
            }
        }
        let (outer, _) = shape.split_at(shape.len() - 2);
        let result: Shape = outer.iter().copied().chain(output).collect();
        let geometry = Pool2dShape::new(Pool2dSizes {
            batch_channels: outer.iter().product(),
            input,
            kernel: kernel_size,
            stride,
            padding,
            dilation,
            output,
        });
        match geometry {
            Some(geometry) => Ok((geometry, result)),
            None => bail!(Memory, operation, "a result of shape {result} does not fit in memory"),
        }
    }
}
