//! Elements as little-endian bytes.

use std::io::{self, Read, Write};

use crate::Element;

/// Bytes converted at a time.
const PIECE: usize = 64 * 1024;

/// An element that safetensors files hold.
pub(super) trait Bytes: Element {
    /// Bytes of one element.
    const SIZE: usize;

    /// Reads elements from as many bytes as they take; none if some bytes are not an element.
    fn decode(bytes: &[u8], out: &mut [Self]) -> Option<()>;

    /// Writes elements into as many bytes as they take.
    fn encode(values: &[Self], out: &mut [u8]);
}

macro_rules! bytes {
    ($($t:ty),+) => {
        $(
            impl Bytes for $t {
                const SIZE: usize = size_of::<$t>();
                fn decode(bytes: &[u8], out: &mut [Self]) -> Option<()> {
                    for (value, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
                        *value = <$t>::from_le_bytes(*bytes);
                    }
                    Some(())
                }
                fn encode(values: &[Self], out: &mut [u8]) {
                    for (value, bytes) in values.iter().zip(out.as_chunks_mut().0) {
                        *bytes = value.to_le_bytes();
                    }
                }
            }
        )+
    };
}
bytes!(f32, f64, i64);

impl Bytes for bool {
    const SIZE: usize = 1;
    fn decode(bytes: &[u8], out: &mut [Self]) -> Option<()> {
        for (value, &byte) in out.iter_mut().zip(bytes) {
            *value = match byte {
                0 => false,
                1 => true,
                _ => return None,
            };
        }
        Some(())
    }
    fn encode(values: &[Self], out: &mut [u8]) {
        for (&value, byte) in values.iter().zip(out) {
            *byte = u8::from(value);
        }
    }
}

/// Fills `out` from a stream. `Ok(false)` when some bytes are not an element.
pub(super) fn read<T: Bytes>(source: &mut impl Read, out: &mut [T]) -> io::Result<bool> {
    let mut bytes = vec![0; PIECE.min(out.len() * T::SIZE)];
    for out in out.chunks_mut(PIECE / T::SIZE) {
        let bytes = &mut bytes[..out.len() * T::SIZE];
        source.read_exact(bytes)?;
        if T::decode(bytes, out).is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes elements to a stream.
pub(super) fn write<T: Bytes>(values: &[T], sink: &mut dyn Write) -> io::Result<()> {
    let mut bytes = vec![0; PIECE.min(values.len() * T::SIZE)];
    for values in values.chunks(PIECE / T::SIZE) {
        let bytes = &mut bytes[..values.len() * T::SIZE];
        T::encode(values, bytes);
        sink.write_all(bytes)?;
    }
    Ok(())
}
