//! Optimizers and learning-rate schedulers.
//!
//! An [`Optimizer`] is an engine (groups, state, step counts, saving) around an [`Algorithm`] (options and the
//! update of one parameter). The options are the algorithm:
//!
//! ```
//! # use chainrule_tensor::{Parameter, Result, Tensor};
//! use chainrule_optim::{Sgd, SgdOptions};
//! # fn main() -> Result<()> {
//! let w = Parameter::new(Tensor::new([1.0, -2.0]))?;
//! let mut optimizer = Sgd::new([w.clone()], SgdOptions { lr: 0.1, ..Default::default() })?;
//!
//! (w.tensor() * w.tensor()).sum()?.backward()?;
//! let report = optimizer.step()?;
//! assert_eq!(report.updated, 1);
//! assert_eq!(w.tensor().to_vec::<f32>()?, [0.8, -1.6]);
//! optimizer.zero_grad();
//! # Ok(())
//! # }
//! ```
//!
//! Everything here means what it means in `torch.optim`, unless its documentation says otherwise.

pub mod algorithm;
mod any_number;
mod averaged_model;
mod check;
mod clip;
mod groups;
mod lbfgs;
mod optimizer;
mod rows;
pub mod scheduler;
mod slot;
mod state_dict;
mod vector;
mod workspace;

pub use prelude::*;
/// Serialization, by which options are saved: for algorithms and schedules of one's own.
pub use serde;

/// What `chainrule::prelude` has of this crate.
#[doc(hidden)]
pub mod prelude {
    pub use crate::algorithm::{
        Adadelta, AdadeltaOptions, Adafactor, AdafactorOptions, Adagrad, AdagradOptions, Adam, AdamOptions,
        AdamW, AdamWOptions, Adamax, AdamaxOptions, AdjustLr, Algorithm, Asgd, AsgdOptions, Lion,
        LionOptions, Muon, MuonOptions, NAdam, NAdamOptions, RAdam, RAdamOptions, RmsProp, RmsPropOptions,
        Rprop, RpropOptions, Sgd, SgdOptions, SparseAdam, SparseAdamOptions,
    };
    pub use crate::averaged_model::{AveragedModel, Averaging};
    pub use crate::clip::{
        ClipGradNormOptions, clip_grad_norm_, clip_grad_norm_with, clip_grad_value_, get_total_norm,
    };
    pub use crate::groups::{Hyperparameters, ParamGroup, weight_decay_groups};
    pub use crate::lbfgs::{Lbfgs, LbfgsOptions, LineSearch};
    pub use crate::optimizer::{Optimizer, StepReport};
    pub use crate::scheduler::{
        AnnealStrategy, ChainedScheduler, ConstantLR, ConstantLRSchedule, CosineAnnealingLR,
        CosineAnnealingWarmRestarts, CyclicLR, CyclicLRSchedule, CyclicMode, ExponentialLR, LambdaLR,
        LinearLR, LinearLRSchedule, LrLambda, LrScheduler, MultiStepLR, MultiplicativeLR, OneCycleLR,
        OneCycleLRSchedule, PerGroup, PlateauMode, PolynomialLR, PolynomialLRSchedule, ReduceLROnPlateau,
        ReduceLROnPlateauOptions, SWALR, SWALRSchedule, SequentialLR, StepLR, ThresholdMode,
    };
    pub use crate::vector::{parameters_to_vector, vector_to_parameters};
}
