//! [`read_npz`]: NumPy's archives of arrays.

mod archive;
mod member;

use std::collections::BTreeMap;
use std::io::{BufRead, Cursor, Seek};
use std::path::Path;

use chainrule_tensor::{Result, Tensor};

use super::failure::Failure;
use super::npy;
use super::source::open;

/// Reads the arrays that NumPy saved with `np.savez` or `np.savez_compressed`, by their names. What becomes of an
/// array, [`read_npy`](crate::read_npy) says.
///
/// ```no_run
/// use chainrule_data::{TensorDataset, read_npz};
///
/// # fn main() -> chainrule_tensor::Result<()> {
/// let arrays = read_npz("mnist.npz")?;
/// let train = TensorDataset::new((arrays["x_train"].clone(), arrays["y_train"].clone()))?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the file cannot be read, is not a ZIP archive, has members that are encrypted, packed in another way than by
/// deflate, share bytes or a name, or are not NPY, or one does not fit its checksum. The message names the path and
/// the member.
#[track_caller]
pub fn read_npz(path: impl AsRef<Path>) -> Result<BTreeMap<String, Tensor>> {
    let path = path.as_ref();
    let (file, length) = open("read_npz", path)?;
    match parse(file, length) {
        Ok(arrays) => Ok(arrays),
        Err(failure) => Err(failure.into_error("read_npz", Some(&path.display()))),
    }
}

/// As [`read_npz`], of the bytes of a file.
///
/// # Errors
/// Those of [`read_npz`].
#[track_caller]
pub fn parse_npz(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>> {
    match parse(Cursor::new(bytes), bytes.len() as u64) {
        Ok(arrays) => Ok(arrays),
        Err(failure) => Err(failure.into_error("parse_npz", None)),
    }
}

fn parse(mut file: impl BufRead + Seek, length: u64) -> Result<BTreeMap<String, Tensor>, Failure> {
    let mut arrays = BTreeMap::new();
    for member in archive::members(&mut file, length)? {
        let Some(name) = member.name.strip_suffix(".npy") else {
            return Err(Failure::Format(format!(
                "its member {:?} is not an array: expected *.npy",
                member.name
            )));
        };
        let array = match member.open(&mut file, length).and_then(|stream| npy::parse(stream, member.size)) {
            Ok(array) => array,
            Err(Failure::Format(rule)) => return Err(Failure::Format(format!("{}: {rule}", member.name))),
            Err(Failure::Io(error)) if error.kind() != std::io::ErrorKind::Other => {
                return Err(Failure::Format(format!("{}: damaged: {error}", member.name)));
            }
            Err(failure) => return Err(failure),
        };
        if arrays.insert(name.to_string(), array).is_some() {
            return Err(Failure::Format(format!("two of its members have the name {:?}", member.name)));
        }
    }
    Ok(arrays)
}
