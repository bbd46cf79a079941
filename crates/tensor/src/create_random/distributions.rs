//! Tensors of one distribution: what PyTorch's in-place methods draw.

use super::drawn;
use crate::random::Generator;
use crate::{DType, Result, Shape, Tensor, bail};

/// Draws floats of a dtype given at run time.
macro_rules! floats {
    ($operation:literal, $shape:expr, $dtype:expr, |$generator:ident, $out:ident| $fill:expr) => {
        match $dtype {
            DType::F32 => {
                drawn($operation, $shape.into(), |$generator: &mut Generator, $out: &mut [f32]| $fill)
            }
            DType::F64 => {
                drawn($operation, $shape.into(), |$generator: &mut Generator, $out: &mut [f64]| $fill)
            }
            dtype => bail!(DType, $operation, "random floats cannot be {dtype}"),
        }
    };
}

impl Tensor {
    /// Numbers between `from` (included) and `to` (excluded), equally likely (PyTorch: `Tensor.uniform_`).
    ///
    /// # Errors
    /// When `from > to`, `to - from` is infinite, and for a dtype that is not floating-point.
    #[track_caller]
    pub fn uniform(shape: impl Into<Shape>, from: f64, to: f64, dtype: DType) -> Result<Tensor> {
        floats!("uniform", shape, dtype, |g, out| g.uniform(out, from, to))
    }

    /// Numbers from a normal distribution (PyTorch: `Tensor.normal_`).
    ///
    /// # Errors
    /// When `std < 0`, and for a dtype that is not floating-point.
    #[track_caller]
    pub fn normal(shape: impl Into<Shape>, mean: f64, std: f64, dtype: DType) -> Result<Tensor> {
        floats!("normal", shape, dtype, |g, out| g.normal(out, mean, std))
    }

    /// Numbers whose logarithms have a normal distribution of this mean and standard deviation (PyTorch:
    /// `Tensor.log_normal_`).
    ///
    /// # Errors
    /// When `std` is not greater than 0, and for a dtype that is not floating-point.
    #[track_caller]
    pub fn log_normal(shape: impl Into<Shape>, mean: f64, std: f64, dtype: DType) -> Result<Tensor> {
        floats!("log_normal", shape, dtype, |g, out| g.log_normal(out, mean, std))
    }

    /// Numbers from an exponential distribution of rate `lambda`, mean 1 / `lambda` (PyTorch: `Tensor.exponential_`).
    ///
    /// # Errors
    /// When `lambda` is not greater than 0, and for a dtype that is not floating-point.
    #[track_caller]
    pub fn exponential(shape: impl Into<Shape>, lambda: f64, dtype: DType) -> Result<Tensor> {
        floats!("exponential", shape, dtype, |g, out| g.exponential(out, lambda))
    }

    /// Numbers from a Cauchy distribution (PyTorch: `Tensor.cauchy_`).
    ///
    /// # Errors
    /// When `sigma` is not greater than 0, and for a dtype that is not floating-point.
    #[track_caller]
    pub fn cauchy(shape: impl Into<Shape>, median: f64, sigma: f64, dtype: DType) -> Result<Tensor> {
        floats!("cauchy", shape, dtype, |g, out| g.cauchy(out, median, sigma))
    }

    /// How many trials it takes, from 1 on, until one of probability `p` succeeds (PyTorch: `Tensor.geometric_`).
    ///
    /// # Errors
    /// When `p` is not strictly between 0 and 1, and for a dtype that is not floating-point.
    #[track_caller]
    pub fn geometric(shape: impl Into<Shape>, p: f64, dtype: DType) -> Result<Tensor> {
        floats!("geometric", shape, dtype, |g, out| g.geometric(out, p))
    }

    /// `true` with probability `p` at each place, as `bool` (PyTorch: `Tensor.bernoulli_`).
    ///
    /// # Errors
    /// When `p` is outside [0, 1].
    #[track_caller]
    pub fn bernoulli(shape: impl Into<Shape>, p: f64) -> Result<Tensor> {
        drawn("bernoulli", shape.into(), |g, out: &mut [bool]| g.bernoulli(out, p))
    }
}
