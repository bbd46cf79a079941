//! [`Grayscale`].

use chainrule_tensor::Result;

use super::color::grey;
use super::color_jitter::{check_channels, colour};
use super::{Image, ImageSize, SampleRandom, Transform};

/// A colour image in grey, of one channel: 0.2989 red + 0.587 green + 0.114 blue (torchvision: `Grayscale`). A grey
/// image stays as it is.
///
/// # Errors
/// When an image has neither 1 channel nor 3.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grayscale;

impl Transform for Grayscale {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        check_channels("Grayscale", input)?;
        Ok(ImageSize { channels: 1, ..input })
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], _: &mut SampleRandom) {
        let pixels = image.pixels();
        if image.size().channels == 1 {
            out.copy_from_slice(pixels);
            return;
        }
        let area = out.len();
        out.iter_mut().enumerate().for_each(|(i, to)| *to = grey(colour(pixels, area, i)));
    }
}
