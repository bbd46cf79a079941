//! [`Header`]: the first bytes of an IDX file.

use std::io::{ErrorKind, Read};

use chainrule_tensor::Shape;

use crate::readers::failure::Failure;
use crate::readers::source::array_bytes;

/// The element type of an IDX file.
#[derive(Clone, Copy)]
pub(super) enum IdxType {
    U8,
    I8,
    I16,
    I32,
    F32,
    F64,
}

impl IdxType {
    fn from_code(code: u8) -> Option<IdxType> {
        Some(match code {
            0x08 => IdxType::U8,
            0x09 => IdxType::I8,
            0x0B => IdxType::I16,
            0x0C => IdxType::I32,
            0x0D => IdxType::F32,
            0x0E => IdxType::F64,
            _ => return None,
        })
    }

    fn bytes(self) -> u64 {
        match self {
            IdxType::U8 | IdxType::I8 => 1,
            IdxType::I16 => 2,
            IdxType::I32 | IdxType::F32 => 4,
            IdxType::F64 => 8,
        }
    }
}

/// Element type and sizes.
pub(super) struct Header {
    pub(super) element: IdxType,
    sizes: Vec<u32>,
}

impl Header {
    pub(super) fn read(stream: &mut impl Read) -> Result<Header, Failure> {
        let [zero, zero2, code, rank] = read_word(stream)?;
        if (zero, zero2) != (0, 0) {
            return Err(Failure::Format(format!(
                "not an IDX file: it starts with the bytes {zero:02x} {zero2:02x} instead of 00 00"
            )));
        }
        let Some(element) = IdxType::from_code(code) else {
            return Err(Failure::Format(format!(
                "unknown IDX element type 0x{code:02x}: expected 0x08, 0x09, 0x0B, 0x0C, 0x0D or 0x0E"
            )));
        };
        let sizes =
            (0..rank).map(|_| Ok(u32::from_be_bytes(read_word(stream)?))).collect::<Result<_, Failure>>()?;
        Ok(Header { element, sizes })
    }

    pub(super) fn shape(&self) -> Shape {
        self.sizes.iter().map(|&n| n as usize).collect()
    }

    /// The bytes of all elements: as many as a file can have.
    pub(super) fn data_bytes(&self) -> Result<u64, Failure> {
        let sizes: Vec<u64> = self.sizes.iter().map(|&n| u64::from(n)).collect();
        array_bytes(&sizes, self.element.bytes()).ok_or_else(|| {
            Failure::Format(format!("the header's shape {:?} does not fit in memory", self.sizes))
        })
    }
}

fn read_word(stream: &mut impl Read) -> Result<[u8; 4], Failure> {
    let mut word = [0; 4];
    match stream.read_exact(&mut word) {
        Ok(()) => Ok(word),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Err(Failure::Format("truncated: it ends within the IDX header".into()))
        }
        Err(error) => Err(Failure::Io(error)),
    }
}
