//! Opening files, and reading no more of them than there is.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use chainrule_tensor::{Error, Result, bail};

use super::failure::Failure;

/// Deflate cannot make more than this many bytes of one (258 bytes from two bits, and the blocks' headers).
pub(crate) const MAX_INFLATION: u64 = 1032;

/// A file and its length in bytes. Only a plain one, or a link to one: a pipe would be waited for, and a device may
/// never end.
#[track_caller]
pub(crate) fn open(operation: &str, path: &Path) -> Result<(BufReader<File>, u64)> {
    // Before it is opened: opening a pipe waits for its other end.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        bail!(Io, operation, "{}: not a file", path.display());
    }
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, BufReader::new(file))));
    let (metadata, file) = match opened {
        Ok(opened) => opened,
        Err(error) => return Err(Error::io(operation, path.display(), error)),
    };
    if !metadata.is_file() {
        bail!(Io, operation, "{}: not a file", path.display());
    }
    Ok((file, metadata.len()))
}

/// Room for so many elements, which a file says that it has.
pub(crate) fn memory<T>(len: u64) -> Result<Vec<T>, Failure> {
    let mut vec = Vec::new();
    match usize::try_from(len).ok().and_then(|len| vec.try_reserve_exact(len).ok()) {
        Some(()) => Ok(vec),
        None => {
            let bytes = u128::from(len) * size_of::<T>() as u128;
            Err(Failure::Format(format!("its {bytes} bytes of data do not fit in memory")))
        }
    }
}

/// The bytes of an array with these sizes, if an array of them can be.
pub(crate) fn array_bytes(sizes: &[u64], element_bytes: u64) -> Option<u64> {
    // Zeros left out: a product of other sizes that overflows is no shape even beside a zero. Room is kept for
    // elements of eight bytes, which integers become.
    let mut factors = sizes.iter().copied().filter(|&n| n != 0);
    let bytes = factors.try_fold(element_bytes.max(8), u64::checked_mul)?;
    if bytes >= i64::MAX as u64 {
        return None;
    }
    Some(sizes.iter().product::<u64>() * element_bytes)
}

/// The last `wanted` bytes of a stream of at most `available`. Asks for no memory before it is clear that they can be
/// there, and reads one byte too many, so that the end of the stream is seen: compressed ones check their sums there.
pub(crate) fn read_rest(stream: impl Read, wanted: u64, available: u64) -> Result<Vec<u8>, Failure> {
    if wanted > available {
        return Err(Failure::Format(format!(
            "truncated: its header asks for {wanted} bytes of data, but there cannot be more than {available}"
        )));
    }
    let mut bytes = memory(wanted + 1)?;
    stream.take(wanted + 1).read_to_end(&mut bytes)?;
    let got = bytes.len() as u64;
    if got < wanted {
        return Err(Failure::Format(format!(
            "truncated: its header asks for {wanted} bytes of data, but there are {got}"
        )));
    }
    if got > wanted {
        return Err(Failure::Format(format!(
            "longer than its header says: it asks for {wanted} bytes of data"
        )));
    }
    Ok(bytes)
}
