//! Anomaly detection: find the first NaN, forward or backward.

use std::cell::Cell;
use std::marker::PhantomData;

use chainrule_kernels::Number;

use super::guards::Guards;
use crate::{Result, Tensor, bail, dispatch_float};

thread_local! {
    static DETECT: Cell<bool> = const { Cell::new(false) };
    static GUARDS: Guards = const { Guards::new() };
}

/// Anomaly detection lasts until all of its guards are dropped, in whatever order.
#[must_use = "detection lasts as long as the guard lives"]
pub struct AnomalyGuard {
    /// `None` where the thread is ending and nobody counts any more.
    number: Option<u64>,
    _thread: PhantomData<*const ()>,
}

impl Drop for AnomalyGuard {
    fn drop(&mut self) {
        let rest = self.number.and_then(|number| GUARDS.try_with(|guards| guards.end(number)).ok()?);
        DETECT.set(rest.unwrap_or(false));
    }
}

/// From now until the guard is dropped, every operation on this thread, and every gradient that a backward
/// pass computes, is checked: the first one that holds a NaN where its inputs held none is an error that names the
/// operation and the line that called it. (PyTorch: `torch.autograd.detect_anomaly`, which checks the backward pass
/// only.) Infinities are none, as in PyTorch: masks are filled with them on purpose. What becomes NaN of them is found.
///
/// It reads every result once more, so switch it on to find a fault, not always.
///
/// ```
/// # use chainrule_tensor::{Tensor, autograd};
/// let _guard = autograd::detect_anomaly();
/// let error = Tensor::new([-1.0]).log().unwrap_err();
/// assert!(error.to_string().contains("log"));
/// ```
pub fn detect_anomaly() -> AnomalyGuard {
    set(true)
}

fn set(detect: bool) -> AnomalyGuard {
    let number = GUARDS.try_with(|guards| guards.begin(detect)).ok();
    DETECT.set(detect);
    AnomalyGuard { number, _thread: PhantomData }
}

pub(super) fn is_detecting() -> bool {
    DETECT.get()
}

/// The position of the first element that is NaN.
#[track_caller]
fn first_nan(x: &Tensor) -> Result<Option<usize>> {
    if !x.dtype().is_float() {
        return Ok(None);
    }
    dispatch_float!(x.dtype(), T => {
        let values = x.to_vec::<T>()?;
        Ok(values.iter().position(|v| v.to_f64().is_nan()))
    })
}

/// An error where an output holds a NaN although no input does.
#[track_caller]
pub(super) fn check_forward(operation: &str, inputs: &[&Tensor], outputs: &[Tensor]) -> Result<()> {
    let _off = set(false);
    for output in outputs {
        let Some(position) = first_nan(output)? else { continue };
        for input in inputs {
            if first_nan(input)?.is_some() {
                return Ok(());
            }
        }
        let shapes: Vec<_> = inputs.iter().map(|t| t.shape()).collect();
        bail!(
            NotFinite,
            operation,
            "anomaly detection: the result of shape {} is NaN at element {position}, though no input (shapes {shapes:?}) holds a NaN",
            output.shape()
        );
    }
    Ok(())
}

/// What is wrong with a gradient, if anything, in words.
pub(super) fn check_gradient(grad: &Tensor) -> Result<Option<String>> {
    let _off = set(false);
    Ok(first_nan(grad)?.map(|position| format!("is NaN at element {position} of shape {}", grad.shape())))
}
