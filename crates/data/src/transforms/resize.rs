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
            To::Shorter(size) if height <= width => [size, size * width / height.max(1)],
            To::Shorter(size) => [size * height / width.max(1), size],
        }
    }
}

impl Transform for Resize {
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        let output = input.with_area(self.area(input));
        if [input.height, input.width, output.height, output.width].contains(&0) {
            bail!(Shape, "Resize", "cannot make an image of size {output} from one of size {input}");
        }
        Ok(output)
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], _: &mut SampleRandom) {
        let ImageSize { height, width, .. } = image.size();
        resample(image, (0, 0), [height, width], self.area(image.size()), out);
    }
}
