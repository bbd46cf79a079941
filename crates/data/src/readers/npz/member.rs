//! [`Member`]: one file of a ZIP archive.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::archive::{Record, damaged, read_at};
use crate::readers::failure::Failure;
use crate::readers::source::MAX_INFLATION;

const LOCAL: u32 = 0x0403_4B50;
const LOCAL_BYTES: u64 = 30;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// What the directory says of a member.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) encrypted: bool,
    pub(super) method: u16,
    /// CRC-32 of the unpacked bytes.
    pub(super) checksum: u32,
    /// Bytes, unpacked.
    pub(super) size: u64,
    /// Bytes, packed.
    pub(super) packed: u64,
    /// Where the member's own header begins.
    pub(super) start: u64,
}

impl Member {
    /// The unpacked bytes. The stream fails at its end if the checksum is another.
    pub(super) fn open<'a, F: BufRead + Seek>(
        &self,
        file: &'a mut F,
        length: u64,
    ) -> Result<Checked<impl Read + use<'a, F>>, Failure> {
        if self.encrypted {
            return Err(Failure::Format("it is encrypted".into()));
        }
        let header = read_at(file, length, self.start, LOCAL_BYTES)?;
        let header = Record(&header);
        if header.u32(0) != LOCAL {
            return Err(damaged(self.start, "no member begins here"));
        }
        let data = self.start + LOCAL_BYTES + u64::from(header.u16(26)) + u64::from(header.u16(28));
        if data.checked_add(self.packed).is_none_or(|end| end > length) {
            return Err(damaged(data, "the member ends beyond the file"));
        }
        let most = match self.method {
            STORED => self.packed,
            DEFLATED => self.packed.saturating_mul(MAX_INFLATION),
            other => {
                return Err(Failure::Format(format!("packed by method {other}: expected 0 or 8 (deflate)")));
            }
        };
        if self.size > most {
            let rule = format!("{} bytes cannot be packed into {}", self.size, self.packed);
            return Err(damaged(self.start, &rule));
        }
        file.seek(SeekFrom::Start(data))?;
        let packed = file.take(self.packed);
        let stream: Unpacked<F> = if self.method == STORED {
            Unpacked::Stored(packed)
        } else {
            Unpacked::Deflated(DeflateDecoder::new(packed))
        };
        Ok(Checked { stream, sum: Crc::new(), checksum: self.checksum })
    }
}

enum Unpacked<'a, F: BufRead> {
    Stored(io::Take<&'a mut F>),
    Deflated(DeflateDecoder<io::Take<&'a mut F>>),
}

impl<F: BufRead> Read for Unpacked<'_, F> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Unpacked::Stored(stream) => stream.read(bytes),
            Unpacked::Deflated(stream) => stream.read(bytes),
        }
    }
}

/// A stream that fails at its end unless its bytes have a checksum.
pub(super) struct Checked<R> {
    stream: R,
    sum: Crc,
    checksum: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(bytes)?;
        self.sum.update(&bytes[..count]);
        if count == 0 && !bytes.is_empty() && self.sum.sum() != self.checksum {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum is another"));
        }
        Ok(count)
    }
}
