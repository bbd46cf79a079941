//! Draws whose parameters are tensors, one for each element.

use super::drawn;
use crate::allocate::try_vec;
use crate::random::Generator;
use crate::{FloatElement, Result, Shape, Tensor, bail, dispatch_float};

#[track_caller]
fn check_float(operation: &str, tensor: &Tensor) -> Result<()> {
    match tensor.dtype() {
        dtype if dtype.is_float() => Ok(()),
        dtype => bail!(DType, operation, "parameters must be floating-point, not {dtype}"),
    }
}

/// Two parameters of one dtype, broadcast to each other.
#[track_caller]
fn pair(operation: &str, a: &Tensor, b: &Tensor) -> Result<[Tensor; 2]> {
    check_float(operation, a)?;
    check_float(operation, b)?;
    if a.dtype() != b.dtype() {
        bail!(DType, operation, "both parameters must have one dtype, not {} and {}", a.dtype(), b.dtype());
    }
    let shape = crate::shape::broadcast(operation, a.shape(), b.shape())?;
    Ok([a.expand(&shape)?, b.expand(&shape)?])
}

/// A tensor of the shape of `parameter`, drawn with its values in row-major order.
#[track_caller]
fn one_each<T: FloatElement>(
    operation: &str,
    parameter: &Tensor,
    fill: impl FnOnce(&mut Generator, &mut [T], &[T]) -> Result<(), String>,
) -> Result<Tensor> {
    let values = parameter.in_order()?;
    let values = values.as_slice::<T>()?;
    drawn(operation, parameter.shape().clone(), |generator, out| fill(generator, out, values))
}

impl Tensor {
    /// 1 with the probability that stands at each place, else 0, in the dtype of the probabilities (PyTorch:
    /// `torch.bernoulli`). No gradient flows.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::new([0.0, 1.0]).bernoulli_each()?.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a probability is outside [0, 1], and for integers and booleans.
    #[track_caller]
    pub fn bernoulli_each(&self) -> Result<Tensor> {
        check_float("bernoulli", self)?;
        let mut ones = self.shape().allocate::<bool>("bernoulli")?;
        dispatch_float!(self.dtype(), T => one_each("bernoulli", self, |g, out: &mut [T], probabilities| {
            g.bernoulli_each(&mut ones, probabilities)?;
            out.iter_mut().zip(&*ones).for_each(|(value, &one)| *value = T::from(u8::from(one)));
            Ok(())
        }))
    }

    /// Normal numbers of the means in this tensor and the standard deviations in another, broadcast to each other
    /// (PyTorch: `torch.normal`). No gradient flows.
    ///
    /// # Errors
    /// When a deviation is negative, the shapes do not broadcast, the dtypes differ, and for integers and booleans.
    #[track_caller]
    pub fn normal_each(&self, std: &Tensor) -> Result<Tensor> {
        let [mean, std] = pair("normal", &self.detach(), &std.detach())?;
        if std.lt(0.0)?.any()?.to_scalar::<bool>()? {
            bail!(Value, "normal", "standard deviations must be at least 0");
        }
        Tensor::normal(mean.shape(), 0.0, 1.0, mean.dtype())?.mul(&std)?.add(&mean)
    }

    /// Poisson-distributed whole numbers of the rates in this tensor (PyTorch: `torch.poisson`). No gradient flows.
    ///
    /// # Errors
    /// When a rate is negative or not finite, and for integers and booleans.
    #[track_caller]
    pub fn poisson(&self) -> Result<Tensor> {
        check_float("poisson", self)?;
        dispatch_float!(self.dtype(), T => one_each("poisson", self, |g, out: &mut [T], rates| g.poisson(out, rates)))
    }

    /// How many of as many trials as this tensor says succeed, of the probabilities in another, broadcast to each
    /// other (PyTorch: `torch.binomial`). Counts that are not whole are rounded down. No gradient flows.
    ///
    /// # Errors
    /// When a count is negative or not finite, a probability outside [0, 1], the shapes do not broadcast, the dtypes
    /// differ, and for integers and booleans.
    #[track_caller]
    pub fn binomial(&self, probabilities: &Tensor) -> Result<Tensor> {
        let [counts, probabilities] = pair("binomial", self, probabilities)?;
        dispatch_float!(counts.dtype(), T => {
            let probabilities = probabilities.in_order()?;
            let probabilities = probabilities.as_slice::<T>()?;
            one_each("binomial", &counts, |g, out: &mut [T], counts| g.binomial(out, counts, probabilities))
        })
    }

    /// Gamma-distributed numbers of the concentrations (shape parameters) in this tensor and rate 1; divide by another
    /// rate (PyTorch: `torch.distributions.Gamma(x, 1).sample()`). No gradient flows.
    ///
    /// # Errors
    /// When a concentration is not greater than 0 or not finite, and for integers and booleans.
    #[track_caller]
    pub fn gamma(&self) -> Result<Tensor> {
        check_float("gamma", self)?;
        dispatch_float!(self.dtype(), T => one_each("gamma", self, |g, out: &mut [T], shapes| g.gamma(out, shapes)))
    }

    /// Proportions along the last dimension, which add up to 1, of the Dirichlet distribution of the concentrations in
    /// this tensor (PyTorch: `torch.distributions.Dirichlet(x).sample()`). With two of them the first is
    /// beta-distributed (`torch.distributions.Beta`). No gradient flows.
    ///
    /// # Errors
    /// When a concentration is not greater than 0 or not finite, for a 0-d tensor, and for integers and booleans.
    #[track_caller]
    pub fn dirichlet(&self) -> Result<Tensor> {
        check_float("dirichlet", self)?;
        let Some(&width) = self.shape().last() else {
            bail!(Shape, "dirichlet", "expects at least one dimension, not a 0-d tensor");
        };
        dispatch_float!(self.dtype(), T => {
            one_each("dirichlet", self, |g, out: &mut [T], shapes| g.dirichlet(out, shapes, width))
        })
    }

    /// Indices drawn with probabilities proportional to the weights in this tensor, `[n]` or rows `[rows, n]`: `[samples]`
    /// or `[rows, samples]` as `i64` (PyTorch: `torch.multinomial`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let drawn = Tensor::new([0.0, 1.0, 0.0]).multinomial(2, true)?;
    /// assert_eq!(drawn.to_vec::<i64>()?, [1, 1]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there are no samples or no weights, a weight is negative or not finite, a row has no weight above 0, without
    /// replacement fewer of them than samples, for other shapes, and for integers and booleans.
    #[track_caller]
    pub fn multinomial(&self, samples: usize, replacement: bool) -> Result<Tensor> {
        check_float("multinomial", self)?;
        let (rows, width, shape) = match **self.shape() {
            [width] => (1, width, Shape::from([samples])),
            [rows, width] => (rows, width, Shape::from([rows, samples])),
            _ => bail!(Shape, "multinomial", "expects [n] or [rows, n], not shape {}", self.shape()),
        };
        dispatch_float!(self.dtype(), T => {
            let weights = self.in_order()?;
            let weights = weights.as_slice::<T>()?;
            let mut scratch = try_vec("multinomial", width)?;
            drawn("multinomial", shape, |generator, out: &mut [i64]| {
                generator.multinomial_with(&mut scratch, out, weights, [rows, width, samples], replacement)
            })
        })
    }
}
