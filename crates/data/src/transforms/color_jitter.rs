//! [`ColorJitter`].

use chainrule_tensor::{Result, bail};

use super::color::{blend, grey, turn_hue};
use super::{Image, ImageSize, SampleRandom, Transform};

/// Changes brightness, contrast, saturation and hue by random factors, in random order (torchvision: `ColorJitter`).
/// Values are taken to be between 0 and 1, and stay there.
///
/// An option of `x` means a factor between `max(0, 1 - x)` and `1 + x`; for the hue, a turn between `-x` and `x` of the
/// full circle. A factor of 1 (a turn of 0) changes nothing. Brightness multiplies; contrast goes away from the mean
/// grey of the image, saturation from the grey of the pixel. Grey images have neither saturation nor hue.
///
/// ```
/// use chainrule_data::transforms::{ColorJitter, SampleRandom, Transform};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let jitter = ColorJitter::new().brightness(0.4).contrast(0.4).saturation(0.4).hue(0.1);
/// let image = jitter.apply(&Tensor::rand([3, 8, 8])?, &mut SampleRandom::new(0))?;
/// assert!(image.max()?.item()? <= 1.0);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When an option is negative, NaN or beyond what `f32` holds, the hue's is above 0.5, or an image has neither 1 channel nor 3.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColorJitter {
    brightness: f64,
    contrast: f64,
    saturation: f64,
    hue: f64,
}

impl ColorJitter {
    /// No change.
    pub fn new() -> Self {
        ColorJitter::default()
    }

    /// How far the factor of the brightness may be from 1; default 0.
    pub fn brightness(mut self, brightness: f64) -> Self {
        self.brightness = brightness;
        self
    }

    /// How far the factor of the contrast may be from 1; default 0.
    pub fn contrast(mut self, contrast: f64) -> Self {
        self.contrast = contrast;
        self
    }

    /// How far the factor of the saturation may be from 1; default 0.
    pub fn saturation(mut self, saturation: f64) -> Self {
        self.saturation = saturation;
        self
    }

    /// How far the hue may turn, as a part of the full circle, up to 0.5; default 0.
    pub fn hue(mut self, hue: f64) -> Self {
        self.hue = hue;
        self
    }
}

/// The greatest factor by which a 0 stays a 0.
const MOST: f64 = f32::MAX as f64;

impl Transform for ColorJitter {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        let ColorJitter { brightness, contrast, saturation, hue } = *self;
        for (name, value, most) in [
            ("brightness", brightness, MOST),
            ("contrast", contrast, MOST),
            ("saturation", saturation, MOST),
            ("hue", hue, 0.5),
        ] {
            if !(0.0..=most).contains(&value) {
                bail!(Value, "ColorJitter", "{name} must be between 0 and {most}, got {value}");
            }
        }
        check_channels("ColorJitter", input)?;
        Ok(input)
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        out.copy_from_slice(image.pixels());
        let area = image.size().area();
        let order = random.generator().permutation(4);
        let [brightness, contrast, saturation] = [self.brightness, self.contrast, self.saturation]
            .map(|x| (x > 0.0).then(|| random.uniform((1.0 - x).max(0.0), 1.0 + x) as f32));
        let hue = (self.hue > 0.0).then(|| random.uniform(-self.hue, self.hue) as f32);
        for step in order {
            match step {
                0 => brightness.iter().for_each(|&factor| brighten(out, factor)),
                1 => contrast.iter().for_each(|&factor| add_contrast(out, area, factor)),
                2 => saturation.iter().for_each(|&factor| saturate(out, area, factor)),
                _ => hue.iter().for_each(|&turn| each_colour(out, area, |rgb| turn_hue(rgb, turn))),
            }
        }
    }
}

#[track_caller]
pub(super) fn check_channels(operation: &str, size: ImageSize) -> Result<()> {
    if ![1, 3].contains(&size.channels) {
        bail!(Shape, operation, "an image has 1 channel or 3, this has size {size}");
    }
    Ok(())
}

fn brighten(pixels: &mut [f32], factor: f32) {
    pixels.iter_mut().for_each(|x| *x = blend(*x, 0.0, factor));
}

fn add_contrast(pixels: &mut [f32], area: usize, factor: f32) {
    let sum: f64 = match pixels.len() == area {
        true => pixels.iter().map(|&x| f64::from(x)).sum(),
        false => (0..area).map(|i| f64::from(grey(colour(pixels, area, i)))).sum(),
    };
    let mean = (sum / area as f64) as f32;
    pixels.iter_mut().for_each(|x| *x = blend(*x, mean, factor));
}

fn saturate(pixels: &mut [f32], area: usize, factor: f32) {
    each_colour(pixels, area, |rgb| {
        let grey = grey(rgb);
        rgb.map(|x| blend(x, grey, factor))
    });
}

pub(super) fn colour(pixels: &[f32], area: usize, i: usize) -> [f32; 3] {
    [pixels[i], pixels[area + i], pixels[2 * area + i]]
}

/// Changes each colour; an image of one channel has none.
fn each_colour(pixels: &mut [f32], area: usize, change: impl Fn([f32; 3]) -> [f32; 3]) {
    if pixels.len() == area {
        return;
    }
    for i in 0..area {
        let changed = change(colour(pixels, area, i));
        changed.into_iter().enumerate().for_each(|(channel, x)| pixels[channel * area + i] = x);
    }
}
