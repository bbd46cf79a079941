//! Unpacking an image, and making a tensor of it.

use std::io::{BufRead, Seek};

use chainrule_tensor::Tensor;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::Channels;
use crate::readers::failure::Failure;
use crate::readers::source::{MAX_INFLATION, memory};

/// A pixel of a PNG file takes a bit at least, deflate apart; one of a JPEG file a 512th of a byte (a bit for each
/// block of 64).
const PNG_PIXELS_PER_BYTE: u64 = 8 * MAX_INFLATION;
const JPEG_PIXELS_PER_BYTE: u64 = 512;
/// What the decoder may hold for a pixel: four channels of 16 bits, and as much again while it works.
const BYTES_PER_PIXEL: u64 = 16;
/// What it needs besides.
const OVERHEAD: u64 = 1 << 20;

pub(super) fn decode(
    file: impl BufRead + Seek,
    length: u64,
    max_pixels: u64,
) -> Result<DynamicImage, Failure> {
    let mut reader = ImageReader::new(file).with_guessed_format()?;
    let pixels_per_byte = match reader.format() {
        Some(ImageFormat::Png) => PNG_PIXELS_PER_BYTE,
        Some(ImageFormat::Jpeg) => JPEG_PIXELS_PER_BYTE,
        _ => return Err(Failure::Format("neither a PNG nor a JPEG file by its first bytes".into())),
    };
    let longest = max_pixels.saturating_mul(BYTES_PER_PIXEL).saturating_add(OVERHEAD);
    if length > longest {
        return Err(Failure::Format(format!(
            "{length} bytes, where an image of {max_pixels} pixels has {longest}"
        )));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(longest);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(failure)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > max_pixels {
        return Err(Failure::Format(format!("{width} × {height} pixels, where {max_pixels} are allowed")));
    }
    if pixels > length.saturating_mul(pixels_per_byte) {
        return Err(Failure::Format(format!(
            "truncated: {width} × {height} pixels do not go into {length} bytes"
        )));
    }
    // The decoder's own request would end the process.
    memory::<u8>(decoder.total_bytes())?;
    DynamicImage::from_decoder(decoder).map_err(failure)
}

fn failure(error: ImageError) -> Failure {
    match error {
        ImageError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Failure::Io(error),
        other => Failure::Format(other.to_string()),
    }
}

pub(super) fn to_tensor(image: DynamicImage, channels: Channels) -> Result<Tensor, Failure> {
    use image::ColorType::{L8, L16, La8, La16, Rgb16, Rgba16};
    let (width, height) = (image.width() as usize, image.height() as usize);
    let colour = image.color();
    let is_grey = matches!(colour, L8 | La8 | L16 | La16);
    let is_deep = matches!(colour, L16 | La16 | Rgb16 | Rgba16);
    let count = if channels == Channels::Rgb { 3 } else { 1 };
    let shape = [count, height, width];
    Ok(match (is_grey && channels == Channels::Grey, is_deep) {
        (true, false) => {
            let pixels = image.into_luma8();
            Tensor::build(shape, |out: &mut [f32]| fill(out, pixels.as_raw(), |&[x]| [byte(x)]))?
        }
        (true, true) => {
            let pixels = image.into_luma16();
            Tensor::build(shape, |out: &mut [f32]| fill(out, pixels.as_raw(), |&[x]| [word(x)]))?
        }
        (false, false) => {
            let pixels = image.into_rgb8();
            Tensor::build(shape, |out: &mut [f32]| colours(out, pixels.as_raw(), channels, byte))?
        }
        (false, true) => {
            let pixels = image.into_rgb16();
            Tensor::build(shape, |out: &mut [f32]| colours(out, pixels.as_raw(), channels, word))?
        }
    })
}

fn byte(x: u8) -> f32 {
    f32::from(x) / 255.0
}

fn word(x: u16) -> f32 {
    f32::from(x) / 65535.0
}

fn colours<T: Copy>(out: &mut [f32], pixels: &[T], channels: Channels, number: fn(T) -> f32) {
    match channels {
        Channels::Rgb => fill(out, pixels, |&rgb: &[T; 3]| rgb.map(number)),
        Channels::Grey => fill(out, pixels, |&rgb: &[T; 3]| [crate::transforms::grey(rgb.map(number))]),
    }
}

/// From pixel after pixel to channel after channel.
fn fill<T, const N: usize, const C: usize>(
    out: &mut [f32],
    pixels: &[T],
    read: impl Fn(&[T; N]) -> [f32; C],
) {
    let area = out.len() / C;
    for (i, pixel) in pixels.as_chunks::<N>().0.iter().enumerate() {
        for (channel, x) in read(pixel).into_iter().enumerate() {
            out[channel * area + i] = x;
        }
    }
}
