//! [`ImageFolder`].

use std::ffi::OsStr;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chainrule_tensor::{Error, Result, Tensor, bail};

use super::check::{check_indices, check_seeds};
use crate::location::at_caller;
use crate::seeds::{seeds_without_epoch, with_sample};
use crate::transforms::{Compose, SampleRandom, Transform};
use crate::{Dataset, ImageOptions, collate, read_image};

/// The endings of names that are images.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];
/// Folders in folders, at most.
const MAX_DEPTH: usize = 32;

/// PNG and JPEG files in one folder for each class (torchvision: `ImageFolder`). Files are read when their batch is
/// asked for.
///
/// A batch is `(images, labels)`: `f32` of shape `[batch, channels, height, width]` in `[0, 1]`, see
/// [`read_image`], and `i64` of shape `[batch]`. Images of different sizes need a transform that makes them alike.
///
/// ```no_run
/// use chainrule_data::transforms::{CenterCrop, Compose, Resize};
/// use chainrule_data::{DataLoader, ImageFolder};
///
/// # fn main() -> chainrule_tensor::Result<()> {
/// // photos/cat/1.jpg, photos/cat/2.png, photos/dog/1.jpg, …
/// let same_size = Compose::new().then(Resize::shorter_side(256)).then(CenterCrop::new(224));
/// let photos = ImageFolder::open("photos")?.transform(same_size);
/// assert_eq!(photos.classes(), ["cat", "dog"]);
/// for batch in &DataLoader::new(&photos).batch_size(32).shuffle(true).num_workers(4) {
///     let (images, labels) = batch?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ImageFolder {
    classes: Arc<[String]>,
    /// Paths and labels.
    samples: Arc<[(PathBuf, i64)]>,
    options: ImageOptions,
    transform: Compose,
}

impl ImageFolder {
    /// The files in the folders of a directory: classes in the order of their names, and in each the files in the
    /// order of their paths, folders within included. Which files are images, the endings of their names tell (`.png`,
    /// `.jpg`, `.jpeg` in any case); other files are left out. So are hidden files and folders, whose names begin with a
    /// dot, such as `.ipynb_checkpoints`.
    ///
    /// # Errors
    /// When the directory or a folder in it cannot be read, there are no folders, one has no images, or its name is not
    /// UTF-8.
    #[track_caller]
    pub fn open(directory: impl AsRef<Path>) -> Result<ImageFolder> {
        let directory = directory.as_ref();
        let (mut classes, mut samples) = (Vec::new(), Vec::new());
        for folder in entries(directory)?.iter().map(DirEntry::path).filter(|path| path.is_dir()) {
            let Some(name) = folder.file_name().and_then(OsStr::to_str) else {
                bail!(Data, "ImageFolder", "{}: the name of a class must be UTF-8", folder.display());
            };
            let before = samples.len();
            collect(&folder, classes.len() as i64, &mut samples, 0)?;
            if samples.len() == before {
                bail!(Data, "ImageFolder", "{}: there are no images of the class", folder.display());
            }
            classes.push(name.to_string());
        }
        if classes.is_empty() {
            bail!(Data, "ImageFolder", "{}: there are no folders, one for each class", directory.display());
        }
        let (classes, samples) = (classes.into(), samples.into());
        Ok(ImageFolder { classes, samples, options: ImageOptions::default(), transform: Compose::new() })
    }

    /// How images are read.
    pub fn options(mut self, options: ImageOptions) -> Self {
        self.options = options;
        self
    }

    /// Changes each image after it was read, and before it is put into a batch; after what earlier calls asked for.
    pub fn transform(mut self, transform: impl Transform + 'static) -> Self {
        self.transform = self.transform.then(transform);
        self
    }

    /// The names of the classes, by label.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Paths and labels of the samples.
    pub fn samples(&self) -> &[(PathBuf, i64)] {
        &self.samples
    }

    /// The labels, such as for [`stratified_split`](crate::stratified_split).
    pub fn labels(&self) -> Vec<i64> {
        self.samples.iter().map(|&(_, label)| label).collect()
    }
}

/// What is in a directory and not hidden, in the order of the names.
#[track_caller]
fn entries(directory: &Path) -> Result<Vec<DirEntry>> {
    let entries = std::fs::read_dir(directory).and_then(Iterator::collect::<std::io::Result<Vec<DirEntry>>>);
    match entries {
        Ok(mut entries) => {
            entries.retain(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
            entries.sort_by_key(DirEntry::file_name);
            Ok(entries)
        }
        Err(error) => Err(Error::io("ImageFolder", directory.display(), error)),
    }
}

#[track_caller]
fn collect(folder: &Path, label: i64, samples: &mut Vec<(PathBuf, i64)>, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        bail!(Data, "ImageFolder", "{}: more than {MAX_DEPTH} folders deep", folder.display());
    }
    for entry in entries(folder)? {
        let path = entry.path();
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        if path.is_dir() {
            collect(&path, label, samples, depth + 1)?;
        } else if ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)) {
            samples.push((path, label));
        }
    }
    Ok(())
}

impl Dataset for ImageFolder {
    type Batch = (Tensor, Tensor);

    fn len(&self) -> usize {
        self.samples.len()
    }

    #[track_caller]
    fn get_batch(&self, indices: &[usize]) -> Result<Self::Batch> {
        self.get_batch_seeded(indices, &seeds_without_epoch(indices))
    }

    #[track_caller]
    fn get_batch_seeded(&self, indices: &[usize], seeds: &[u64]) -> Result<Self::Batch> {
        check_indices("ImageFolder", indices, self.len())?;
        check_seeds("ImageFolder", indices, seeds)?;
        let mut seeds = seeds.iter();
        at_caller(collate(indices, |i| {
            let seed = *seeds.next().expect("a seed for each index");
            let (path, label) = &self.samples[i];
            let image = read_image(path, self.options)?;
            let image = with_sample(seed, || self.transform.apply(&image, &mut SampleRandom::new(seed)));
            Ok((image.map_err(|error| error.context(path.display()))?, Tensor::new(*label)))
        }))
    }
}

impl std::fmt::Debug for ImageFolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ImageFolder of {} images in {} classes", self.samples.len(), self.classes.len())
    }
}
