//! [`Operand`]: what may stand on the right of an arithmetic operation: a tensor or a number.

use std::borrow::Cow;

use crate::dtype::{Weight, result_dtype};
use crate::{DType, Result, Tensor};

/// A plain number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A floating-point number.
    Float(f64),
    /// An integer.
    Int(i64),
    /// A boolean.
    Bool(bool),
}

/// A tensor or a number. Numbers take part in type promotion by their category only: `x + 1.5` is `f32` for
/// an `f32` or an integer tensor.
#[derive(Clone, Copy)]
pub enum Operand<'a> {
    /// A tensor.
    Tensor(&'a Tensor),
    /// A number.
    Scalar(Scalar),
}

impl<'a> From<&'a Tensor> for Operand<'a> {
    fn from(tensor: &'a Tensor) -> Self {
        Operand::Tensor(tensor)
    }
}

macro_rules! scalar {
    ($($t:ty => $name:ident),+) => {
        $(
            impl From<$t> for Scalar {
                fn from(value: $t) -> Self {
                    Scalar::$name(value.into())
                }
            }
            impl From<$t> for Operand<'_> {
                fn from(value: $t) -> Self {
                    Operand::Scalar(value.into())
                }
            }
        )+
    };
}
scalar!(f64 => Float, f32 => Float, i64 => Int, i32 => Int, bool => Bool);

impl From<Scalar> for Operand<'_> {
    fn from(value: Scalar) -> Self {
        Operand::Scalar(value)
    }
}

impl Scalar {
    /// The value as an `f64`.
    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Float(x) => x,
            Scalar::Int(x) => x as f64,
            Scalar::Bool(x) => f64::from(x),
        }
    }

    /// A 0-d tensor of this value in the given dtype.
    #[track_caller]
    pub(crate) fn to_tensor(self, dtype: DType) -> Result<Tensor> {
        match (self, dtype) {
            (Scalar::Int(x), DType::I64) => Tensor::full_of([], x),
            (Scalar::Float(x), DType::I64) => Tensor::full_of([], x as i64),
            (x, _) => Tensor::full([], x.to_f64(), dtype),
        }
    }
}

impl<'a> Operand<'a> {
    pub(crate) fn weighted(&self) -> (DType, Weight) {
        match self {
            Operand::Tensor(t) if t.rank() == 0 => (t.dtype(), Weight::ZeroDim),
            Operand::Tensor(t) => (t.dtype(), Weight::Dims),
            Operand::Scalar(Scalar::Float(_)) => (DType::F32, Weight::Number),
            Operand::Scalar(Scalar::Int(_)) => (DType::I64, Weight::Number),
            Operand::Scalar(Scalar::Bool(_)) => (DType::Bool, Weight::Number),
        }
    }

    /// The dtype that this and another operand are computed in.
    #[inline]
    pub(crate) fn result_dtype(&self, other: &Operand<'_>) -> DType {
        if let (Operand::Tensor(a), Operand::Tensor(b)) = (self, other)
            && a.dtype() == b.dtype()
        {
            return a.dtype();
        }
        result_dtype(self.weighted(), other.weighted())
    }

    /// The operand as a tensor of the given dtype, which is put into `space` unless there is one already.
    #[track_caller]
    #[inline]
    pub(crate) fn as_tensor<'s>(self, dtype: DType, space: &'s mut Option<Tensor>) -> Result<&'s Tensor>
    where
        'a: 's,
    {
        match self {
            Operand::Tensor(t) if t.dtype() == dtype => Ok(t),
            other => Ok(space.insert(other.to_tensor(dtype)?.into_owned())),
        }
    }

    /// The operand as a tensor of the given dtype.
    #[track_caller]
    pub(crate) fn to_tensor(self, dtype: DType) -> Result<Cow<'a, Tensor>> {
        match self {
            Operand::Tensor(t) if t.dtype() == dtype => Ok(Cow::Borrowed(t)),
            Operand::Tensor(t) => t.to_dtype(dtype).map(Cow::Owned),
            Operand::Scalar(x) => x.to_tensor(dtype).map(Cow::Owned),
        }
    }
}
