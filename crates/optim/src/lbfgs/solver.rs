//! [`Solver`]: the iterations.

use std::collections::VecDeque;
use std::sync::Arc;

use chainrule_kernels::norm::norm;
use chainrule_kernels::{Buffer, update};
use chainrule_tensor::{FloatElement, InOperation, Parameter, Result, Shape, Tensor, bail};

use super::strong_wolfe::{self, Point};
use super::vector::{add_scaled, dot, scaled};
use super::{LbfgsOptions, LineSearch, NAME};

/// What is kept from iteration to iteration. Copies share their vectors: a step works on one, which is dropped if the step
/// fails.
#[derive(Clone, Debug)]
pub(super) struct Solver<T: FloatElement> {
    pub(super) n_iter: u64,
    pub(super) func_evals: u64,
    /// The last direction, and how far it was gone.
    pub(super) direction: Arc<Buffer<T>>,
    pub(super) t: f64,
    /// The gradient and the loss at which the last direction began.
    pub(super) grad: Arc<Buffer<T>>,
    pub(super) loss: f64,
    pub(super) history: VecDeque<Arc<Difference<T>>>,
    /// What the approximation of the inverse Hessian begins with, times the identity.
    pub(super) diagonal: f64,
}

/// What changed in an iteration.
#[derive(Debug)]
pub(super) struct Difference<T: FloatElement> {
    pub(super) of_gradients: Buffer<T>,
    pub(super) of_points: Buffer<T>,
    /// One over the product of the two.
    pub(super) rho: f64,
}

impl<T: FloatElement> Default for Solver<T> {
    fn default() -> Self {
        let (direction, grad) = (Arc::new(Buffer::zeros(0)), Arc::new(Buffer::zeros(0)));
        let history = VecDeque::new();
        Solver { n_iter: 0, func_evals: 0, direction, t: 0.0, grad, loss: 0.0, history, diagonal: 1.0 }
    }
}

/// The loss as a function of one vector, the parameters one after the other.
pub(super) struct Objective<'a> {
    pub(super) parameters: &'a [Parameter],
    pub(super) maximize: bool,
    pub(super) closure: &'a mut dyn FnMut() -> Result<Tensor>,
}

impl Objective<'_> {
    /// The loss at the present point, as it is and as a number to minimize, with the gradient of the latter.
    #[track_caller]
    fn evaluate<T: FloatElement>(&mut self) -> Result<(Tensor, f64, Buffer<T>)> {
        let loss = (self.closure)()?;
        let sign = if self.maximize { -1.0 } else { 1.0 };
        let mut values = self.vector::<T>()?;
        let (mut any, mut rest) = (false, &mut values[..]);
        for parameter in self.parameters {
            let (part, behind) = rest.split_at_mut(parameter.numel());
            rest = behind;
            match parameter.try_grad()? {
                Some(grad) => {
                    let grad = grad.detach().contiguous()?;
                    part.iter_mut()
                        .zip(grad.as_slice::<T>()?)
                        .for_each(|(value, &g)| *value = T::of(sign) * g);
                    any = true;
                }
                None => part.fill(T::ZERO),
            }
        }
        if !any {
            bail!(Graph, NAME, "no parameter has a gradient: the closure must call backward on the loss");
        }
        let number = sign * loss.item()?;
        Ok((loss, number, values))
    }

    /// The present point.
    #[track_caller]
    fn point<T: FloatElement>(&self) -> Result<Buffer<T>> {
        let mut values = self.vector::<T>()?;
        let mut rest = &mut values[..];
        for parameter in self.parameters {
            let (part, behind) = rest.split_at_mut(parameter.numel());
            rest = behind;
            part.copy_from_slice(parameter.tensor().detach().contiguous()?.as_slice::<T>()?);
        }
        Ok(values)
    }

    /// Memory for a vector of all parameters.
    #[track_caller]
    fn vector<T: FloatElement>(&self) -> Result<Buffer<T>> {
        let numel: usize = self.parameters.iter().map(Parameter::numel).sum();
        Shape::from([numel]).allocate::<T>(NAME)
    }

    /// Goes to a point, part by part: `change(values, their place)`.
    #[track_caller]
    fn go<T: FloatElement>(&self, change: impl Fn(&mut [T], std::ops::Range<usize>)) -> Result<()> {
        let mut start = 0;
        for parameter in self.parameters {
            let end = start + parameter.numel();
            parameter.update(|values: &mut [T]| change(values, start..end))?;
            start = end;
        }
        Ok(())
    }

    #[track_caller]
    fn add<T: FloatElement>(&self, t: f64, direction: &[T]) -> Result<()> {
        self.go(|values, range| add_scaled(values, t, &direction[range]))
    }
}

impl<T: FloatElement> Solver<T> {
    #[track_caller]
    pub(super) fn step(&mut self, options: &LbfgsOptions, objective: &mut Objective<'_>) -> Result<Tensor> {
        let (first_loss, mut loss, mut grad) = objective.evaluate::<T>()?;
        self.func_evals = self.func_evals.saturating_add(1);
        let mut evals = 1;
        let flat = |grad: &[T]| norm(grad, f64::INFINITY) <= options.tolerance_grad;
        if flat(&grad) {
            return Ok(first_loss);
        }
        for iteration in 1..=options.max_iter {
            self.n_iter = self.n_iter.saturating_add(1);
            if self.n_iter == 1 {
                self.direction = Arc::new(scaled(-1.0, &grad)?);
                self.t = (1.0 / norm(&grad, 1.0)).min(1.0) * options.lr;
            } else {
                self.remember(&grad, options.history_size)?;
                self.direction = Arc::new(self.newton(&grad)?);
                self.t = options.lr;
            }
            self.grad = Arc::new(Buffer::try_copy_of(&grad).in_operation(NAME)?);
            self.loss = loss;
            let slope = dot(&grad, &self.direction);
            if slope > -options.tolerance_change {
                break;
            }
            match options.line_search_fn {
                Some(LineSearch::StrongWolfe) => {
                    let most =
                        i64::try_from(options.max_eval()).unwrap_or(i64::MAX).saturating_sub(evals as i64);
                    let (found, asked) = self.search(objective, slope, options.tolerance_change, most)?;
                    (self.t, loss, grad) = (found.t, found.loss, found.grad);
                    evals += asked;
                    self.func_evals = self.func_evals.saturating_add(asked);
                    objective.add(self.t, &self.direction)?;
                }
                None => {
                    objective.add(self.t, &self.direction)?;
                    if iteration < options.max_iter {
                        (_, loss, grad) = objective.evaluate::<T>()?;
                        evals += 1;
                        self.func_evals = self.func_evals.saturating_add(1);
                    }
                }
            }
            let moved = norm(&self.direction, f64::INFINITY) * self.t.abs();
            if evals >= options.max_eval()
                || flat(&grad)
                || moved <= options.tolerance_change
                || (loss - self.loss).abs() < options.tolerance_change
            {
                break;
            }
        }
        Ok(first_loss)
    }

    /// Adds what the last iteration changed to the history.
    #[track_caller]
    fn remember(&mut self, grad: &[T], history_size: usize) -> Result<()> {
        let mut of_gradients = Buffer::try_copy_of(grad).in_operation(NAME)?;
        add_scaled(&mut of_gradients, -1.0, &self.grad);
        let of_points = scaled(self.t, &self.direction)?;
        let product = dot(&of_gradients, &of_points);
        let square = dot(&of_gradients, &of_gradients);
        // Else the approximation would not stay positive definite, or not finite.
        if product > 1e-10 && product.is_finite() && square.is_finite() {
            while self.history.len() >= history_size {
                self.history.pop_front();
            }
            self.diagonal = product / square;
            self.history.push_back(Arc::new(Difference { of_gradients, of_points, rho: 1.0 / product }));
        }
        Ok(())
    }

    /// −H·g
    #[track_caller]
    fn newton(&self, grad: &[T]) -> Result<Buffer<T>> {
        let mut r = scaled(-1.0, grad)?;
        let mut factors = Vec::with_capacity(self.history.len());
        for change in self.history.iter().rev() {
            let factor = dot(&change.of_points, &r) * change.rho;
            add_scaled(&mut r, -factor, &change.of_gradients);
            factors.push(factor);
        }
        let diagonal = T::of(self.diagonal);
        update::each(&mut r, 0.3, move |r| diagonal * r);
        for (change, factor) in self.history.iter().zip(factors.into_iter().rev()) {
            let other = dot(&change.of_gradients, &r) * change.rho;
            add_scaled(&mut r, factor - other, &change.of_points);
        }
        Ok(r)
    }

    /// Looks along the direction for a point, and comes back; also gives the number of evaluations.
    #[track_caller]
    fn search(
        &self,
        objective: &mut Objective<'_>,
        slope: f64,
        tolerance_change: f64,
        most: i64,
    ) -> Result<(Point<T>, u64)> {
        let start = objective.point::<T>()?;
        let mut asked = 0;
        let evaluate = |t: f64| -> Result<Point<T>> {
            asked += 1;
            objective.add(t, &self.direction)?;
            let evaluated = objective.evaluate::<T>();
            objective.go(|values: &mut [T], range| values.copy_from_slice(&start[range]))?;
            let (_, loss, grad) = evaluated?;
            let slope = dot(&grad, &self.direction);
            Ok(Point { t, loss, grad, slope })
        };
        let grad = Buffer::try_copy_of(&self.grad).in_operation(NAME)?;
        let begin = Point { t: 0.0, loss: self.loss, grad, slope };
        let size = norm(&self.direction, f64::INFINITY);
        let found = strong_wolfe::search(evaluate, begin, self.t, size, tolerance_change, most)?;
        Ok((found, asked))
    }
}
