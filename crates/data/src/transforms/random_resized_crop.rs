//! [`RandomResizedCrop`].

use chainrule_tensor::{IntoPair, Result, bail};

use super::random_erasing::check_rectangle;
use super::resample::resample;
use super::{Image, ImageSize, SampleRandom, Transform};

/// A random part of an image, in a given size (Szegedy et al., "Going Deeper with Convolutions", 2014; torchvision:
/// `RandomResizedCrop` with bilinear interpolation and antialiasing).
///
/// The part's area is a random share of the image's, and its shape (width to height) random on a logarithmic scale. A
/// part that does not fit into the image is drawn anew, up to ten times; then it is the largest one in the middle of a
/// shape that is allowed.
///
/// ```
/// use chainrule_data::transforms::{RandomResizedCrop, SampleRandom, Transform};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let image = Tensor::rand([3, 40, 60])?;
/// let part = RandomResizedCrop::new(24).scale(0.2, 1.0).apply(&image, &mut SampleRandom::new(0))?;
/// assert_eq!(part.shape(), &[3, 24, 24]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the image or the size has no rows or columns, a share is not between 0 and 1, or a range is not in order.
#[derive(Clone, Copy, Debug)]
pub struct RandomResizedCrop {
    size: [usize; 2],
    scale: (f64, f64),
    ratio: (f64, f64),
}

impl RandomResizedCrop {
    /// Of `size` rows and columns, or `(height, width)`.
    pub fn new(size: impl IntoPair) -> Self {
        RandomResizedCrop { size: size.into_pair(), scale: (0.08, 1.0), ratio: (3.0 / 4.0, 4.0 / 3.0) }
    }

    /// The share of the image's area, at least and at most; default 0.08 and 1.
    pub fn scale(mut self, least: f64, greatest: f64) -> Self {
        self.scale = (least, greatest);
        self
    }

    /// How many times as wide as high the part is, at least and at most; default 3/4 and 4/3.
    pub fn ratio(mut self, least: f64, greatest: f64) -> Self {
        self.ratio = (least, greatest);
        self
    }

    /// Upper left corner and size of a part.
    fn choose(&self, height: usize, width: usize, random: &mut SampleRandom) -> ((usize, usize), [usize; 2]) {
        let area = height as f64 * width as f64;
        for _ in 0..10 {
            let part = area * random.uniform(self.scale.0, self.scale.1);
            let ratio = random.uniform(self.ratio.0.ln(), self.ratio.1.ln()).exp();
            let columns = (part * ratio).sqrt().round_ties_even() as usize;
            let rows = (part / ratio).sqrt().round_ties_even() as usize;
            if (1..=width).contains(&columns) && (1..=height).contains(&rows) {
                let top = random.below(height - rows + 1);
                let left = random.below(width - columns + 1);
                return ((top, left), [rows, columns]);
            }
        }
        let shape = width as f64 / height as f64;
        let (rows, columns) = if shape < self.ratio.0 {
            ((width as f64 / self.ratio.0).round_ties_even() as usize, width)
        } else if shape > self.ratio.1 {
            (height, (height as f64 * self.ratio.1).round_ties_even() as usize)
        } else {
            (height, width)
        };
        let (rows, columns) = (rows.clamp(1, height), columns.clamp(1, width));
        (((height - rows) / 2, (width - columns) / 2), [rows, columns])
    }
}

impl Transform for RandomResizedCrop {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        check_rectangle("RandomResizedCrop", self.scale, self.ratio)?;
        let output = input.with_area(self.size);
        if [input.height, input.width, output.height, output.width].contains(&0) {
            bail!(
                Shape,
                "RandomResizedCrop",
                "cannot make an image of size {output} from one of size {input}"
            );
        }
        Ok(output)
    }

    /// # Panics
    /// Where [`try_write`](Transform::try_write) fails.
    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        self.try_write(image, out, random).unwrap_or_else(|error| panic!("{error}"));
    }

    fn try_write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) -> Result<()> {
        let ImageSize { height, width, .. } = image.size();
        let (corner, part) = self.choose(height, width, random);
        resample("RandomResizedCrop", image, corner, part, self.size, out)
    }
}
