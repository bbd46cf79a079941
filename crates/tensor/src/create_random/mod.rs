//! Making tensors of random numbers, from PyTorch's streams.

mod distributions;
mod each;
mod like;

pub(crate) use like::drawn_like;

use crate::random::{Generator, try_with_default};
use crate::{Element, Error, ErrorKind, Result, Shape, Tensor, bail};

/// Draws from the default generator; a refusal of the generator becomes an error of the operation.
#[track_caller]
fn draw<R>(operation: &str, f: impl FnOnce(&mut Generator) -> Result<R, String>) -> Result<R> {
    match try_with_default(f) {
        Err(in_use) => bail!(Value, operation, "{in_use}"),
        Ok(Ok(value)) => Ok(value),
        // A generator's own messages begin with the name of its method, and the error names the operation.
        Ok(Err(message)) => {
            let rule = message.split_once(": ").map_or(&*message, |(_, rule)| rule);
            Err(Error::new(ErrorKind::Value, operation, rule))
        }
    }
}

/// A tensor that `fill` fills with draws.
#[track_caller]
fn drawn<T: Element>(
    operation: &str,
    shape: Shape,
    fill: impl FnOnce(&mut Generator, &mut [T]) -> Result<(), String>,
) -> Result<Tensor> {
    let mut values = shape.allocate::<T>(operation)?;
    draw(operation, |generator| fill(generator, &mut values))?;
    Ok(Tensor::from_parts(values, shape))
}

impl Tensor {
    /// `f32` numbers between 0 (included) and 1 (excluded), equally likely, from the default generator
    /// (PyTorch: `torch.rand`, the same numbers after the same seed).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result, random::manual_seed};
    /// # fn main() -> Result<()> {
    /// manual_seed(0);
    /// assert_eq!(Tensor::rand([1])?.to_vec::<f32>()?, [0.4962566]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn rand(shape: impl Into<Shape>) -> Result<Tensor> {
        drawn("rand", shape.into(), |g, out: &mut [f32]| g.uniform(out, 0.0, 1.0))
    }

    /// `f32` numbers from the normal distribution of mean 0 and standard deviation 1, from the default
    /// generator (PyTorch: `torch.randn`, the same numbers after the same seed).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result, random::manual_seed};
    /// # fn main() -> Result<()> {
    /// manual_seed(0);
    /// assert_eq!(Tensor::randn([1])?.to_vec::<f32>()?, [1.5409961]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn randn(shape: impl Into<Shape>) -> Result<Tensor> {
        drawn("randn", shape.into(), |g, out: &mut [f32]| g.normal(out, 0.0, 1.0))
    }

    /// Integers from `low` (included) to `high` (excluded), equally likely, as `i64` (PyTorch:
    /// `torch.randint`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result, random::manual_seed};
    /// # fn main() -> Result<()> {
    /// manual_seed(0);
    /// assert_eq!(Tensor::randint(0, 10, [3])?.to_vec::<i64>()?, [4, 9, 3]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When `low >= high`.
    #[track_caller]
    pub fn randint(low: i64, high: i64, shape: impl Into<Shape>) -> Result<Tensor> {
        drawn("randint", shape.into(), |generator, out| generator.random_from_to(out, low, high))
    }

    /// The integers below `n` in random order, as `i64` (PyTorch: `torch.randperm`).
    ///
    /// # Errors
    /// When there is not so much memory.
    #[track_caller]
    pub fn randperm(n: usize) -> Result<Tensor> {
        drawn("randperm", Shape::from(n), |generator, out| {
            generator.permute(out);
            Ok(())
        })
    }
}
