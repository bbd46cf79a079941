//! Datasets: one file each.

pub(crate) mod byte_images;
pub(crate) mod check;
mod cifar10;
mod concat;
mod fashion_mnist;
#[cfg(feature = "image")]
mod image_folder;
mod map;
mod mnist;
mod subset;
mod tensor_dataset;

pub use byte_images::ByteImages;
pub use cifar10::Cifar10;
pub use concat::ConcatDataset;
pub use fashion_mnist::FashionMnist;
#[cfg(feature = "image")]
pub use image_folder::ImageFolder;
pub use map::MapDataset;
pub use mnist::Mnist;
pub use subset::Subset;
pub use tensor_dataset::TensorDataset;
