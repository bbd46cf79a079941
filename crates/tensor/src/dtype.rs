//! [`DType`]: the type of a tensor's numbers, chosen at run time, and PyTorch's promotion rules.

use std::fmt;

use chainrule_kernels::memory::Shared;

use crate::storage::Storage;

/// The type of the numbers in a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum DType {
    /// 32-bit floating point, the default (`torch.float32`).
    F32,
    /// 64-bit floating point (`torch.float64`).
    F64,
    /// 64-bit integers (`torch.int64`).
    I64,
    /// Booleans, one byte each (`torch.bool`).
    Bool,
}

impl DType {
    /// Whether the numbers are floating-point, so that gradients can flow.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// Bytes taken by one number.
    pub fn size(self) -> usize {
        match self {
            DType::F32 => 4,
            DType::F64 | DType::I64 => 8,
            DType::Bool => 1,
        }
    }

    /// PyTorch's name: `float32`, `float64`, `int64` or `bool`.
    pub fn name(self) -> &'static str {
        match self {
            DType::F32 => "float32",
            DType::F64 => "float64",
            DType::I64 => "int64",
            DType::Bool => "bool",
        }
    }

    /// Bool < integer < floating point.
    fn category(self) -> u8 {
        match self {
            DType::Bool => 0,
            DType::I64 => 1,
            DType::F32 | DType::F64 => 2,
        }
    }

    /// The dtype that holds both: the higher category, and within floats the wider.
    pub fn promote(self, other: DType) -> DType {
        match self.category().cmp(&other.category()) {
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Equal if self == DType::F64 => self,
            std::cmp::Ordering::Equal => other,
        }
    }

    /// This dtype if it is floating-point, else the default float dtype: what an operation such as `exp`
    /// computes integers in.
    pub fn to_float(self) -> DType {
        if self.is_float() { self } else { DType::F32 }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much say an operand has in the dtype of the result: a tensor with dimensions most, then a 0-d
/// tensor, then a plain number. A weaker operand changes the result only by a higher category.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    Number,
    ZeroDim,
    Dims,
}

/// The dtype of the result of an operation on two operands (PyTorch: `torch.result_type`).
pub(crate) fn result_dtype((a, weight_a): (DType, Weight), (b, weight_b): (DType, Weight)) -> DType {
    if weight_a == weight_b {
        return a.promote(b);
    }
    let (strong, weak) = if weight_a > weight_b { (a, b) } else { (b, a) };
    if weak.category() > strong.category() { weak } else { strong }
}

/// A Rust type that a tensor can hold: `f32`, `f64`, `i64`, `bool`, and no other: kernels' trait is sealed.
pub trait Element: chainrule_kernels::Number {
    /// The run-time name of this type.
    const DTYPE: DType;
    #[doc(hidden)]
    fn wrap(values: Shared<Self>) -> Storage;
    #[doc(hidden)]
    fn unwrap(storage: &Storage) -> Option<&Shared<Self>>;
    #[doc(hidden)]
    fn unwrap_mut(storage: &mut Storage) -> Option<&mut Shared<Self>>;
    #[doc(hidden)]
    fn take(storage: Storage) -> Option<Shared<Self>>;
}

macro_rules! element {
    ($($t:ty => $name:ident),+) => {
        $(
            impl Element for $t {
                const DTYPE: DType = DType::$name;
                #[inline]
                fn wrap(values: Shared<Self>) -> Storage {
                    Storage::$name(values)
                }
                #[inline]
                fn unwrap(storage: &Storage) -> Option<&Shared<Self>> {
                    match storage {
                        Storage::$name(values) => Some(values),
                        _ => None,
                    }
                }
                #[inline]
                fn unwrap_mut(storage: &mut Storage) -> Option<&mut Shared<Self>> {
                    match storage {
                        Storage::$name(values) => Some(values),
                        _ => None,
                    }
                }
                fn take(storage: Storage) -> Option<Shared<Self>> {
                    match storage {
                        Storage::$name(values) => Some(values),
                        _ => None,
                    }
                }
            }
        )+
    };
}
element!(f32 => F32, f64 => F64, i64 => I64, bool => Bool);

/// `f32` or `f64`: an [`Element`] with arithmetic.
pub trait FloatElement: Element + chainrule_kernels::Float {}
impl FloatElement for f32 {}
impl FloatElement for f64 {}

/// Runs a body with `$T` standing for the Rust type of a dtype.
#[macro_export]
#[doc(hidden)]
macro_rules! dispatch {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            $crate::DType::F32 => {
                type $T = f32;
                $body
            }
            $crate::DType::F64 => {
                type $T = f64;
                $body
            }
            $crate::DType::I64 => {
                type $T = i64;
                $body
            }
            _ => {
                type $T = bool;
                $body
            }
        }
    };
}

/// As [`dispatch!`] for the float dtypes; the caller has made sure that it is one (anything but `F64` is
/// taken for `F32`, and reading the tensor's data then fails with an error).
#[macro_export]
#[doc(hidden)]
macro_rules! dispatch_float {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            $crate::DType::F64 => {
                type $T = f64;
                $body
            }
            _ => {
                type $T = f32;
                $body
            }
        }
    };
}
