//! [`IdxFile`]: the IDX format of MNIST and its relatives.

mod header;

use std::io::{BufRead, Read};
use std::path::Path;

use chainrule_tensor::{Result, Shape, Tensor};
use flate2::bufread::MultiGzDecoder;

use super::failure::Failure;
use super::source::{MAX_INFLATION, memory, open};
use header::{Header, IdxType};

/// An array read from an IDX file, the format of MNIST (LeCun, Cortes and Burges, "The MNIST database of
/// handwritten digits"): two zero bytes, a byte for the element type, a byte for the number of dimensions,
/// the sizes as 32-bit integers, then the elements in row-major order, all big-endian.
///
/// ```no_run
/// # use chainrule_data::IdxFile;
/// # fn main() -> chainrule_tensor::Result<()> {
/// let labels = IdxFile::read("train-labels-idx1-ubyte.gz")?;
/// println!("{} labels", labels.shape()[0]);
/// let labels = labels.to_tensor()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct IdxFile {
    shape: Shape,
    data: IdxData,
}

/// The elements of an IDX file in row-major order, in the file's own type.
#[derive(Clone, Debug, PartialEq)]
pub enum IdxData {
    /// Type 0x08.
    U8(Vec<u8>),
    /// Type 0x09.
    I8(Vec<i8>),
    /// Type 0x0B.
    I16(Vec<i16>),
    /// Type 0x0C.
    I32(Vec<i32>),
    /// Type 0x0D.
    F32(Vec<f32>),
    /// Type 0x0E.
    F64(Vec<f64>),
}

impl IdxFile {
    /// Reads a file, plain or compressed with gzip; which one, the first bytes tell and not the name.
    ///
    /// Never allocates more than the file can hold, whatever its header says, and never unpacks more than the
    /// header says.
    ///
    /// # Errors
    /// When the file cannot be read, is not IDX, is shorter or longer than its header says, or its gzip stream
    /// is damaged. The message names the path.
    #[track_caller]
    pub fn read(path: impl AsRef<Path>) -> Result<IdxFile> {
        let path = path.as_ref();
        let (file, length) = open("IdxFile", path)?;
        match unpack(file, length) {
            Ok(idx) => Ok(idx),
            Err(failure) => Err(failure.into_error("IdxFile", Some(&path.display()))),
        }
    }

    /// As [`read`](IdxFile::read), of the bytes of a file.
    ///
    /// # Errors
    /// Those of [`read`](IdxFile::read).
    #[track_caller]
    pub fn parse(bytes: &[u8]) -> Result<IdxFile> {
        match unpack(bytes, bytes.len() as u64) {
            Ok(idx) => Ok(idx),
            Err(failure) => Err(failure.into_error("IdxFile", None)),
        }
    }

    /// The sizes of the dimensions.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The elements.
    pub fn data(&self) -> &IdxData {
        &self.data
    }

    /// The elements, without a copy.
    pub fn into_data(self) -> IdxData {
        self.data
    }

    /// A tensor of the same values: integers of any width as `i64`, floating-point numbers in their own type.
    ///
    /// # Errors
    /// When the tensor does not fit in memory.
    #[track_caller]
    pub fn to_tensor(&self) -> Result<Tensor> {
        let shape = &self.shape;
        match &self.data {
            IdxData::U8(values) => integers(values, shape),
            IdxData::I8(values) => integers(values, shape),
            IdxData::I16(values) => integers(values, shape),
            IdxData::I32(values) => integers(values, shape),
            IdxData::F32(values) => Tensor::from_slice(values, shape),
            IdxData::F64(values) => Tensor::from_slice(values, shape),
        }
    }
}

#[track_caller]
fn integers<T: Copy + Into<i64>>(values: &[T], shape: &Shape) -> Result<Tensor> {
    Tensor::build(shape, |out: &mut [i64]| {
        out.iter_mut().zip(values).for_each(|(to, &value)| *to = value.into());
    })
}

/// Parses a file of so many bytes, plain or packed.
fn unpack(mut file: impl BufRead, length: u64) -> Result<IdxFile, Failure> {
    if !file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        return parse(file, length);
    }
    match parse(MultiGzDecoder::new(file), length.saturating_mul(MAX_INFLATION)) {
        Err(Failure::Io(error)) => Err(Failure::Format(format!("damaged gzip stream: {error}"))),
        parsed => parsed,
    }
}

/// Parses a stream of at most `available` bytes.
fn parse(mut stream: impl Read, available: u64) -> Result<IdxFile, Failure> {
    let header = Header::read(&mut stream)?;
    let wanted = header.data_bytes()?;
    if wanted > available {
        return Err(truncated(&header, "the file cannot hold more than", available));
    }
    // One byte more, so that the end of the file is seen: gzip checks its sums there.
    let mut bytes = memory(wanted + 1)?;
    stream.take(wanted + 1).read_to_end(&mut bytes)?;
    let got = bytes.len() as u64;
    if got < wanted {
        return Err(truncated(&header, "there are", got));
    }
    if got > wanted {
        let rule =
            format!("longer than its header says: shape {} needs {wanted} bytes of data", header.shape());
        return Err(Failure::Format(rule));
    }
    Ok(IdxFile { shape: header.shape(), data: decode(bytes, header.element)? })
}

fn truncated(header: &Header, what: &str, bytes: u64) -> Failure {
    let shape = header.shape();
    Failure::Format(format!("truncated: the header says shape {shape}, but {what} {bytes} bytes of data"))
}

fn decode(bytes: Vec<u8>, element: IdxType) -> Result<IdxData, Failure> {
    fn values<const N: usize, T>(bytes: &[u8], read: fn([u8; N]) -> T) -> Result<Vec<T>, Failure> {
        let elements = bytes.as_chunks().0;
        let mut values = memory(elements.len() as u64)?;
        values.extend(elements.iter().map(|&value| read(value)));
        Ok(values)
    }
    Ok(match element {
        IdxType::U8 => IdxData::U8(bytes),
        IdxType::I8 => IdxData::I8(values(&bytes, i8::from_be_bytes)?),
        IdxType::I16 => IdxData::I16(values(&bytes, i16::from_be_bytes)?),
        IdxType::I32 => IdxData::I32(values(&bytes, i32::from_be_bytes)?),
        IdxType::F32 => IdxData::F32(values(&bytes, f32::from_be_bytes)?),
        IdxType::F64 => IdxData::F64(values(&bytes, f64::from_be_bytes)?),
    })
}
