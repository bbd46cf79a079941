//! [`RandomHorizontalFlip`] and [`RandomVerticalFlip`].

use chainrule_tensor::{Result, bail};

use super::{Image, ImageSize, SampleRandom, Transform};

/// Mirrors an image, left to right, with probability `p` (torchvision: `RandomHorizontalFlip`).
///
/// # Errors
/// When `p` is not between 0 and 1.
#[derive(Clone, Copy, Debug)]
pub struct RandomHorizontalFlip {
    p: f64,
}

/// Mirrors an image, top to bottom, with probability `p` (torchvision: `RandomVerticalFlip`).
///
/// # Errors
/// When `p` is not between 0 and 1.
#[derive(Clone, Copy, Debug)]
pub struct RandomVerticalFlip {
    p: f64,
}

impl RandomHorizontalFlip {
    /// With probability 0.5.
    pub fn new() -> Self {
        RandomHorizontalFlip { p: 0.5 }
    }

    /// The probability; default 0.5.
    pub fn p(self, p: f64) -> Self {
        RandomHorizontalFlip { p }
    }
}

impl RandomVerticalFlip {
    /// With probability 0.5.
    pub fn new() -> Self {
        RandomVerticalFlip { p: 0.5 }
    }

    /// The probability; default 0.5.
    pub fn p(self, p: f64) -> Self {
        RandomVerticalFlip { p }
    }
}

impl Default for RandomHorizontalFlip {
    fn default() -> Self {
        RandomHorizontalFlip::new()
    }
}

impl Default for RandomVerticalFlip {
    fn default() -> Self {
        RandomVerticalFlip::new()
    }
}

#[track_caller]
pub(super) fn check_probability(operation: &str, p: f64) -> Result<()> {
    if !(0.0..=1.0).contains(&p) {
        bail!(Value, operation, "the probability {p} is not between 0 and 1");
    }
    Ok(())
}

impl Transform for RandomHorizontalFlip {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        check_probability("RandomHorizontalFlip", self.p)?;
        Ok(input)
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        out.copy_from_slice(image.pixels());
        if random.chance(self.p) && !out.is_empty() {
            out.chunks_exact_mut(image.size().width).for_each(<[f32]>::reverse);
        }
    }
}

impl Transform for RandomVerticalFlip {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        check_probability("RandomVerticalFlip", self.p)?;
        Ok(input)
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        let ImageSize { channels, height, width } = image.size();
        if !random.chance(self.p) || out.is_empty() {
            out.copy_from_slice(image.pixels());
            return;
        }
        for channel in 0..channels {
            let out = &mut out[channel * height * width..][..height * width];
            for (row, to) in out.chunks_exact_mut(width).enumerate() {
                to.copy_from_slice(image.row(channel, height - 1 - row));
            }
        }
    }
}
