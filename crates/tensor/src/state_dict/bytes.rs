//! Elements as little-endian bytes.

use std::io::{self, Read, Write};

use crate::Element;

/// Bytes converted at a time.
const PIECE: usize = 64 * 1024;

/// A dtype of safetensors files, and the elements that its numbers become.
pub(super) trait FileDtype {
    /// What a number becomes: itself, or the next wider of our own dtypes.
    type Element: Element;
    /// Bytes of one number.
    const SIZE: usize;

    /// The element of as many bytes as one number takes; none if the element cannot hold it.
    fn decode(bytes: &[u8]) -> Option<Self::Element>;
}

/// A dtype of our own, which is written as it is.
pub(super) trait Stored: FileDtype<Element = Self> + Element {
    /// Writes elements into as many bytes as they take.
    fn encode(values: &[Self], out: &mut [u8]);
}

macro_rules! numbers {
    ($($t:ty => $element:ty),+ $(,)?) => {
        $(impl FileDtype for $t {
            type Element = $element;
            const SIZE: usize = size_of::<$t>();
            #[inline]
            fn decode(bytes: &[u8]) -> Option<$element> {
                <$t>::from_le_bytes(bytes.try_into().ok()?).try_into().ok()
            }
        })+
    };
}
numbers!(f32 => f32, f64 => f64, i64 => i64, u64 => i64, i32 => i64, u32 => i64, i16 => i64, u16 => i64, i8 => i64, u8 => i64);

macro_rules! stored {
    ($($t:ty),+) => {
        $(impl Stored for $t {
            fn encode(values: &[Self], out: &mut [u8]) {
                for (value, bytes) in values.iter().zip(out.as_chunks_mut().0) {
                    *bytes = value.to_le_bytes();
                }
            }
        })+
    };
}
stored!(f32, f64, i64);

impl FileDtype for bool {
    type Element = bool;
    const SIZE: usize = 1;
    fn decode(bytes: &[u8]) -> Option<bool> {
        match bytes {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

impl Stored for bool {
    fn encode(values: &[Self], out: &mut [u8]) {
        for (&value, byte) in values.iter().zip(out) {
            *byte = u8::from(value);
        }
    }
}

/// Brain floats: the upper halves of `f32`.
pub(super) struct Bf16;

impl FileDtype for Bf16 {
    type Element = f32;
    const SIZE: usize = 2;
    #[inline]
    fn decode(bytes: &[u8]) -> Option<f32> {
        Some(f32::from_bits(u32::from(u16::from_le_bytes(bytes.try_into().ok()?)) << 16))
    }
}

/// Half floats (IEEE 754): five bits of exponent, ten of fraction.
pub(super) struct F16;

impl FileDtype for F16 {
    type Element = f32;
    const SIZE: usize = 2;
    #[inline]
    fn decode(bytes: &[u8]) -> Option<f32> {
        let bits = u16::from_le_bytes(bytes.try_into().ok()?);
        let fraction = f32::from(bits & 0x3ff);
        let magnitude = match i32::from(bits >> 10 & 31) {
            0 => fraction * f32::powi(2.0, -24),
            31 if fraction == 0.0 => f32::INFINITY,
            31 => f32::NAN,
            exponent => (fraction + 1024.0) * f32::powi(2.0, exponent - 25),
        };
        Some(if bits >> 15 == 1 { -magnitude } else { magnitude })
    }
}

/// Fills `out` from a stream. `Ok(false)` when some number has no element.
pub(super) fn read<D: FileDtype>(source: &mut impl Read, out: &mut [D::Element]) -> io::Result<bool> {
    let mut bytes = vec![0; PIECE.min(out.len() * D::SIZE)];
    for out in out.chunks_mut(PIECE / D::SIZE) {
        let bytes = &mut bytes[..out.len() * D::SIZE];
        source.read_exact(bytes)?;
        for (value, bytes) in out.iter_mut().zip(bytes.chunks_exact(D::SIZE)) {
            match D::decode(bytes) {
                Some(element) => *value = element,
                None => return Ok(false),
            }
        }
    }
    Ok(true)
}

/// Writes elements to a stream.
pub(super) fn write<T: Stored>(values: &[T], sink: &mut dyn Write) -> io::Result<()> {
    let mut bytes = vec![0; PIECE.min(values.len() * T::SIZE)];
    for values in values.chunks(PIECE / T::SIZE) {
        let bytes = &mut bytes[..values.len() * T::SIZE];
        T::encode(values, bytes);
        sink.write_all(bytes)?;
    }
    Ok(())
}
