//! [`Window`]: the windows that a pooling slides over images.

use chainrule_kernels::pool2d::Pool2dShape;

use crate::{Result, Shape, Tensor, bail};

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
        let &Window { kernel_size, stride, padding, dilation, .. } = self;
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
            let Some(size) = self.outputs(d, input[d]) else {
                bail!(
                    Shape,
                    operation,
                    "a window of size {kernel_size:?} with dilation {dilation:?} does not fit images of size {input:?} with padding {padding:?}"
                );
            };
            if (0..size).map_while(|i| padding[d].checked_sub(i * stride[d])).any(|outside| {
                // The first element of this window that is not in the padding before the image.
                outside.next_multiple_of(dilation[d]) - outside >= input[d]
            }) {
                bail!(
                    Shape,
                    operation,
                    "with dilation {dilation:?} and padding {padding:?} a window of size {kernel_size:?} lies beside an image of size {input:?}"
                );
            }
            output[d] = size;
        }
        let (outer, _) = shape.split_at(shape.len() - 2);
        let geometry = Pool2dShape {
            batch_channels: outer.iter().product(),
            input,
            kernel: kernel_size,
            stride,
            padding,
            dilation,
            output,
        };
        Ok((geometry, outer.iter().copied().chain(output).collect()))
    }

    /// The number of windows along one direction, if there is one.
    fn outputs(&self, d: usize, input: usize) -> Option<usize> {
        let span = self.dilation[d] * (self.kernel_size[d] - 1) + 1;
        let rest = (input + 2 * self.padding[d]).checked_sub(span);
        if !self.ceil_mode {
            return Some(rest? / self.stride[d] + 1);
        }
        // A window may begin where it does not fit any more, but not in the padding at the end. With the
        // stride as slack even the first may reach beyond the end.
        let rest = (input + 2 * self.padding[d] + self.stride[d] - 1).checked_sub(span)?;
        let count = rest / self.stride[d] + 1;
        let begins_inside = (count - 1) * self.stride[d] < input + self.padding[d];
        Some(if begins_inside { count } else { count - 1 }).filter(|&n| n > 0)
    }
}
