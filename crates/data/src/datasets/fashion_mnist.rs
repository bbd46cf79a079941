//! [`FashionMnist`].

use std::path::Path;

use chainrule_tensor::Result;

use super::ByteImages;
use super::byte_images::dataset_of_byte_images;
use super::mnist::load;

/// Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): 60,000 training and 10,000 test images of clothes, 28 × 28
/// pixels in grey, in ten classes.
///
/// A batch is `(images, labels)`: `f32` of shape `[batch, 1, 28, 28]` in `[0, 1]` and `i64` of shape `[batch]`, see
/// [`ByteImages`].
///
/// ```no_run
/// use chainrule_data::{DataLoader, FashionMnist};
///
/// # fn main() -> chainrule_tensor::Result<()> {
/// let train = FashionMnist::load("data/fashion-mnist", true)?;
/// for batch in DataLoader::new(&train).batch_size(64).shuffle(true).iter() {
///     let (images, labels) = batch?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FashionMnist {
    images: ByteImages,
}

impl FashionMnist {
    /// The names of the classes, by label.
    pub const CLASSES: [&'static str; 10] = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ];

    /// Reads the training or the test set from a directory, under the published names
    /// (`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-…`) or those that some programs unpack them to
    /// (`train-images.idx3-ubyte`), with or without `.gz`.
    ///
    /// # Errors
    /// When a file is missing or damaged (see [`IdxFile::read`](crate::IdxFile::read)), the images are not bytes of
    /// 28 × 28, a label is above 9, or there are not as many labels as images. The message names the file.
    #[track_caller]
    pub fn load(directory: impl AsRef<Path>, train: bool) -> Result<FashionMnist> {
        Ok(FashionMnist { images: load("FashionMnist", directory.as_ref(), train)? })
    }
}

dataset_of_byte_images!(FashionMnist);
