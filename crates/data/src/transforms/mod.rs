//! Changes of images: cropping, flipping, rotating, erasing, colours, normalising (torchvision: `transforms.v2`).
//!
//! An image is `f32` of shape `[channels, height, width]`. A dataset changes its images as they are fetched with
//! [`Dataset::transform`](crate::Dataset::transform), and [`Transform::apply`] changes a single one:
//!
//! ```
//! use chainrule_data::transforms::{Compose, Normalize, RandomCrop, RandomHorizontalFlip, SampleRandom, Transform};
//! use chainrule_tensor::{Result, Tensor};
//!
//! # fn main() -> Result<()> {
//! let augment = Compose::new()
//!     .then(RandomCrop::new(32).padding(4))
//!     .then(RandomHorizontalFlip::new())
//!     .then(Normalize::new([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]));
//! let image = Tensor::rand([3, 32, 32])?;
//! let changed = augment.apply(&image, &mut SampleRandom::new(7))?;
//! assert_eq!(changed.shape(), image.shape());
//! # Ok(())
//! # }
//! ```
//!
//! | transform | what it does |
//! |---|---|
//! | [`Normalize`] | subtracts a mean and divides by a standard deviation, channel by channel |
//! | [`RandomHorizontalFlip`], [`RandomVerticalFlip`] | mirrors |
//! | [`RandomRotation`] | turns by a random angle |
//! | [`CenterCrop`], [`RandomCrop`], [`RandomResizedCrop`], [`Resize`] | cuts out a part, with or without changing its size |
//! | [`RandomErasing`] | overwrites a random rectangle |
//! | [`ColorJitter`], [`Grayscale`] | brightness, contrast, saturation, hue |
//! | [`RandomApply`], [`Compose`] | another transform with some probability; several, one after the other |
//! | [`one_hot`] | labels as vectors |
//!
//! # Random numbers
//! The random numbers of a sample come from a generator of its own, seeded by the epoch and the sample (see
//! [`Dataset::get_batch_seeded`](crate::Dataset::get_batch_seeded)). So what is done to a sample in an epoch depends
//! neither on the number of workers, nor on the size of the batches, nor on what comes before it. The distributions
//! are torchvision's; its very numbers, which come from one stream for all samples, are not. What a transform draws from
//! the default generator instead is the sample's own as well.
//!
//! # One's own
//! A transform is a type with one function on slices, [`Transform::write`]:
//!
//! ```
//! use chainrule_data::transforms::{Image, SampleRandom, Transform};
//!
//! /// Inverts an image with probability 1/2.
//! struct RandomInvert;
//!
//! impl Transform for RandomInvert {
//!     fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
//!         let inverts = random.chance(0.5);
//!         for (to, &from) in out.iter_mut().zip(image.pixels()) {
//!             *to = if inverts { 1.0 - from } else { from };
//!         }
//!     }
//! }
//! ```

mod apply;
mod center_crop;
mod color;
mod color_jitter;
mod compose;
mod grayscale;
mod image;
mod interpolation;
mod normalize;
mod one_hot;
mod random_apply;
mod random_crop;
mod random_erasing;
mod random_flip;
mod random_resized_crop;
mod random_rotation;
mod region;
mod resample;
mod resize;
mod sample_random;
mod scratch;

use std::sync::Arc;

use chainrule_tensor::{Result, Tensor};

pub(crate) use apply::apply_to_batch;
pub use center_crop::CenterCrop;
#[cfg(feature = "image")]
pub(crate) use color::grey;
pub use color_jitter::ColorJitter;
pub use compose::Compose;
pub use grayscale::Grayscale;
pub use image::{Image, ImageSize};
pub use interpolation::Interpolation;
pub use normalize::Normalize;
pub use one_hot::one_hot;
pub use random_apply::RandomApply;
pub use random_crop::RandomCrop;
pub use random_erasing::{Erase, RandomErasing};
pub use random_flip::{RandomHorizontalFlip, RandomVerticalFlip};
pub use random_resized_crop::RandomResizedCrop;
pub use random_rotation::RandomRotation;
pub use resize::Resize;
pub use sample_random::SampleRandom;

/// A change of images, see the [module](self).
pub trait Transform: Send + Sync {
    /// The size of what comes of an image of this size; the same unless said otherwise.
    ///
    /// # Errors
    /// When the transform does not take images of this size, or its options are wrong: they are looked at here.
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        Ok(input)
    }

    /// Writes what comes of an image to `out`, all of which it must fill: its length is that of the
    /// [`output_size`](Transform::output_size) of the image, which was asked for before.
    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom);

    /// As [`write`](Transform::write), for a transform that can fail: what the library calls. By default it cannot. One
    /// that passes an image on to another transform passes on its errors as well.
    ///
    /// # Errors
    /// When there is no memory for what comes between two steps.
    #[track_caller]
    fn try_write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) -> Result<()> {
        self.write(image, out, random);
        Ok(())
    }

    /// What comes of an image, `f32` of shape `[channels, height, width]`.
    ///
    /// # Errors
    /// When the tensor is not an image, or is none that this transform takes, or there is not enough memory.
    #[track_caller]
    fn apply(&self, image: &Tensor, random: &mut SampleRandom) -> Result<Tensor> {
        apply::apply_to_image(self, image, random)
    }
}

impl<T: Transform + ?Sized> Transform for Arc<T> {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        (**self).output_size(input)
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        (**self).write(image, out, random);
    }

    fn try_write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) -> Result<()> {
        (**self).try_write(image, out, random)
    }
}

impl<T: Transform + ?Sized> Transform for Box<T> {
    #[track_caller]
    fn output_size(&self, input: ImageSize) -> Result<ImageSize> {
        (**self).output_size(input)
    }

    fn write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) {
        (**self).write(image, out, random);
    }

    fn try_write(&self, image: Image<'_>, out: &mut [f32], random: &mut SampleRandom) -> Result<()> {
        (**self).try_write(image, out, random)
    }
}
