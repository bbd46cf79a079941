//! [`Mnist`], and how its relatives are read.

use std::path::{Path, PathBuf};

use chainrule_tensor::{Result, bail};

use super::ByteImages;
use super::byte_images::dataset_of_byte_images;
use crate::transforms::ImageSize;
use crate::{IdxData, IdxFile};

const SIDE: usize = 28;
const CLASSES: u8 = 10;

/// MNIST (LeCun, Cortes and Burges, 1998): 60,000 training and 10,000 test images of handwritten digits, 28 × 28
/// pixels in grey; the label is the digit.
///
/// A batch is `(images, labels)`: `f32` of shape `[batch, 1, 28, 28]` in `[0, 1]` and `i64` of shape `[batch]`, see
/// [`ByteImages`].
///
/// ```no_run
/// use chainrule_data::{Dataset, Mnist};
///
/// # fn main() -> chainrule_tensor::Result<()> {
/// let test = Mnist::load("data/mnist", false)?;
/// let (images, labels) = test.get_batch(&[0, 1, 2])?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Mnist {
    images: ByteImages,
}

impl Mnist {
    /// Reads the training or the test set from a directory, under the published names
    /// (`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-…`) or those that some programs unpack them to
    /// (`train-images.idx3-ubyte`), with or without `.gz`.
    ///
    /// # Errors
    /// Those of [`FashionMnist::load`](crate::FashionMnist::load).
    #[track_caller]
    pub fn load(directory: impl AsRef<Path>, train: bool) -> Result<Mnist> {
        Ok(Mnist { images: load("Mnist", directory.as_ref(), train)? })
    }
}

dataset_of_byte_images!(Mnist);

/// A pair of IDX files under MNIST's names, for the dataset that errors are to name.
#[track_caller]
pub(super) fn load(dataset: &str, directory: &Path, train: bool) -> Result<ByteImages> {
    let prefix = if train { "train" } else { "t10k" };
    let images_path = find_idx(dataset, directory, &format!("{prefix}-images"), "idx3-ubyte")?;
    let labels_path = find_idx(dataset, directory, &format!("{prefix}-labels"), "idx1-ubyte")?;
    let (images, labels) = (IdxFile::read(&images_path)?, IdxFile::read(&labels_path)?);

    let (images_path, labels_path) = (images_path.display(), labels_path.display());
    let (images_shape, labels_shape) = (images.shape().clone(), labels.shape().clone());
    let (IdxData::U8(pixels), [n, SIDE, SIDE]) = (images.into_data(), &images_shape[..]) else {
        bail!(Data, dataset, "{images_path}: expected bytes of shape [n, 28, 28], got shape {images_shape}");
    };
    let (IdxData::U8(labels), [count]) = (labels.into_data(), &labels_shape[..]) else {
        bail!(Data, dataset, "{labels_path}: expected bytes of shape [n], got shape {labels_shape}");
    };
    if count != n {
        bail!(Data, dataset, "{labels_path}: there are {count} labels, but {n} images in {images_path}");
    }
    if let Some(i) = labels.iter().position(|&label| label >= CLASSES) {
        bail!(Data, dataset, "{labels_path}: label {i} is {}, expected 0 to 9", labels[i]);
    }
    ByteImages::new(pixels, labels, ImageSize { channels: 1, height: SIDE, width: SIDE })
}

#[track_caller]
fn find_idx(dataset: &str, directory: &Path, name: &str, ending: &str) -> Result<PathBuf> {
    // The name that is published, and one that is common after unpacking.
    let [dash, dot] = [format!("{name}-{ending}"), format!("{name}.{ending}")];
    match find(directory, &[&dash, &dot]) {
        Some(path) => Ok(path),
        None => bail!(
            Io,
            dataset,
            "{}: there is neither {dash} nor {dash}.gz, nor {dot} or {dot}.gz",
            directory.display()
        ),
    }
}

/// The first of these files that a directory has, each as it is or packed by gzip.
pub(super) fn find(directory: &Path, names: &[&str]) -> Option<PathBuf> {
    let mut paths =
        names.iter().flat_map(|name| [directory.join(name), directory.join(format!("{name}.gz"))]);
    paths.find(|path| path.is_file())
}
