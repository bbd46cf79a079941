//! [`read_image`]: PNG and JPEG files.

mod decode;

use std::io::{BufRead, Cursor, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use chainrule_tensor::{Result, Tensor};

use super::failure::Failure;
use super::source::open;
use crate::panic_message::panic_message;

/// What the channels of an image are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channels {
    /// Red, green and blue; a grey image has the same in all three.
    #[default]
    Rgb,
    /// One channel. Colours weigh 0.2989, 0.587 and 0.114, as in [`Grayscale`](crate::transforms::Grayscale).
    Grey,
}

/// How images are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageOptions {
    /// The channels; default [`Channels::Rgb`].
    pub channels: Channels,
    /// Images of more pixels are refused before they are unpacked: a small file can hold a very large image. Default
    /// 89,478,485, which is 1 GiB as `f32` in three channels.
    pub max_pixels: u64,
}

impl Default for ImageOptions {
    fn default() -> Self {
        ImageOptions { channels: Channels::Rgb, max_pixels: 89_478_485 }
    }
}

/// Reads a PNG or JPEG file as `f32` of shape `[channels, height, width]`, in `[0, 1]` (torchvision: `ToTensor` of
/// PIL's image). Which format it is, the first bytes tell and not the name. Transparency is left out.
///
/// ```no_run
/// use chainrule_data::{ImageOptions, read_image};
///
/// # fn main() -> chainrule_tensor::Result<()> {
/// let image = read_image("cat.jpg", ImageOptions::default())?;
/// assert_eq!(image.size(0)?, 3);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the file cannot be read, is neither PNG nor JPEG, is damaged or truncated, or has more pixels than allowed.
/// The message names the path.
#[track_caller]
pub fn read_image(path: impl AsRef<Path>, options: ImageOptions) -> Result<Tensor> {
    let path = path.as_ref();
    let (file, length) = open("read_image", path)?;
    match decode(file, length, options) {
        Ok(image) => Ok(image),
        Err(failure) => Err(failure.into_error("read_image", Some(&path.display()))),
    }
}

/// As [`read_image`], of the bytes of a file.
///
/// # Errors
/// Those of [`read_image`].
#[track_caller]
pub fn parse_image(bytes: &[u8], options: ImageOptions) -> Result<Tensor> {
    match decode(Cursor::new(bytes), bytes.len() as u64, options) {
        Ok(image) => Ok(image),
        Err(failure) => Err(failure.into_error("parse_image", None)),
    }
}

fn decode(file: impl BufRead + Seek, length: u64, options: ImageOptions) -> Result<Tensor, Failure> {
    // The decoders are not ours, and there are damaged files on which one panics.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode::decode(file, length, options.max_pixels)));
    match decoded {
        Ok(image) => decode::to_tensor(image?, options.channels),
        Err(panic) => {
            Err(Failure::Format(format!("damaged: the decoder panicked: {}", panic_message(panic))))
        }
    }
}
