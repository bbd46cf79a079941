//! [`Descr`]: the element type of an NPY file.

use chainrule_tensor::{Element, Tensor};

use crate::readers::failure::Failure;

/// An element type, as NumPy's `dtype.str` writes it: byte order, kind, bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Descr {
    big_endian: bool,
    kind: Kind,
    pub(super) bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
    Bool,
}

impl Descr {
    pub(super) fn parse(text: &str) -> Result<Descr, Failure> {
        let refused = || {
            let known = "floats of 2, 4 or 8 bytes, integers of 1 to 8, and booleans";
            Failure::Format(format!("its elements are of type {text:?}; what can be read are {known}"))
        };
        let mut chars = text.chars();
        let order = chars.next().ok_or_else(refused)?;
        let kind = match chars.next().ok_or_else(refused)? {
            'f' => Kind::Float,
            'i' => Kind::Signed,
            'u' => Kind::Unsigned,
            'b' => Kind::Bool,
            _ => return Err(refused()),
        };
        let bytes = match chars.as_str() {
            "1" => 1,
            "2" => 2,
            "4" => 4,
            "8" => 8,
            _ => return Err(refused()),
        };
        let fits = match kind {
            Kind::Float => bytes > 1,
            Kind::Bool => bytes == 1,
            Kind::Signed | Kind::Unsigned => true,
        };
        let big_endian = match order {
            '>' => true,
            '<' => false,
            '|' if bytes == 1 => false,
            '=' => cfg!(target_endian = "big"),
            _ => return Err(refused()),
        };
        if fits { Ok(Descr { big_endian, kind, bytes }) } else { Err(refused()) }
    }

    /// The elements as a tensor.
    pub(super) fn tensor(self, bytes: &[u8], sizes: &[usize]) -> Result<Tensor, Failure> {
        let build = Build { bytes, sizes, big_endian: self.big_endian };
        match (self.kind, self.bytes) {
            (Kind::Float, 2) => build.each(|two| half_to_f32(u16::from_le_bytes(two))),
            (Kind::Float, 4) => build.each(f32::from_le_bytes),
            (Kind::Float, _) => build.each(f64::from_le_bytes),
            (Kind::Signed, 1) => build.each(|one| i64::from(i8::from_le_bytes(one))),
            (Kind::Signed, 2) => build.each(|two| i64::from(i16::from_le_bytes(two))),
            (Kind::Signed, 4) => build.each(|four| i64::from(i32::from_le_bytes(four))),
            (Kind::Signed, _) => build.each(i64::from_le_bytes),
            (Kind::Unsigned, 1) => build.each(|one| i64::from(u8::from_le_bytes(one))),
            (Kind::Unsigned, 2) => build.each(|two| i64::from(u16::from_le_bytes(two))),
            (Kind::Unsigned, 4) => build.each(|four| i64::from(u32::from_le_bytes(four))),
            (Kind::Unsigned, _) => {
                let tensor = build.each(i64::from_le_bytes)?;
                if let Some(i) = tensor.as_slice::<i64>()?.iter().position(|&x| x < 0) {
                    return Err(Failure::Format(format!(
                        "element {i} in the file is above the greatest int64"
                    )));
                }
                Ok(tensor)
            }
            (Kind::Bool, _) => {
                // NumPy writes 0 and 1; for other bytes it has no rule.
                if let Some(i) = bytes.iter().position(|&byte| byte > 1) {
                    return Err(Failure::Format(format!(
                        "element {i} in the file is {}, which is no boolean",
                        bytes[i]
                    )));
                }
                build.each(|[byte]| byte == 1)
            }
        }
    }
}

struct Build<'a> {
    bytes: &'a [u8],
    sizes: &'a [usize],
    big_endian: bool,
}

impl Build<'_> {
    /// A tensor of what `read` makes of each element's bytes, put into little-endian order.
    fn each<const N: usize, T: Element>(&self, read: impl Fn([u8; N]) -> T) -> Result<Tensor, Failure> {
        let elements = self.bytes.as_chunks::<N>().0;
        let tensor = Tensor::build(self.sizes, |out: &mut [T]| {
            for (to, &element) in out.iter_mut().zip(elements) {
                let mut element = element;
                if self.big_endian {
                    element.reverse();
                }
                *to = read(element);
            }
        })?;
        Ok(tensor)
    }
}

/// IEEE 754 binary16, all of whose values `f32` has.
fn half_to_f32(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 0x1F);
    let fraction = f32::from(bits & 0x3FF);
    match exponent {
        0 => sign * fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::half_to_f32;

    #[test]
    fn half_precision() {
        // From the tables of IEEE 754.
        for (bits, value) in [
            (0x0000, 0.0),
            (0x0001, 5.960_464_5e-8),
            (0x03FF, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x3C00, 1.0),
            (0xC000, -2.0),
            (0x7BFF, 65504.0),
            (0xFC00, f32::NEG_INFINITY),
        ] {
            assert_eq!(half_to_f32(bits), value, "{bits:04x}");
        }
        assert!(half_to_f32(0x8000).is_sign_negative());
        assert!(half_to_f32(0x7E00).is_nan());
    }
}
