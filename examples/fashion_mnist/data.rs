//! Which images are used.

use std::fmt;
use std::path::{Path, PathBuf};

use chainrule::prelude::*;

use super::options::Options;

/// Where Debian's package dataset-fashion-mnist puts the full data set.
const SYSTEM: &str = "/usr/share/datasets/fashion-mnist";
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/fashion-mnist-sample");

/// The images to train on, and those to validate on.
pub struct Data {
    name: &'static str,
    directory: PathBuf,
    train: FashionMnist,
    validation: FashionMnist,
    batch_size: usize,
    workers: usize,
}

impl Data {
    /// Reads the images that the options ask for.
    pub fn load(options: &Options) -> Result<Data> {
        let system = Path::new(SYSTEM);
        let (name, directory) = match &options.data {
            Some(directory) => ("images", directory.as_path()),
            None if !options.sample && system.is_dir() => ("full Fashion-MNIST", system),
            None => ("the sample of Fashion-MNIST", Path::new(SAMPLE)),
        };
        let data = Data {
            name,
            directory: directory.to_path_buf(),
            train: FashionMnist::load(directory, true)?,
            validation: FashionMnist::load(directory, false)?,
            batch_size: options.batch_size.get(),
            workers: options.workers,
        };
        if data.train.is_empty() || data.validation.is_empty() {
            let message = format!("{}: there are no images", directory.display());
            return Err(Error::new(ErrorKind::Data, "fashion_mnist", message));
        }
        Ok(data)
    }

    /// The training images, in a new order each epoch.
    pub fn train(&self) -> DataLoader<FashionMnist> {
        self.loader(&self.train).shuffle(true)
    }

    /// The validation images, in order.
    pub fn validation(&self) -> DataLoader<FashionMnist> {
        self.loader(&self.validation)
    }

    fn loader(&self, images: &FashionMnist) -> DataLoader<FashionMnist> {
        DataLoader::new(images).batch_size(self.batch_size).num_workers(self.workers)
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Data { name, directory, train, validation, .. } = self;
        let (train, validation) = (train.len(), validation.len());
        write!(
            f,
            "Data: {name} in {}, {train} for training, {validation} for validation",
            directory.display()
        )
    }
}
