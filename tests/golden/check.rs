//! [`Checker`]: compares results with the expected ones, within the tolerances.

use chainrule::{DType, Tensor};

use crate::directory::{Case, dtype};
use crate::stop::{Outcome, Stop, mismatch};

/// How far a number may be from the expected one: `atol + rtol · |expected|`.
#[derive(Clone, Copy)]
pub(crate) struct Tolerance {
    pub(crate) rtol: f64,
    pub(crate) atol: f64,
}

/// For `f32` results; also the unit in which errors against the truth are measured.
pub(crate) const SINGLE: Tolerance = Tolerance { rtol: 1.3e-6, atol: 1e-5 };
/// For `f64` results.
pub(crate) const DOUBLE: Tolerance = Tolerance { rtol: 1e-7, atol: 1e-7 };

impl Tolerance {
    fn allows(self, got: f64, want: f64) -> bool {
        got == want || (got.is_nan() && want.is_nan()) || self.error(got, want) <= 1.0
    }

    /// The distance in units of the tolerance; infinite where only one of both is finite.
    pub(crate) fn error(self, got: f64, want: f64) -> f64 {
        if got == want || (got.is_nan() && want.is_nan()) {
            return 0.0;
        }
        let error = (got - want).abs() / (self.atol + self.rtol * want.abs());
        if error.is_nan() || !want.is_finite() { f64::INFINITY } else { error }
    }
}

/// The largest errors of a case's `f32` results against the truth, and those that PyTorch has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Accuracy {
    pub(crate) results: f64,
    pub(crate) gradients: f64,
    /// PyTorch's, where the case has a truth.
    pub(crate) torch: Option<[f64; 2]>,
}

impl Accuracy {
    /// Whether no error is larger than PyTorch's, which is stored with three digits.
    pub(crate) fn no_worse_than_torch(&self) -> Option<bool> {
        let [results, gradients] = self.torch?;
        Some(three_digits(self.results) <= results && three_digits(self.gradients) <= gradients)
    }
}

fn three_digits(x: f64) -> f64 {
    format!("{x:.2e}").parse().unwrap_or(x)
}

/// Which of PyTorch's errors is the measure.
#[derive(Clone, Copy)]
enum Kind {
    Result,
    Gradient,
}

/// Compares what a case gives with what it should.
pub(crate) struct Checker<'a> {
    case: &'a Case<'a>,
    double: Tolerance,
    exact: Vec<&'a str>,
    unknown: Vec<&'a str>,
    accuracy: Accuracy,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(case: &'a Case<'a>) -> Checker<'a> {
        let (exact, unknown) = (case.names("ref"), case.names("noref"));
        let torch = [case.number("te").unwrap_or(0.0), case.number("tge").unwrap_or(0.0)];
        let torch = (!exact.is_empty()).then_some(torch);
        let accuracy = Accuracy { torch, ..Accuracy::default() };
        Checker { case, double: DOUBLE, exact, unknown, accuracy }
    }

    /// Another tolerance for `f64` results.
    pub(crate) fn double(self, double: Tolerance) -> Self {
        Checker { double, ..self }
    }

    /// The errors measured so far.
    pub(crate) fn accuracy(&self) -> Accuracy {
        self.accuracy
    }

    /// Compares an output or a state with the tensor of this name.
    pub(crate) fn output(&mut self, name: &str, got: &Tensor) -> Outcome<()> {
        self.compare(name, name, got, Kind::Result)
    }

    /// Compares a gradient with the tensor of this name.
    pub(crate) fn gradient(&mut self, name: &str, got: &Tensor) -> Outcome<()> {
        self.compare(name, name, got, Kind::Gradient)
    }

    /// Compares a gradient that was computed another way, which `label` says.
    pub(crate) fn gradient_again(&mut self, label: &str, name: &str, got: &Tensor) -> Outcome<()> {
        let before = self.accuracy;
        self.compare(&format!("{name} {label}"), name, got, Kind::Gradient)?;
        self.accuracy = before;
        Ok(())
    }

    fn compare(&mut self, label: &str, name: &str, got: &Tensor, kind: Kind) -> Outcome<()> {
        let stored = self.case.stored(name)?;
        let wanted = dtype(&stored)?;
        if got.dtype() != wanted {
            return mismatch(format!("{label} is {}, not {wanted}", got.dtype()));
        }
        if **got.shape() != *stored.shape() {
            return mismatch(format!("{label} has shape {}, not {:?}", got.shape(), stored.shape()));
        }
        let want = self.case.tensor(name)?;
        if !wanted.is_float() {
            return equal(label, got, &want);
        }
        let (got, want) = (numbers(got)?, numbers(&want)?);
        let truth = self.truth(name, &want)?;
        if wanted == DType::F64 {
            // There is a truth beside it where PyTorch itself computes with less.
            let true_value = |i: usize| truth.as_ref().map_or(want[i], |truth| truth[i]);
            let fault = |i: usize| {
                let near = self.double.allows(got[i], want[i]) || self.double.allows(got[i], true_value(i));
                (!near).then(|| self.double.error(got[i], want[i]))
            };
            return report(label, &got, &want, worst(got.len(), fault));
        }
        let torch = self.case.number(match kind {
            Kind::Result => "te",
            Kind::Gradient => "tge",
        });
        let factor = (4.0 * torch.unwrap_or(0.0)).max(1.0);
        let fault = |i: usize| {
            let near_truth = truth.as_ref().is_some_and(|truth| SINGLE.error(got[i], truth[i]) <= factor);
            let near = SINGLE.allows(got[i], want[i]) || near_truth;
            (!near).then(|| SINGLE.error(got[i], want[i]))
        };
        report(label, &got, &want, worst(got.len(), fault))?;
        if let Some(truth) = truth {
            let error = got.iter().zip(&truth).map(|(&g, &t)| SINGLE.error(g, t)).fold(0.0, f64::max);
            let largest = match kind {
                Kind::Result => &mut self.accuracy.results,
                Kind::Gradient => &mut self.accuracy.gradients,
            };
            *largest = largest.max(error);
        }
        Ok(())
    }

    /// What the `f32` result should be without rounding, where that is known.
    fn truth(&self, name: &str, stored: &[f64]) -> Outcome<Option<Vec<f64>>> {
        if self.case.json.get("ref").is_none() || self.unknown.contains(&name) {
            return Ok(None);
        }
        if !self.exact.contains(&name) {
            return Ok(Some(stored.to_vec()));
        }
        let truth = numbers(&self.case.tensor(&format!("r.{name}"))?)?;
        Ok(Some(truth.into_iter().map(as_single_range).collect()))
    }
}

/// What `f32` cannot hold is infinite.
fn as_single_range(x: f64) -> f64 {
    if x.abs() > f64::from(f32::MAX) { f64::INFINITY.copysign(x) } else { x }
}

/// The index and size of the worst fault.
fn worst(len: usize, fault: impl Fn(usize) -> Option<f64>) -> Option<(usize, f64)> {
    (0..len).filter_map(|i| Some((i, fault(i)?))).max_by(|a, b| a.1.total_cmp(&b.1))
}

fn report(label: &str, got: &[f64], want: &[f64], worst: Option<(usize, f64)>) -> Outcome<()> {
    match worst {
        None => Ok(()),
        Some((i, error)) => mismatch(format!(
            "{label}: element {i} of {} is {:e}, not {:e}: {error:.3} times the tolerance",
            got.len(),
            got[i],
            want[i]
        )),
    }
}

fn equal(label: &str, got: &Tensor, want: &Tensor) -> Outcome<()> {
    let (got, want) = (integers(got)?, integers(want)?);
    match got.iter().zip(&want).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(i) => mismatch(format!("{label}: element {i} of {} is {}, not {}", got.len(), got[i], want[i])),
    }
}

/// Whether a gradient is zero everywhere, within the tolerance.
pub(crate) fn is_zero(tensor: &Tensor) -> Outcome<bool> {
    let tolerance = if tensor.dtype() == DType::F32 { SINGLE } else { DOUBLE };
    Ok(numbers(tensor)?.iter().all(|&x| tolerance.allows(x, 0.0)))
}

/// The numbers of a float tensor.
pub(crate) fn numbers(tensor: &Tensor) -> Outcome<Vec<f64>> {
    match tensor.dtype() {
        DType::F32 => Ok(tensor.to_vec::<f32>()?.into_iter().map(f64::from).collect()),
        DType::F64 => Ok(tensor.to_vec::<f64>()?),
        other => Err(Stop::Mismatch(format!("{other} numbers where floats are expected"))),
    }
}

fn integers(tensor: &Tensor) -> Outcome<Vec<i64>> {
    match tensor.dtype() {
        DType::Bool => Ok(tensor.to_vec::<bool>()?.into_iter().map(i64::from).collect()),
        _ => Ok(tensor.to_vec::<i64>()?),
    }
}
