//! [`Interpolation`].

/// How the value between pixels is found (torchvision: `InterpolationMode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The value of the nearest pixel; of two equally near ones that with the even index.
    Nearest,
    /// The mean of the four pixels around, weighted by nearness.
    Bilinear,
}
