//! [`RandomErasing`].

use chainrule_tensor::{Result, bail};

use super::random_flip::check_probability;
use super::{Image, ImageSize, SampleRandom, Transform};

/// Overwrites a random rectangle of an image with probability `p` (Zhong et al., "Random Erasing Data Augmentation",
/// 2017; torchvision: `RandomErasing`).
///
/// The rectangle's area is a random part of the image's and its shape (height to width) random on a logarithmic
/// scale; a rectangle that is not smaller than the image is drawn anew, up to ten times, after which the image stays.
///
/// ```
/// use chainrule_data::transforms::{Erase, RandomErasing, SampleRandom, Transform};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let erase = RandomErasing::new().p(1.0).scale(0.1, 0.2).value(Erase::Constant(0.5));
/// let image = erase.apply(&Tensor::zeros([3, 32, 32])?, &mut SampleRandom::new(0))?;
/// assert!(image.sum()?.item()? > 0.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When `p` or a part is not between 0 and 1, or a range is not in order.
#[derive(Clone, Copy, Debug)]
pub struct RandomErasing {
    p: f64,
    scale: (f64, f64),
    ratio: (f64, f64),
    value: Erase,
}

/// What is written into an erased rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Erase {
    /// A number.
    Constant(f32),
    /// Independent numbers with mean 0 and variance 1.
    Random,
}

impl RandomErasing {
    /// Zeros, with probability 0.5, on 2 to 33 per cent of the image, 0.3 to 3.3 times as high as wide.
    pub fn new() -> Self {
        RandomErasing { p: 0.5, scale: (0.02, 0.33), ratio: (0.3, 3.3), value: Erase::Constant(0.0) }
    }

    /// The probability; default 0.5.
    pub fn p(mut self, p: f64) -> Self {
        self.p = p;
        self
    }

    /// The part of the image that is erased, at least and at most; default 0.02 and 0.33.
    pub fn scale(mut self, least: f64, greatest: f64) -> Self {
        self.scale = (least, greatest);
        self
    }

    /// How many times as high as wide the rectangle is, at least and at most; default 0.3 and 3.3.
    pub fn ratio(mut self, least: f64, greatest: f64) -> Self {
        self.ratio = (least, greatest);
        self
    }

    /// What is written; default zeros.
    pub fn value(mut self, value: Erase) -> Self {
        self.value = value;
        self
    }
}

impl Default for RandomErasing {
    fn default() -> Self {
        RandomErasing::new()
    }
}

/// An error unless the parts are between 0 and 1, and the ratios above 0, each in order.
#[track_caller]
pub(super) fn check_rectangle(operation: &str, scale: (f64, f64), ratio: (f64, f64)) -> Result<()> {
    if !(0.0 <= scale.0 && scale.0 <= scale.1 && scale.1 <= 1.0) {
        bail!(Value, operation, "the parts {} to {} are not a range between 0 and 1", scale.0, scale.1);
    }
    if !(0.0 < ratio.0 && ratio.0 <= ratio.1 && ratio.1.is_finite()) {
        bail!(Value, operation, "the ratios {} to {} are not a range above 0", ratio.0, ratio.1);
    }
    Ok(())
}

impl Transform for RandomErasing {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        check_probability("RandomErasing", self.p)?;
        check_rectangle("RandomErasing", self.scale, self.ratio)?;
        Ok(input)
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        out.copy_from_slice(image.pixels());
        if !random.chance(self.p) {
            return;
        }
        let ImageSize { height, width, .. } = image.size();
        let area = height as f64 * width as f64;
        for _ in 0..10 {
            let part = area * random.uniform(self.scale.0, self.scale.1);
            let ratio = random.uniform(self.ratio.0.ln(), self.ratio.1.ln()).exp();
            let rows = (part * ratio).sqrt().round_ties_even() as usize;
            let columns = (part / ratio).sqrt().round_ties_even() as usize;
            if rows < height && columns < width {
                let top = random.below(height - rows + 1);
                let left = random.below(width - columns + 1);
                for channel in out.chunks_exact_mut(image.size().area()) {
                    for row in channel.chunks_exact_mut(width).skip(top).take(rows) {
                        erase(&mut row[left..][..columns], self.value, random);
                    }
                }
                return;
            }
        }
    }
}

fn erase(numbers: &mut [f32], value: Erase, random: &mut SampleRandom) {
    match value {
        Erase::Constant(value) => numbers.fill(value),
        Erase::Random => {
            random.generator().normal(numbers, 0.0, 1.0).expect("a mean and a deviation that are good")
        }
    }
}
