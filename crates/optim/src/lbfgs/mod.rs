//! [`Lbfgs`]: an optimizer that asks for the loss as often as it needs it.

mod solver;
mod state_dict;
mod strong_wolfe;
mod vector;

use std::collections::HashSet;

use chainrule_tensor::{DType, Parameter, Result, Tensor, bail};
use serde::{Deserialize, Serialize};

use crate::check;
use crate::groups::Hyperparameters;
use solver::{Objective, Solver};

pub(crate) const NAME: &str = "LBFGS";

/// L-BFGS: steps along a direction that the last gradients tell (PyTorch: `torch.optim.LBFGS`); see
/// [`LbfgsOptions`]. For small problems and whole batches; it keeps 2·`history_size` + 3 vectors as large as all
/// parameters together, and during a step also those that it replaces, to go back to.
///
/// All parameters are one vector, so they have one group, one dtype and one set of options.
///
/// ```
/// # use chainrule_tensor::{Parameter, Result, Tensor};
/// # use chainrule_optim::{Lbfgs, LbfgsOptions, LineSearch};
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([-1.5, 2.0]))?;
/// let options = LbfgsOptions { line_search_fn: Some(LineSearch::StrongWolfe), ..Default::default() };
/// let mut optimizer = Lbfgs::new([w.clone()], options)?;
/// for _ in 0..3 {
///     optimizer.step(|| {
///         w.zero_grad();
///         let loss = w.tensor().sub(&Tensor::new([1.0, 3.0]))?.mul(&Tensor::new([1.0, 10.0]))?.square()?.sum()?;
///         loss.backward()?;
///         Ok(loss)
///     })?;
/// }
/// let w = w.tensor().to_vec::<f32>()?;
/// assert!((w[0] - 1.0).abs() < 1e-4 && (w[1] - 3.0).abs() < 1e-4);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Lbfgs {
    options: LbfgsOptions,
    initial_lr: Option<f64>,
    /// The learning rate that a scheduler set last.
    scheduled_lr: Option<f64>,
    parameters: Vec<Parameter>,
    solver: AnySolver,
}

/// Options of [`Lbfgs`].
///
/// A call of [`step`](Lbfgs::step) makes up to `max_iter` iterations, each from the point x with the gradient g:
///
/// - d = −H·g, where H approximates the inverse Hessian by the last `history_size` differences of points and
///   gradients (those whose product is not above 1e-10 are left out); d = −g at first;
/// - x = x + t·d with t = `lr` (at first min(1, 1/Σ|g|)·`lr`), or with the t that `line_search_fn` finds from there.
///
/// Sources: Nocedal & Wright, "Numerical Optimization" (2006), algorithms 7.4 and 7.5; the line search: Schmidt,
/// "minFunc" (2005).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LbfgsOptions {
    /// Learning rate. Default 1.
    pub lr: f64,
    /// The most iterations of a call of `step`, at least 1. Default 20.
    pub max_iter: u64,
    /// The most evaluations of the loss in a call of `step`, after which no more iterations begin. Default `None`:
    /// `max_iter`·5/4.
    pub max_eval: Option<u64>,
    /// The largest |g| at which a call of `step` ends. Default 1e-7.
    pub tolerance_grad: f64,
    /// The change of the loss and the largest change of a value at which a call of `step` ends. Default 1e-9.
    pub tolerance_change: f64,
    /// How many differences are kept, at least 1. Default 100.
    pub history_size: usize,
    /// How t is found. Default `None`: it is `lr`.
    pub line_search_fn: Option<LineSearch>,
    /// Maximizes the loss instead of minimizing it. Default false.
    pub maximize: bool,
}

/// How far to go along a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineSearch {
    /// Until the loss has fallen enough and the slope is flat enough: the strong Wolfe conditions, with 1e-4 and 0.9.
    StrongWolfe,
}

impl Default for LbfgsOptions {
    fn default() -> Self {
        LbfgsOptions {
            lr: 1.0,
            max_iter: 20,
            max_eval: None,
            tolerance_grad: 1e-7,
            tolerance_change: 1e-9,
            history_size: 100,
            line_search_fn: None,
            maximize: false,
        }
    }
}

impl LbfgsOptions {
    #[track_caller]
    fn validate(&self) -> Result<()> {
        check::non_negative(NAME, "lr", self.lr)?;
        check::finite(NAME, "tolerance_grad", self.tolerance_grad)?;
        check::finite(NAME, "tolerance_change", self.tolerance_change)?;
        if self.max_iter == 0 {
            bail!(Value, NAME, "max_iter must be at least 1, not 0");
        }
        if self.history_size == 0 {
            bail!(Value, NAME, "history_size must be at least 1, not 0");
        }
        Ok(())
    }

    fn max_eval(&self) -> u64 {
        self.max_eval.unwrap_or(self.max_iter.saturating_add(self.max_iter / 4))
    }

    /// As [`validate`](LbfgsOptions::validate), but for a learning rate below 0 that a scheduler set.
    #[track_caller]
    fn check(&self, scheduled_lr: Option<f64>) -> Result<()> {
        if self.lr < 0.0 && scheduled_lr == Some(self.lr) {
            return LbfgsOptions { lr: 0.0, ..self.clone() }.validate();
        }
        self.validate()
    }
}

/// What is known of the problem, in the dtype of the parameters.
#[derive(Clone, Debug)]
enum AnySolver {
    F32(Solver<f32>),
    F64(Solver<f64>),
}

macro_rules! with_solver {
    ($solver:expr, $name:ident => $body:expr) => {
        match $solver {
            $crate::lbfgs::AnySolver::F32($name) => $body,
            $crate::lbfgs::AnySolver::F64($name) => $body,
        }
    };
}
use with_solver;

impl Lbfgs {
    /// An optimizer of parameters.
    ///
    /// # Errors
    /// When there are no parameters, one occurs twice, their dtypes differ, or an option is out of its range.
    #[track_caller]
    pub fn new(parameters: impl IntoIterator<Item = Parameter>, options: LbfgsOptions) -> Result<Self> {
        options.validate()?;
        let parameters: Vec<Parameter> = parameters.into_iter().collect();
        let Some(first) = parameters.first() else {
            bail!(Value, NAME, "there are no parameters to optimize");
        };
        let (dtype, mut seen) = (first.dtype(), HashSet::new());
        for (i, parameter) in parameters.iter().enumerate() {
            if !seen.insert(parameter.id()) {
                bail!(Value, NAME, "parameter {i} (shape {}) occurs twice", parameter.shape());
            }
            if parameter.dtype() != dtype {
                bail!(
                    DType,
                    NAME,
                    "all parameters must have one dtype: parameter {i} is {}, the first is {dtype}",
                    parameter.dtype()
                );
            }
        }
        let solver = match dtype {
            DType::F64 => AnySolver::F64(Solver::default()),
            _ => AnySolver::F32(Solver::default()),
        };
        Ok(Lbfgs { options, initial_lr: None, scheduled_lr: None, parameters, solver })
    }

    /// The options.
    pub fn options(&self) -> &LbfgsOptions {
        &self.options
    }

    /// The options, to change them; the next step checks them.
    pub fn options_mut(&mut self) -> &mut LbfgsOptions {
        &mut self.options
    }

    /// The parameters.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Forgets the gradients of all parameters.
    pub fn zero_grad(&self) {
        self.parameters.iter().for_each(Parameter::zero_grad);
    }

    /// How many iterations all steps together have made.
    pub fn n_iter(&self) -> u64 {
        with_solver!(&self.solver, solver => solver.n_iter)
    }

    /// How often all steps together have asked for the loss.
    pub fn func_evals(&self) -> u64 {
        with_solver!(&self.solver, solver => solver.func_evals)
    }

    /// Makes several iterations. `closure` zeroes the gradients, computes the loss, calls `backward` and returns the
    /// loss; it is called at every point of which the loss is needed, at least once. Returns the loss of the first
    /// call, from before the step.
    ///
    /// A parameter without a gradient counts as one whose gradient is zero.
    ///
    /// # Errors
    /// When `closure` fails, returns more than one number or leaves no parameter with a gradient, when an option has
    /// become invalid, and when there is no memory. Parameters and state then are what they were before the step; the
    /// gradients are those that `closure` left.
    #[track_caller]
    pub fn step(&mut self, mut closure: impl FnMut() -> Result<Tensor>) -> Result<Tensor> {
        self.options.check(self.scheduled_lr)?;
        let (options, parameters) = (&self.options, &self.parameters);
        let before: Vec<Tensor> = parameters.iter().map(|parameter| parameter.tensor().detach()).collect();
        let mut solver = self.solver.clone();
        let stepped = with_solver!(&mut solver, solver => {
            solver.step(options, &mut Objective { parameters, maximize: options.maximize, closure: &mut closure })
        });
        match stepped {
            Ok(loss) => {
                self.solver = solver;
                Ok(loss)
            }
            Err(error) => {
                for (parameter, value) in parameters.iter().zip(&before) {
                    parameter.set(value)?;
                }
                Err(error)
            }
        }
    }
}

impl Lbfgs {
    #[track_caller]
    fn only(group: usize) -> Result<()> {
        if group != 0 {
            bail!(Index, NAME, "there is no parameter group {group}, but 1");
        }
        Ok(())
    }
}

/// One group.
impl Hyperparameters for Lbfgs {
    fn num_groups(&self) -> usize {
        1
    }

    fn lr(&self, group: usize) -> Result<f64> {
        Self::only(group)?;
        Ok(self.options.lr)
    }

    fn set_lr(&mut self, group: usize, lr: f64) -> Result<()> {
        Self::only(group)?;
        check::finite(NAME, "lr", lr)?;
        (self.options.lr, self.scheduled_lr) = (lr, Some(lr));
        Ok(())
    }

    fn initial_lr(&self, group: usize) -> Result<f64> {
        Self::only(group)?;
        Ok(self.initial_lr.unwrap_or(self.options.lr))
    }

    fn set_initial_lr(&mut self, group: usize, lr: f64) -> Result<()> {
        Self::only(group)?;
        check::finite(NAME, "initial_lr", lr)?;
        self.initial_lr = Some(lr);
        Ok(())
    }

    fn momentum(&self, group: usize) -> Result<Option<f64>> {
        Self::only(group)?;
        Ok(None)
    }

    fn set_momentum(&mut self, group: usize, _momentum: f64) -> Result<()> {
        Self::only(group)
    }

    fn has_stepped(&self) -> Option<bool> {
        Some(self.func_evals() > 0)
    }
}
