//! [`Cifar10`].

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use chainrule_tensor::{Result, bail};
use flate2::bufread::MultiGzDecoder;

use super::ByteImages;
use super::byte_images::dataset_of_byte_images;
use super::mnist::find;
use crate::readers::failure::Failure;
use crate::readers::source::{memory, open};
use crate::transforms::ImageSize;

const SIZE: ImageSize = ImageSize { channels: 3, height: 32, width: 32 };
/// A label and an image.
const RECORD: usize = 1 + 3 * 32 * 32;
/// As many images as a published file has.
const MAX_RECORDS: u64 = 10_000;

/// CIFAR-10 (Krizhevsky, 2009): 50,000 training and 10,000 test images of 32 × 32 pixels in colour, in ten classes;
/// in the binary version, "suitable for C programs".
///
/// A batch is `(images, labels)`: `f32` of shape `[batch, 3, 32, 32]` in `[0, 1]` and `i64` of shape `[batch]`, see
/// [`ByteImages`].
///
/// ```no_run
/// use chainrule_data::transforms::{Compose, Normalize, RandomCrop, RandomHorizontalFlip};
/// use chainrule_data::{Cifar10, DataLoader, Dataset};
///
/// # fn main() -> chainrule_tensor::Result<()> {
/// let augment = Compose::new()
///     .then(RandomCrop::new(32).padding(4))
///     .then(RandomHorizontalFlip::new())
///     .then(Normalize::new([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]));
/// let train = Cifar10::load("data/cifar-10-batches-bin", true)?.transform(augment);
/// let loader = DataLoader::new(&train).batch_size(128).shuffle(true).num_workers(2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Cifar10 {
    images: ByteImages,
}

impl Cifar10 {
    /// The names of the classes, by label.
    pub const CLASSES: [&'static str; 10] =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// Reads the training set (`data_batch_1.bin` to `data_batch_5.bin`) or the test set (`test_batch.bin`) from a
    /// directory, or from `cifar-10-batches-bin` in it, where the published archive has them; with or without `.gz`.
    ///
    /// # Errors
    /// When a file is missing, does not consist of whole records of 3,073 bytes, has none or more than 10,000 of them,
    /// or has a label above 9. The message names the file and the place in it.
    #[track_caller]
    pub fn load(directory: impl AsRef<Path>, train: bool) -> Result<Cifar10> {
        let numbered = || (1..=5).map(|i| format!("data_batch_{i}.bin")).collect();
        let names = if train { numbered() } else { vec!["test_batch.bin".to_string()] };
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for name in names {
            let path = find_batch(directory.as_ref(), &name)?;
            let bytes = match read(&path)? {
                Ok(bytes) => bytes,
                Err(failure) => return Err(failure.into_error("Cifar10", Some(&path.display()))),
            };
            if let Err(rule) = split(&bytes, &mut pixels, &mut labels) {
                bail!(Data, "Cifar10", "{}: {rule}", path.display());
            }
        }
        Ok(Cifar10 { images: ByteImages::new(pixels, labels, SIZE)? })
    }

    /// Reads one file of records from its bytes.
    ///
    /// # Errors
    /// Those of [`load`](Cifar10::load).
    #[track_caller]
    pub fn parse(bytes: &[u8]) -> Result<Cifar10> {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        if let Err(rule) = split(bytes, &mut pixels, &mut labels) {
            bail!(Data, "Cifar10", "{rule}");
        }
        Ok(Cifar10 { images: ByteImages::new(pixels, labels, SIZE)? })
    }
}

dataset_of_byte_images!(Cifar10);

#[track_caller]
fn find_batch(directory: &Path, name: &str) -> Result<PathBuf> {
    let unpacked = directory.join("cifar-10-batches-bin");
    if let Some(path) = [directory, &unpacked].into_iter().find_map(|place| find(place, &[name])) {
        return Ok(path);
    }
    let python = name.trim_end_matches(".bin");
    let has_python =
        [directory, &directory.join("cifar-10-batches-py")].iter().any(|d| d.join(python).is_file());
    let hint = match has_python {
        true => format!(" ({python} is of the version for Python; the binary version is what is read here)"),
        false => String::new(),
    };
    bail!(Io, "Cifar10", "{}: there is neither {name} nor {name}.gz{hint}", directory.display())
}

/// The bytes of a file, unpacked; no more than the most records and one have.
#[track_caller]
fn read(path: &Path) -> Result<Result<Vec<u8>, Failure>> {
    const MOST: u64 = MAX_RECORDS * RECORD as u64;
    let (mut file, length) = open("Cifar10", path)?;
    let mut unpack = || {
        let packed = file.fill_buf()?.starts_with(&[0x1F, 0x8B]);
        if length > MOST && !packed {
            let rule = format!("{length} bytes, but {MAX_RECORDS} records of {RECORD} bytes are the most");
            return Err(Failure::Format(rule));
        }
        let mut bytes = memory(if packed { 0 } else { length })?;
        let got = match packed {
            true => MultiGzDecoder::new(&mut file).take(MOST + 1).read_to_end(&mut bytes),
            false => file.by_ref().take(MOST + 1).read_to_end(&mut bytes),
        };
        match got {
            Err(error) if packed => Err(Failure::Format(format!("damaged gzip stream: {error}"))),
            Err(error) => Err(Failure::Io(error)),
            Ok(got) if got as u64 > MOST => Err(Failure::Format(format!(
                "more than {MOST} bytes, but {MAX_RECORDS} records of {RECORD} bytes are the most"
            ))),
            Ok(_) => Ok(bytes),
        }
    };
    Ok(unpack())
}

/// Appends the records of a file.
fn split(bytes: &[u8], pixels: &mut Vec<u8>, labels: &mut Vec<u8>) -> Result<(), String> {
    let (records, rest) = bytes.as_chunks::<RECORD>();
    let count = records.len();
    if !rest.is_empty() {
        let start = count * RECORD;
        return Err(format!(
            "truncated: record {count}, from byte {start} on, has {} of {RECORD} bytes",
            rest.len()
        ));
    }
    if count == 0 {
        return Err("truncated: there are no records".into());
    }
    if count as u64 > MAX_RECORDS {
        return Err(format!("{count} records, but {MAX_RECORDS} are the most"));
    }
    for (i, [label, image @ ..]) in records.iter().enumerate() {
        if usize::from(*label) >= Cifar10::CLASSES.len() {
            return Err(format!(
                "the label of record {i}, at byte {}, is {label}, expected 0 to 9",
                i * RECORD
            ));
        }
        labels.push(*label);
        pixels.extend_from_slice(image);
    }
    Ok(())
}
