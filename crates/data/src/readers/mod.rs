//! Readers of files: one file or folder each.

#[cfg(feature = "csv")]
mod csv;
pub(crate) mod failure;
pub(crate) mod idx;
#[cfg(feature = "image")]
mod image;
mod npy;
mod npz;
pub(crate) mod source;

#[cfg(feature = "csv")]
pub use csv::{CsvFile, CsvOptions, CsvValue};
pub use idx::{IdxData, IdxFile};
#[cfg(feature = "image")]
pub use image::{Channels, ImageOptions, parse_image, read_image};
pub use npy::{parse_npy, read_npy};
pub use npz::{parse_npz, read_npz};
