//! Data for training: datasets, samplers, loaders and readers.
//!
//! Most users depend on the crate `chainrule`, which re-exports all of this.
//!
//! - [`Dataset`]: a number of samples that can be fetched by the batch; [`TensorDataset`] for tensors in
//!   memory, [`collate`] for samples that are made one at a time, [`Subset`] and [`random_split`] for parts.
//! - [`DataLoader`]: shuffled batches, made in advance by worker threads where asked for.
//! - [`Sampler`]: the order of samples; PyTorch's own, with PyTorch's random numbers.
//! - [`IdxFile`] and [`FashionMnist`]: readers.

mod collate;
mod dataset;
mod fashion_mnist;
mod gather;
mod idx;
mod loader;
mod random_source;
mod sampler;
mod subset;
mod tensor_dataset;
mod tensors;

pub use collate::collate;
pub use dataset::Dataset;
pub use fashion_mnist::FashionMnist;
pub use idx::{IdxData, IdxFile};
pub use loader::{DataLoader, DataLoaderIter, DataLoaderState};
pub use sampler::{RandomSampler, Sampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler};
pub use subset::{Subset, random_split, random_split_with};
pub use tensor_dataset::TensorDataset;
pub use tensors::Tensors;
