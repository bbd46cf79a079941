//! Data for training: datasets, samplers, loaders, readers and transforms.
//!
//! Most users depend on the crate `chainrule`, which re-exports all of this.
//!
//! - [`Dataset`]: a number of samples that can be fetched by the batch; [`TensorDataset`] for tensors in
//!   memory, [`ByteImages`] for images as bytes, [`collate`] for samples that are made one at a time, [`Subset`] and
//!   [`ConcatDataset`] for parts and sums, [`Dataset::map`] and [`Dataset::transform`] for changes.
//! - [`random_split`], [`stratified_split`], [`KFold`], [`StratifiedKFold`]: parts to train and to validate on.
//! - [`DataLoader`]: shuffled batches, made in advance by worker threads where asked for.
//! - [`Sampler`]: the order of samples; PyTorch's own, with PyTorch's random numbers.
//! - [`transforms`]: changes of images, random ones among them.
//! - Ready-made datasets over local files: [`FashionMnist`], [`Mnist`], [`Cifar10`], and `ImageFolder` with the feature
//!   `image`.
//! - Readers: [`IdxFile`], [`read_npy`], [`read_npz`]; `CsvFile` with the feature `csv`, `read_image` with the feature
//!   `image`.

mod allocate;
mod collate;
mod dataset;
mod datasets;
mod gather;
mod loader;
mod location;
mod panic_message;
mod random_source;
mod readers;
mod sampler;
mod seeds;
mod split;
mod tensors;
pub mod transforms;

pub use collate::collate;
pub use dataset::Dataset;
#[cfg(feature = "image")]
pub use datasets::ImageFolder;
pub use datasets::{
    ByteImages, Cifar10, ConcatDataset, FashionMnist, MapDataset, Mnist, Subset, TensorDataset,
};
pub use loader::{DataLoader, DataLoaderIter, DataLoaderState};
#[cfg(feature = "image")]
pub use readers::{Channels, ImageOptions, parse_image, read_image};
#[cfg(feature = "csv")]
pub use readers::{CsvFile, CsvOptions, CsvValue};
pub use readers::{IdxData, IdxFile, parse_npy, parse_npz, read_npy, read_npz};
pub use sampler::{
    BatchSampler, RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler,
};
pub use split::{
    KFold, SplitLength, StratifiedKFold, random_split, random_split_with, stratified_split,
    stratified_split_with,
};
pub use tensors::Tensors;

/// What the prelude of the crate `chainrule` takes from here: not the names that only signatures need, nor those that
/// a program may well have itself.
#[doc(hidden)]
pub mod prelude {
    #[cfg(feature = "csv")]
    pub use crate::CsvFile;
    pub use crate::{
        BatchSampler, ByteImages, Cifar10, ConcatDataset, DataLoader, DataLoaderIter, DataLoaderState,
        Dataset, FashionMnist, IdxData, IdxFile, KFold, Mnist, RandomSampler, Sampler, SequentialSampler,
        StratifiedKFold, Subset, SubsetRandomSampler, TensorDataset, Tensors, WeightedRandomSampler, collate,
        random_split, random_split_with, read_npy, read_npz, stratified_split, transforms,
    };
    #[cfg(feature = "image")]
    pub use crate::{ImageFolder, ImageOptions, read_image};
}
