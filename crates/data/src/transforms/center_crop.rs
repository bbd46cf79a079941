//! [`CenterCrop`].

use chainrule_tensor::{IntoPair, Result};

use super::region::copy_region;
use super::{Image, ImageSize, SampleRandom, Transform};

/// The middle of an image (torchvision: `CenterCrop`). An image that is too small is padded with zeros on both sides,
/// with one more below and to the right where the difference is odd; where an odd number of rows is cut off, the half
/// is rounded to even.
///
/// ```
/// use chainrule_data::transforms::{CenterCrop, SampleRandom, Transform};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let image = Tensor::new([[[1.0, 2.0, 3.0, 4.0]]]);
/// let middle = CenterCrop::new((1, 2)).apply(&image, &mut SampleRandom::new(0))?;
/// assert_eq!(middle.to_vec::<f32>()?, [2.0, 3.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CenterCrop {
    size: [usize; 2],
}

impl CenterCrop {
    /// Cuts out `size` rows and columns, or `(height, width)`.
    pub fn new(size: impl IntoPair) -> Self {
        CenterCrop { size: size.into_pair() }
    }
}

impl Transform for CenterCrop {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        Ok(input.with_area(self.size))
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], _: &mut SampleRandom) {
        let top = offset(image.size().height, self.size[0]);
        let left = offset(image.size().width, self.size[1]);
        copy_region(image, (top, left), self.size, 0.0, out);
    }
}

/// Where the middle of `wanted` begins in `given`.
pub(super) fn offset(given: usize, wanted: usize) -> isize {
    if given < wanted {
        return -(((wanted - given) / 2) as isize);
    }
    ((given - wanted) as f64 / 2.0).round_ties_even() as isize
}
