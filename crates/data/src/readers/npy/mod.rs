//! [`read_npy`]: NumPy's files of one array.

mod descr;
mod header;

use std::io::Read;
use std::path::Path;

use chainrule_tensor::{Result, Tensor};

use super::failure::Failure;
use super::source::{array_bytes, open, read_rest};
use header::Header;

/// Reads an array that NumPy saved with `np.save` (the NPY format, versions 1 to 3).
///
/// | NumPy | tensor |
/// |---|---|
/// | `float32`, `float64` | the same |
/// | `float16` | `f32` |
/// | `int8` to `int64`, `uint8` to `uint64` | `i64` |
/// | `bool` | `bool` |
///
/// Either byte order is read; an array in Fortran order is put into row-major order. Never allocates more than the
/// file can hold, whatever its header says.
///
/// ```no_run
/// # fn main() -> chainrule_tensor::Result<()> {
/// let features = chainrule_data::read_npy("features.npy")?;
/// println!("{} of shape {}", features.dtype(), features.shape());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the file cannot be read, is not NPY, has elements of another type (complex numbers, texts, objects, records)
/// or a `uint64` above the greatest `i64`, or is shorter or longer than its header says. The message names the path.
#[track_caller]
pub fn read_npy(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    let (file, length) = open("read_npy", path)?;
    match parse(file, length) {
        Ok(tensor) => Ok(tensor),
        Err(failure) => Err(failure.into_error("read_npy", Some(&path.display()))),
    }
}

/// As [`read_npy`], of the bytes of a file.
///
/// # Errors
/// Those of [`read_npy`].
#[track_caller]
pub fn parse_npy(bytes: &[u8]) -> Result<Tensor> {
    match parse(bytes, bytes.len() as u64) {
        Ok(tensor) => Ok(tensor),
        Err(failure) => Err(failure.into_error("parse_npy", None)),
    }
}

/// Parses a stream of at most `available` bytes.
pub(super) fn parse(mut stream: impl Read, available: u64) -> Result<Tensor, Failure> {
    let header = Header::read(&mut stream, available)?;
    let Some(wanted) = array_bytes(&header.shape, header.descr.bytes as u64) else {
        return Err(Failure::Format(format!("its shape {:?} does not fit in memory", header.shape)));
    };
    let bytes = read_rest(stream, wanted, available - header.end.min(available))?;
    // An array in Fortran order is the transpose of one in row-major order with the sizes reversed.
    let mut sizes: Vec<usize> = header.shape.iter().map(|&n| n as usize).collect();
    if !header.fortran_order {
        return header.descr.tensor(&bytes, &sizes);
    }
    sizes.reverse();
    let dims: Vec<isize> = (0..sizes.len() as isize).rev().collect();
    Ok(header.descr.tensor(&bytes, &sizes)?.permute(dims)?.contiguous()?)
}
