//! [`ByteImages`]: images kept as bytes.

use std::sync::Arc;

use chainrule_tensor::{Result, Tensor, bail};

use super::check::check_indices;
use crate::Dataset;
use crate::gather::for_rows;
use crate::transforms::ImageSize;

/// Images of one size and their labels, kept as bytes.
///
/// A batch is `(images, labels)`: `f32` of shape `[batch, channels, height, width]` in `[0, 1]` (the byte divided by
/// 255, as torchvision's `ToTensor` does) and `i64` of shape `[batch]`. Images are converted batch by batch, which takes
/// a quarter of the memory. A dataset is a handle: a clone shares its memory.
///
/// ```
/// use chainrule_data::transforms::ImageSize;
/// use chainrule_data::{ByteImages, Dataset};
///
/// # fn main() -> chainrule_tensor::Result<()> {
/// let size = ImageSize { channels: 1, height: 1, width: 2 };
/// let dataset = ByteImages::new(vec![0, 51, 255, 0], vec![3, 7], size)?;
/// let (images, labels) = dataset.get_batch(&[1, 0])?;
/// assert_eq!(images.to_vec::<f32>()?, [1.0, 0.0, 0.0, 0.2]);
/// assert_eq!(labels.to_vec::<i64>()?, [7, 3]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ByteImages {
    pixels: Arc<[u8]>,
    labels: Arc<[u8]>,
    size: ImageSize,
}

impl ByteImages {
    /// Images of this size, one after the other, channel by channel and row by row.
    ///
    /// # Errors
    /// When there are not as many bytes as the images have.
    #[track_caller]
    pub fn new(pixels: impl Into<Arc<[u8]>>, labels: impl Into<Arc<[u8]>>, size: ImageSize) -> Result<Self> {
        let (pixels, labels) = (pixels.into(), labels.into());
        if labels.len().checked_mul(size.numel()) != Some(pixels.len()) {
            bail!(
                Shape,
                "ByteImages",
                "{} bytes are not {} images of size {size}",
                pixels.len(),
                labels.len()
            );
        }
        Ok(ByteImages { pixels, labels, size })
    }

    /// The bytes of all images.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The labels.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The size of an image.
    pub fn image_size(&self) -> ImageSize {
        self.size
    }
}

impl Dataset for ByteImages {
    type Batch = (Tensor, Tensor);

    fn len(&self) -> usize {
        self.labels.len()
    }

    #[track_caller]
    fn get_batch(&self, indices: &[usize]) -> Result<Self::Batch> {
        check_indices("ByteImages", indices, self.len())?;
        let ImageSize { channels, height, width } = self.size;
        let numel = self.size.numel();
        let images = Tensor::build([indices.len(), channels, height, width], |out: &mut [f32]| {
            for_rows(out, numel, indices, |i, to| {
                let from = &self.pixels[i * numel..][..numel];
                to.iter_mut().zip(from).for_each(|(to, &pixel)| *to = f32::from(pixel) / 255.0);
            });
        })?;
        let labels = Tensor::build([indices.len()], |out: &mut [i64]| {
            out.iter_mut().zip(indices).for_each(|(to, &i)| *to = i64::from(self.labels[i]));
        })?;
        Ok((images, labels))
    }
}

impl std::fmt::Debug for ByteImages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} images of size {}", self.labels.len(), self.size)
    }
}

/// What a dataset that is made of [`ByteImages`] passes on to them; it has one field, `images`, of that type.
macro_rules! dataset_of_byte_images {
    ($name:ident) => {
        impl $name {
            /// The bytes of all images: channel by channel, row by row.
            pub fn pixels(&self) -> &[u8] {
                self.images.pixels()
            }

            /// The labels.
            pub fn labels(&self) -> &[u8] {
                self.images.labels()
            }

            /// All images and labels as tensors.
            ///
            /// # Errors
            /// When the tensors do not fit in memory.
            #[track_caller]
            pub fn to_tensors(
                &self,
            ) -> chainrule_tensor::Result<
                $crate::TensorDataset<(chainrule_tensor::Tensor, chainrule_tensor::Tensor)>,
            > {
                $crate::TensorDataset::new($crate::Dataset::get_all(self)?)
            }
        }

        impl $crate::Dataset for $name {
            type Batch = (chainrule_tensor::Tensor, chainrule_tensor::Tensor);

            fn len(&self) -> usize {
                $crate::Dataset::len(&self.images)
            }

            #[track_caller]
            fn get_batch(&self, indices: &[usize]) -> chainrule_tensor::Result<Self::Batch> {
                $crate::Dataset::get_batch(&self.images, indices)
            }
        }
    };
}
pub(crate) use dataset_of_byte_images;
