//! [`Resize`].

use chainrule_tensor::{IntoPair, Result, bail};

use super::resample::resample;
use super::{Image, ImageSize, SampleRandom, Transform};

/// An image in another size, by bilinear interpolation with antialiasing (torchvision: `Resize`).
///
/// ```
/// use chainrule_data::transforms::{Resize, SampleRandom, Transform};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let image = Tensor::rand([3, 30, 40])?;
/// let random = &mut SampleRandom::new(0);
/// assert_eq!(Resize::new((8, 9)).apply(&image, random)?.shape(), &[3, 8, 9]);
/// assert_eq!(Resize::shorter_side(15).apply(&image, random)?.shape(), &[3, 15, 20]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the image, or what it is to become, has no rows or columns.
#[derive(Clone, Copy, Debug)]
pub struct Resize {
    to: To,
}

#[derive(Clone, Copy, Debug)]
enum To {
    Both([usize; 2]),
    Shorter(usize),
}

impl Resize {
    /// To `size` rows and columns, or `(height, width)`.
    pub fn new(size: impl IntoPair) -> Self {
        Resize { to: To::Both(size.into_pair()) }
    }

    /// So that the shorter side has this size, and the other as much as keeps the proportions, rounded down
    /// (torchvision: `Resize` with one number).
    pub fn shorter_side(size: usize) -> Self {
        Resize { to: To::Shorter(size) }
    }

    fn area(&self, ImageSize { height, width, .. }: ImageSize) -> [usize; 2] {
        match self.to {
            To::Both(area) => area,
            To::Shorter(size) if height <= width => [size, scaled(size, width, height)],
            To::Shorter(size) => [scaled(size, height, width), size],
        }
    }
}

/// `size * longer / shorter`, rounded down, or what no memory holds.
fn scaled(size: usize, longer: usize, shorter: usize) -> usize {
    let scaled = size as u128 * longer as u128 / shorter.max(1) as u128;
    usize::try_from(scaled).unwrap_or(usize::MAX)
}

impl Transform for Resize {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        let output = input.with_area(self.area(input));
        if [input.height, input.width, output.height, output.width].contains(&0) {
            bail!(Shape, "Resize", "cannot make an image of size {output} from one of size {input}");
        }
        Ok(output)
    }

    /// # Panics
    /// Where [`try_write`](Transform::try_write) fails.
    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        self.try_write(image, out, random).unwrap_or_else(|error| panic!("{error}"));
    }

    fn try_write(&self, image: Image<'_>, out: &mut [f32], _: &mut SampleRandom) -> Result<()> {
        let ImageSize { height, width, .. } = image.size();
        resample("Resize", image, (0, 0), [height, width], self.area(image.size()), out)
    }
}
