//! [`RandomRotation`].

use chainrule_tensor::{Result, bail};

use super::{Image, ImageSize, Interpolation, SampleRandom, Transform};

/// Turns an image about its middle by a random angle (torchvision: `RandomRotation` with `expand=False`). Its size
/// stays; what comes from outside is filled.
///
/// ```
/// use chainrule_data::transforms::{RandomRotation, SampleRandom, Transform};
/// use chainrule_tensor::{Result, Tensor};
///
/// # fn main() -> Result<()> {
/// let image = Tensor::new([[[1.0, 2.0], [3.0, 4.0]]]);
/// let turned = RandomRotation::between(90.0, 90.0).apply(&image, &mut SampleRandom::new(0))?;
/// assert_eq!(turned.to_vec::<f32>()?, [2.0, 4.0, 1.0, 3.0]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the angles, or what lies between them, are not finite, or the least is above the greatest.
#[derive(Clone, Copy, Debug)]
pub struct RandomRotation {
    degrees: (f64, f64),
    interpolation: Interpolation,
    fill: f32,
}

impl RandomRotation {
    /// By up to so many degrees to either side.
    pub fn new(degrees: f64) -> Self {
        RandomRotation::between(-degrees, degrees)
    }

    /// By an angle between two, in degrees, counter-clockwise.
    pub fn between(least: f64, greatest: f64) -> Self {
        RandomRotation { degrees: (least, greatest), interpolation: Interpolation::Nearest, fill: 0.0 }
    }

    /// How the value between pixels is found; default nearest.
    pub fn interpolation(mut self, interpolation: Interpolation) -> Self {
        self.interpolation = interpolation;
        self
    }

    /// The value of what comes from outside; default 0.
    pub fn fill(mut self, fill: f32) -> Self {
        self.fill = fill;
        self
    }
}

impl Transform for RandomRotation {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        let (least, greatest) = self.degrees;
        if !(least.is_finite() && greatest.is_finite() && least <= greatest) {
            bail!(Value, "RandomRotation", "no angle is between {least} and {greatest}");
        }
        if !(greatest - least).is_finite() {
            bail!(
                Value,
                "RandomRotation",
                "the range from {least} to {greatest} is wider than a number can be"
            );
        }
        Ok(input)
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        let ImageSize { height, width, .. } = image.size();
        let (sin, cos) = sin_cos(random.uniform(self.degrees.0, self.degrees.1));
        let (middle_x, middle_y) = (width as f64 / 2.0, height as f64 / 2.0);
        for (i, pixel) in (0..height * width).map(|i| (i / width, i % width)).enumerate() {
            // Pixels are points in the middle of squares; the axis of y points down.
            let (x, y) = (pixel.1 as f64 + 0.5 - middle_x, pixel.0 as f64 + 0.5 - middle_y);
            let from_x = cos * x - sin * y + middle_x - 0.5;
            let from_y = sin * x + cos * y + middle_y - 0.5;
            for (channel, from) in image.channels().enumerate() {
                out[channel * height * width + i] = match self.interpolation {
                    Interpolation::Nearest => at(
                        from,
                        [height, width],
                        from_y.round_ties_even(),
                        from_x.round_ties_even(),
                        self.fill,
                    ),
                    Interpolation::Bilinear => bilinear(from, [height, width], from_y, from_x, self.fill),
                };
            }
        }
    }
}

/// Sine and cosine of degrees, exact for quarter turns: their pixels lie on pixels, or right between two.
fn sin_cos(degrees: f64) -> (f64, f64) {
    match degrees.rem_euclid(360.0) {
        0.0 => (0.0, 1.0),
        90.0 => (1.0, 0.0),
        180.0 => (0.0, -1.0),
        270.0 => (-1.0, 0.0),
        // Whole turns are left out first, which is exact: the radians of a large angle are not.
        _ => (degrees % 360.0).to_radians().sin_cos(),
    }
}

/// A pixel, or `fill` outside.
fn at(channel: &[f32], [height, width]: [usize; 2], y: f64, x: f64, fill: f32) -> f32 {
    let inside = y >= 0.0 && x >= 0.0 && y < height as f64 && x < width as f64;
    if inside { channel[y as usize * width + x as usize] } else { fill }
}

fn bilinear(channel: &[f32], size: [usize; 2], y: f64, x: f64, fill: f32) -> f32 {
    let (top, left) = (y.floor(), x.floor());
    let (down, right) = ((y - top) as f32, (x - left) as f32);
    let at = |y, x| at(channel, size, y, x, fill);
    let upper = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right;
    let lower = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right;
    upper * (1.0 - down) + lower * down
}
