//! [`RandomApply`].

use chainrule_tensor::{Result, bail};

use super::random_flip::check_probability;
use super::{Image, ImageSize, SampleRandom, Transform};
use crate::location::at_caller;

/// Another transform with probability `p` (torchvision: `RandomApply`).
///
/// # Errors
/// When `p` is not between 0 and 1, or the transform changes the size of the image.
#[derive(Clone, Copy, Debug)]
pub struct RandomApply<T> {
    transform: T,
    p: f64,
}

impl<T: Transform> RandomApply<T> {
    /// With probability 0.5.
    pub fn new(transform: T) -> Self {
        RandomApply { transform, p: 0.5 }
    }

    /// The probability; default 0.5.
    pub fn p(mut self, p: f64) -> Self {
        self.p = p;
        self
    }
}

impl<T: Transform> Transform for RandomApply<T> {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        check_probability("RandomApply", self.p)?;
        let size = at_caller(self.transform.output_size(input))?;
        if size != input {
            bail!(
                Shape,
                "RandomApply",
                "the transform makes images of size {input} into ones of size {size}"
            );
        }
        Ok(size)
    }

    /// # Panics
    /// Where [`try_write`](Transform::try_write) fails.
    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        self.try_write(image, out, random).unwrap_or_else(|error| panic!("{error}"));
    }

    fn try_write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) -> Result<()> {
        match random.chance(self.p) {
            true => self.transform.try_write(image, out, random),
            false => {
                out.copy_from_slice(image.pixels());
                Ok(())
            }
        }
    }
}
