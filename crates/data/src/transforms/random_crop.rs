//! [`RandomCrop`].

use chainrule_tensor::{IntoPair, Result, bail};

use super::region::copy_region;
use super::{Image, ImageSize, SampleRandom, Transform};

/// A part of an image of a given size, at a random place (torchvision: `RandomCrop` with `padding_mode="constant"`).
///
/// ```
/// use chainrule_data::transforms::{RandomCrop, SampleRandom, Transform};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let image = Tensor::rand([3, 32, 32])?;
/// let part = RandomCrop::new(32).padding(4).apply(&image, &mut SampleRandom::new(0))?;
/// assert_eq!(part.shape(), &[3, 32, 32]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the padded image is smaller than the part, or too large for its pixels to be counted.
#[derive(Clone, Copy, Debug)]
pub struct RandomCrop {
    size: [usize; 2],
    padding: [usize; 2],
    pad_if_needed: bool,
    fill: f32,
}

impl RandomCrop {
    /// Cuts out `size` rows and columns, or `(height, width)`.
    pub fn new(size: impl IntoPair) -> Self {
        RandomCrop { size: size.into_pair(), padding: [0; 2], pad_if_needed: false, fill: 0.0 }
    }

    /// How much is added first: so much on each side, or `(above and below, left and right)`; default 0.
    pub fn padding(mut self, padding: impl IntoPair) -> Self {
        self.padding = padding.into_pair();
        self
    }

    /// Whether an image that is still too small is padded on both sides by what it lacks; default false.
    pub fn pad_if_needed(mut self, pad_if_needed: bool) -> Self {
        self.pad_if_needed = pad_if_needed;
        self
    }

    /// The value of what is added; default 0.
    pub fn fill(mut self, fill: f32) -> Self {
        self.fill = fill;
        self
    }

    /// The padding on each side and the size after it, in rows and in columns. None where a row or a column of the
    /// padded image has no number, which is an `isize`.
    fn padded(&self, given: [usize; 2]) -> Option<[(usize, usize); 2]> {
        let along = |i: usize| {
            let mut padding = self.padding[i];
            let mut size = padding.checked_mul(2)?.checked_add(given[i])?;
            if self.pad_if_needed && size < self.size[i] {
                let lacks = self.size[i] - size;
                padding = padding.checked_add(lacks)?;
                size = lacks.checked_mul(2)?.checked_add(size)?;
            }
            isize::try_from(size).ok().map(|_| (padding, size))
        };
        Some([along(0)?, along(1)?])
    }
}

impl Transform for RandomCrop {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        let Some([(_, height), (_, width)]) = self.padded([input.height, input.width]) else {
            bail!(
                Shape,
                "RandomCrop",
                "an image of size {input} is too large to cut {:?} out of it with a padding of {:?}",
                self.size,
                self.padding
            );
        };
        if height < self.size[0] || width < self.size[1] {
            bail!(
                Shape,
                "RandomCrop",
                "cannot cut {:?} out of an image of size {input} with a padding of {:?}",
                self.size,
                self.padding
            );
        }
        Ok(input.with_area(self.size))
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        let padded = self.padded([image.size().height, image.size().width]);
        let padded = padded.expect("the size was asked for before");
        let [top, left] = [0, 1].map(|i| {
            let (padding, size) = padded[i];
            let places = size - self.size[i] + 1;
            // With one place there is no choice, and nothing is drawn.
            let place = if places > 1 { random.below(places) } else { 0 };
            place as isize - padding as isize
        });
        copy_region(image, (top, left), self.size, self.fill, out);
    }
}
