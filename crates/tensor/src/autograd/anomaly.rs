//! Anomaly detection: find the first NaN or infinity, forward or backward.

use std::cell::Cell;
use std::marker::PhantomData;

use chainrule_kernels::Number;

use crate::{Result, Tensor, bail, dispatch_float};

thread_local! {
    static DETECT: Cell<bool> = const { Cell::new(false) };
}

/// Switches anomaly detection off again (to what it was) when dropped.
#[must_use = "detection lasts as long as the guard lives"]
pub struct AnomalyGuard {
    previous: bool,
    _thread: PhantomData<*const ()>,
}

impl Drop for AnomalyGuard {
    fn drop(&mut self) {
        DETECT.set(self.previous);
    }
}

/// From now until the guard is dropped, every operation on this thread, and every gradient that a backward
/// pass computes, is checked: the first one that holds a NaN or an infinity where its inputs held none is an
/// error that names the operation and the line that called it. (PyTorch: `torch.autograd.detect_anomaly`,
/// which checks the backward pass only.)
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
    AnomalyGuard { previous: DETECT.replace(true), _thread: PhantomData }
}

pub(super) fn is_detecting() -> bool {
    DETECT.get()
}

/// The first element that is not finite: its position and value.
fn first_non_finite(x: &Tensor) -> Result<Option<(usize, f64)>> {
    if !x.dtype().is_float() {
        return Ok(None);
    }
    dispatch_float!(x.dtype(), T => {
        let values = x.to_vec::<T>()?;
        Ok(values.iter().enumerate().find(|(_, v)| !v.is_finite()).map(|(i, v)| (i, v.to_f64())))
    })
}

/// An error where an output is not finite although all inputs are.
#[track_caller]
pub(super) fn check_forward(operation: &str, inputs: &[&Tensor], outputs: &[Tensor]) -> Result<()> {
    let _off = AnomalyGuard { previous: DETECT.replace(false), _thread: PhantomData };
    for output in outputs {
        let Some((position, value)) = first_non_finite(output)? else { continue };
        for input in inputs {
            if first_non_finite(input)?.is_some() {
                return Ok(());
            }
        }
        let shapes: Vec<_> = inputs.iter().map(|t| t.shape()).collect();
        bail!(
            NotFinite,
            operation,
            "anomaly detection: the result of shape {} is {value} at element {position}, though every input (shapes {shapes:?}) is finite",
            output.shape()
        );
    }
    Ok(())
}

/// What is wrong with a gradient, if anything, in words.
pub(super) fn check_gradient(grad: &Tensor) -> Result<Option<String>> {
    let _off = AnomalyGuard { previous: DETECT.replace(false), _thread: PhantomData };
    Ok(first_non_finite(grad)?
        .map(|(position, value)| format!("is {value} at element {position} of shape {}", grad.shape())))
}
