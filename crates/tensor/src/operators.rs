//! The operators `+ - * /` and unary `-`. They panic where the methods return an error, with the same words.
//!
//! Plain numbers are `f64` or `i64`: with one float and one integer type only, a literal needs no suffix.

use std::ops;

use crate::{Result, Tensor};

#[track_caller]
fn unwrap(result: Result<Tensor>) -> Tensor {
    match result {
        Ok(tensor) => tensor,
        Err(error) => panic!("{error}"),
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $($right:ty),+) => {
        operator!(@tensor $trait, $method, &Tensor, &Tensor);
        operator!(@tensor $trait, $method, &Tensor, Tensor);
        operator!(@tensor $trait, $method, Tensor, &Tensor);
        operator!(@tensor $trait, $method, Tensor, Tensor);
        $(
            operator!(@number $trait, $method, &Tensor, $right);
            operator!(@number $trait, $method, Tensor, $right);
            impl ops::$trait<&Tensor> for $right {
                type Output = Tensor;
                #[track_caller]
                fn $method(self, other: &Tensor) -> Tensor {
                    unwrap(left_number::$method(self.into(), other))
                }
            }
            impl ops::$trait<Tensor> for $right {
                type Output = Tensor;
                #[track_caller]
                fn $method(self, other: Tensor) -> Tensor {
                    unwrap(left_number::$method(self.into(), &other))
                }
            }
        )+
    };
    (@tensor $trait:ident, $method:ident, $left:ty, $right:ty) => {
        impl ops::$trait<$right> for $left {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: $right) -> Tensor {
                let other: &Tensor = &other;
                unwrap(Tensor::$method(&self, other))
            }
        }
    };
    (@number $trait:ident, $method:ident, $left:ty, $right:ty) => {
        impl ops::$trait<$right> for $left {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: $right) -> Tensor {
                unwrap(Tensor::$method(&self, other))
            }
        }
    };
}

operator!(Add, add, f64, i64);
operator!(Sub, sub, f64, i64);
operator!(Mul, mul, f64, i64);
operator!(Div, div, f64, i64);

/// Operations whose left operand is a plain number.
mod left_number {
    use crate::operation::{Operand, Scalar};
    use crate::{Result, Tensor};

    /// The number as a 0-d tensor in the dtype in which it meets the other operand.
    #[track_caller]
    fn number(x: Scalar, other: &Tensor) -> Result<Tensor> {
        let operand = Operand::Scalar(x);
        Ok(operand.to_tensor(operand.result_dtype(&other.into()))?.into_owned())
    }

    #[track_caller]
    pub(super) fn add(x: Scalar, other: &Tensor) -> Result<Tensor> {
        other.add(x)
    }

    #[track_caller]
    pub(super) fn mul(x: Scalar, other: &Tensor) -> Result<Tensor> {
        other.mul(x)
    }

    #[track_caller]
    pub(super) fn sub(x: Scalar, other: &Tensor) -> Result<Tensor> {
        number(x, other)?.sub(other)
    }

    #[track_caller]
    pub(super) fn div(x: Scalar, other: &Tensor) -> Result<Tensor> {
        number(x, other)?.div(other)
    }
}

impl ops::Neg for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        unwrap(Tensor::neg(self))
    }
}

impl ops::Neg for Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        unwrap(Tensor::neg(&self))
    }
}
