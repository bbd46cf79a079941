//! [`FashionMnist`]: the files of Fashion-MNIST as a dataset.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chainrule_tensor::{Result, Tensor, bail};

use crate::gather::for_rows;
use crate::tensor_dataset::check_indices;
use crate::{Dataset, IdxData, IdxFile, TensorDataset};

const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;

/// Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): 60,000 training and 10,000 test images of clothes, 28 × 28
/// pixels in grey, in ten classes. Reads MNIST in the same format just as well.
///
/// A batch is `(images, labels)`: `f32` of shape `[batch, 1, 28, 28]` in `[0, 1]` (the byte divided by 255, as
/// torchvision's `ToTensor` does) and `i64` of shape `[batch]`. The images are kept as bytes and converted
/// batch by batch, which takes a quarter of the memory. A dataset is a handle: a clone shares its memory.
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
#[derive(Clone)]
pub struct FashionMnist {
    pixels: Arc<[u8]>,
    labels: Arc<[u8]>,
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
    /// (`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-…`) with or without `.gz`.
    ///
    /// # Errors
    /// When a file is missing or damaged (see [`IdxFile::read`]), the images are not bytes of 28 × 28, a label is
    /// above 9, or there are not as many labels as images. The message names the file.
    #[track_caller]
    pub fn load(directory: impl AsRef<Path>, train: bool) -> Result<FashionMnist> {
        let prefix = if train { "train" } else { "t10k" };
        let directory = directory.as_ref();
        let images_path = find(directory, &format!("{prefix}-images-idx3-ubyte"))?;
        let labels_path = find(directory, &format!("{prefix}-labels-idx1-ubyte"))?;
        let (images, labels) = (IdxFile::read(&images_path)?, IdxFile::read(&labels_path)?);

        let (images_path, labels_path) = (images_path.display(), labels_path.display());
        let (images_shape, labels_shape) = (images.shape().clone(), labels.shape().clone());
        let (IdxData::U8(pixels), [n, SIDE, SIDE]) = (images.into_data(), &images_shape[..]) else {
            bail!(
                Data,
                "FashionMnist",
                "{images_path}: expected bytes of shape [n, 28, 28], got shape {images_shape}"
            );
        };
        let (IdxData::U8(labels), [count]) = (labels.into_data(), &labels_shape[..]) else {
            bail!(
                Data,
                "FashionMnist",
                "{labels_path}: expected bytes of shape [n], got shape {labels_shape}"
            );
        };
        if count != n {
            bail!(
                Data,
                "FashionMnist",
                "{labels_path}: there are {count} labels, but {n} images in {images_path}"
            );
        }
        if let Some(i) = labels.iter().position(|&label| label as usize >= Self::CLASSES.len()) {
            bail!(Data, "FashionMnist", "{labels_path}: label {i} is {}, expected 0 to 9", labels[i]);
        }
        Ok(FashionMnist { pixels: pixels.into(), labels: labels.into() })
    }

    /// The images as bytes, 784 each, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The labels, 0 to 9.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// All images and labels as tensors.
    ///
    /// # Errors
    /// When the tensors do not fit in memory.
    pub fn to_tensors(&self) -> Result<TensorDataset<(Tensor, Tensor)>> {
        let all: Vec<usize> = (0..self.len()).collect();
        TensorDataset::new(self.get_batch(&all)?)
    }
}

#[track_caller]
fn find(directory: &Path, name: &str) -> Result<PathBuf> {
    let plain = directory.join(name);
    let packed = directory.join(format!("{name}.gz"));
    match [plain, packed].into_iter().find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => bail!(Io, "FashionMnist", "{}: there is neither {name} nor {name}.gz", directory.display()),
    }
}

impl Dataset for FashionMnist {
    type Batch = (Tensor, Tensor);

    fn len(&self) -> usize {
        self.labels.len()
    }

    fn get_batch(&self, indices: &[usize]) -> Result<Self::Batch> {
        check_indices("FashionMnist", indices, self.len())?;
        let images = Tensor::build([indices.len(), 1, SIDE, SIDE], |out: &mut [f32]| {
            for_rows(out, PIXELS, indices, |i, to| {
                let from = &self.pixels[i * PIXELS..][..PIXELS];
                to.iter_mut().zip(from).for_each(|(to, &pixel)| *to = f32::from(pixel) / 255.0);
            });
        })?;
        let labels =
            Tensor::from_vec(indices.iter().map(|&i| i64::from(self.labels[i])).collect(), [indices.len()])?;
        Ok((images, labels))
    }
}

impl std::fmt::Debug for FashionMnist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FashionMnist of {} images", self.len())
    }
}
