//! [`Normalize`].

use chainrule_tensor::{Result, bail};

use super::{Image, ImageSize, SampleRandom, Transform};

/// `(x - mean) / std`, channel by channel (torchvision: `Normalize`).
///
/// ```
/// use chainrule_data::transforms::{Normalize, SampleRandom, Transform};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let image = Tensor::new([[[0.25, 1.0]]]);
/// let normal = Normalize::new([0.5], [0.25]).apply(&image, &mut SampleRandom::new(0))?;
/// assert_eq!(normal.to_vec::<f32>()?, [-1.0, 2.0]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When there is not one mean and one deviation for each channel (or one for all), one of them is not finite, or a
/// deviation is not above 0.
#[derive(Clone, Debug)]
pub struct Normalize {
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl Normalize {
    /// The mean and the standard deviation of each channel, or one of each for all channels.
    pub fn new(mean: impl Into<Vec<f32>>, std: impl Into<Vec<f32>>) -> Self {
        Normalize { mean: mean.into(), std: std.into() }
    }
}

impl Transform for Normalize {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        for (name, values) in [("means", &self.mean), ("standard deviations", &self.std)] {
            if values.len() != 1 && values.len() != input.channels {
                bail!(Shape, "Normalize", "{} {name} for an image of size {input}", values.len());
            }
        }
        if !self.mean.iter().all(|mean| mean.is_finite()) {
            bail!(Value, "Normalize", "the means {:?} must be finite", self.mean);
        }
        if !self.std.iter().all(|&std| std > 0.0 && std.is_finite()) {
            bail!(Value, "Normalize", "the standard deviations {:?} must be finite and above 0", self.std);
        }
        Ok(input)
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], _: &mut SampleRandom) {
        let area = image.size().area();
        let of = |values: &[f32], channel: usize| values[channel.min(values.len() - 1)];
        for (channel, from) in image.channels().enumerate() {
            let (mean, std) = (of(&self.mean, channel), of(&self.std, channel));
            let out = &mut out[channel * area..][..area];
            out.iter_mut().zip(from).for_each(|(to, &x)| *to = (x - mean) / std);
        }
    }
}
