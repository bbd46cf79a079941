//! [`Algorithm`]: what one optimizer does to one parameter. One file for each.

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod asgd;
mod hyperparameter;
mod lion;
mod muon;
mod nadam;
mod radam;
mod rmsprop;
mod rprop;
mod sgd;
mod sparse_adam;
mod update;

use chainrule_tensor::{DType, FloatElement, Result, Shape};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[doc(no_inline)]
pub use chainrule_kernels::gemm::GemmNumber;

pub use adadelta::{Adadelta, AdadeltaOptions};
pub use adafactor::{Adafactor, AdafactorOptions};
pub use adagrad::{Adagrad, AdagradOptions};
pub use adam::{Adam, AdamOptions};
pub use adamax::{Adamax, AdamaxOptions};
pub use adamw::{AdamW, AdamWOptions};
pub use asgd::{Asgd, AsgdOptions};
pub(crate) use hyperparameter::Role;
pub use hyperparameter::{Hyperparameter, Range};
pub use lion::{Lion, LionOptions};
pub use muon::{AdjustLr, Muon, MuonOptions};
pub use nadam::{NAdam, NAdamOptions};
pub use radam::{RAdam, RAdamOptions};
pub use rmsprop::{RmsProp, RmsPropOptions};
pub use rprop::{Rprop, RpropOptions};
pub use sgd::{Sgd, SgdOptions};
pub use sparse_adam::{SparseAdam, SparseAdamOptions};
pub use update::{Memory, Scratch, Update};

/// An optimization algorithm: its options, and the update of one parameter by them.
///
/// Implement it for an options struct to get an optimizer of one's own, with groups, saving and schedulers:
/// `type Mine = Optimizer<MyOptions>`. The options are written to state dicts with serde, which is
/// [re-exported](crate::serde); give the struct `#[serde(default)]`, so that files from before a new option still load.
///
/// ```
/// # use chainrule_tensor::{FloatElement, Parameter, Result, Tensor};
/// use chainrule_optim::algorithm::{Algorithm, Hyperparameter, Update};
/// use chainrule_optim::Optimizer;
/// use chainrule_optim::serde::{Deserialize, Serialize};
///
/// /// Moves every value by `lr` against the sign of its gradient.
/// #[derive(Clone, Debug, Default, Serialize, Deserialize)]
/// #[serde(crate = "chainrule_optim::serde", default)] // of the whole library: "chainrule::optim::serde"
/// struct SignOptions {
///     lr: f64,
/// }
///
/// impl Algorithm for SignOptions {
///     const NAME: &'static str = "Sign";
///     fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
///         vec![Hyperparameter::lr(&mut self.lr)]
///     }
///     fn update<T: FloatElement>(&self, parameter: Update<'_, T>) {
///         let lr = T::of(self.lr);
///         parameter.each(move |[x], g| [if g > T::ZERO { x - lr } else if g < T::ZERO { x + lr } else { x }]);
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let w = Parameter::new(Tensor::new([1.0, 2.0]))?;
/// w.set_grad(Some(Tensor::new([-3.0, 5.0])))?;
/// Optimizer::new([w.clone()], SignOptions { lr: 0.5 })?.step()?;
/// assert_eq!(w.tensor().to_vec::<f32>()?, [1.5, 1.5]);
/// # Ok(())
/// # }
/// ```
pub trait Algorithm: Clone + std::fmt::Debug + Send + Sync + Serialize + DeserializeOwned {
    /// The name, which a state dict carries. PyTorch's where it has the algorithm.
    const NAME: &'static str;

    /// The options that are numbers, one of which is the [learning rate](Hyperparameter::lr). The engine checks their
    /// ranges, and changes those that schedulers change.
    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>>;

    /// Checks what the ranges of single options do not say.
    ///
    /// # Errors
    /// When options do not fit each other, or one is out of range. The message names the option and its value.
    #[track_caller]
    fn rules(&self) -> Result<()> {
        Ok(())
    }

    /// Checks every option; called when a group is made, and before each step because options may have been changed
    /// in between.
    ///
    /// # Errors
    /// When an option is out of its range. The message names the option and its value.
    #[track_caller]
    fn validate(&self) -> Result<()> {
        for option in self.clone().hyperparameters() {
            option.check(Self::NAME)?;
        }
        self.rules()
    }

    /// The state tensors that a parameter has under these options, in the order in which
    /// [`Update::each`] hands out their values.
    fn state(&self) -> Vec<StateTensor> {
        Vec::new()
    }

    /// Checks whether the algorithm can update parameters of a shape; called when a group is added.
    ///
    /// # Errors
    /// When it cannot. Without implementation it can update any.
    #[track_caller]
    fn accepts(&self, _shape: &Shape) -> Result<()> {
        Ok(())
    }

    /// Whether an element whose gradient is 0 keeps its value and its state, exactly, under these options and in this
    /// type, and [`update`](Algorithm::update) treats rows (of the first dimension) one by one. It is then called with
    /// only the rows that have a gradient, where the gradient was collected as
    /// [rows](chainrule_tensor::Parameter::row_gradient). All state tensors have the parameter's shape then.
    ///
    /// Without implementation `update` sees every element.
    fn skips_zeros<T: FloatElement>(&self) -> bool {
        false
    }

    /// The memory for intermediate results that the update of a parameter of this shape needs. It is there before the
    /// first parameter changes, so that a step that lacks memory changes none. None, unless implemented.
    fn scratch(&self, _shape: &Shape) -> Scratch {
        Scratch::default()
    }

    /// Updates a parameter, in place. Implementations that multiply no matrices write `T: FloatElement` only.
    fn update<T: FloatElement + GemmNumber>(&self, parameter: Update<'_, T>);
}

/// A tensor that an algorithm keeps for each parameter, in the dtype of the parameter.
#[derive(Clone, Copy, Debug)]
pub struct StateTensor {
    pub(crate) name: &'static str,
    pub(crate) initial: f64,
    pub(crate) shape: fn(&Shape) -> Shape,
    /// Whether parameters of a shape have it.
    pub(crate) applies: fn(&Shape) -> bool,
}

impl StateTensor {
    /// Zeros in the shape of the parameter. The name has no dot in it; use PyTorch's.
    pub const fn zeros(name: &'static str) -> Self {
        Self::filled(name, 0.0)
    }

    /// One value everywhere, in the shape of the parameter.
    pub const fn filled(name: &'static str, initial: f64) -> Self {
        StateTensor { name, initial, shape: Shape::clone, applies: |_| true }
    }

    /// A single number. Scalars come last, and [`Update::scalar`] hands them out.
    pub const fn scalar(name: &'static str, initial: f64) -> Self {
        Self::filled(name, initial).shape(|_| Shape::from([]))
    }

    /// Another shape, which follows from that of the parameter.
    #[must_use]
    pub const fn shape(mut self, shape: fn(&Shape) -> Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Only for parameters whose shape `applies` says yes to.
    #[must_use]
    pub const fn only(mut self, applies: fn(&Shape) -> bool) -> Self {
        self.applies = applies;
        self
    }
}

/// The gradient that algorithms work with: negated to maximize, then with the L2 penalty's share added.
#[inline(always)]
fn gradient<T: FloatElement>(maximize: bool, weight_decay: f64) -> impl Fn(T, T) -> T + Copy + Sync {
    let (decays, weight_decay) = (weight_decay != 0.0, T::of(weight_decay));
    move |g, x| {
        let g = if maximize { -g } else { g };
        // Not added where it is 0: 0·∞ would be a NaN.
        if decays { g + weight_decay * x } else { g }
    }
}

/// A step of an average towards a new value (PyTorch: `torch.lerp`): exact for the weights 0 and 1.
#[inline(always)]
pub(crate) fn lerp<T: FloatElement>(weight: f64) -> impl Fn(T, T) -> T + Copy + Sync {
    let near = weight.abs() < 0.5;
    let part = T::of(if near { weight } else { weight - 1.0 });
    move |average, new| (if near { average } else { new }) + part * (new - average)
}

/// The largest finite number. A square that is beyond it is taken for it where an infinity would go on to be subtracted
/// from another.
pub(crate) fn largest<T: FloatElement>() -> T {
    T::of(if T::DTYPE == DType::F64 { f64::MAX } else { f32::MAX.into() })
}

/// The L2 penalty, and the factor of decoupled weight decay, one of which is without effect.
fn weight_decay<T: FloatElement>(weight_decay: f64, lr: f64, decoupled: bool) -> (f64, T) {
    if decoupled { (0.0, T::of(1.0 - lr * weight_decay)) } else { (weight_decay, T::ONE) }
}

/// −1, 0 or 1; a NaN stays.
#[inline(always)]
fn sign<T: FloatElement>(x: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x < T::ZERO {
        -T::ONE
    } else {
        x
    }
}
