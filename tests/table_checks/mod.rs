//! The tools of the table-driven tests: go over rows, derive inputs, compare.

pub(crate) mod ends;

use std::panic::{AssertUnwindSafe, catch_unwind};

use chainrule::autograd::{GradOptions, grad};
use chainrule::table::{Row, Sample, rows};
use chainrule::{DType, Result, Tensor};

pub(crate) type Check = std::result::Result<(), String>;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Rows {
    All,
    Differentiable,
}

/// Runs a check on every row, and fails at the end with all that went wrong.
pub(crate) fn each_row_once(check: impl Fn(&Row) -> Check) {
    let mut faults = Vec::new();
    let rows = rows();
    assert!(!rows.is_empty(), "the table is empty");
    for row in rows {
        if let Err(fault) = no_panic(|| check(row)) {
            faults.push(format!("{}: {fault}", row.name));
        }
    }
    assert!(faults.is_empty(), "{} rows fail:\n{}", faults.len(), faults.join("\n"));
}

/// Runs a check on every sample of every row.
pub(crate) fn each_row(which: Rows, check: impl Fn(&Row, &Sample) -> Check) {
    each_row_once(|row| {
        if which == Rows::Differentiable && !row.differentiable {
            return Ok(());
        }
        let samples = (row.samples)();
        assert!(!samples.is_empty(), "no samples");
        let mut faults = Vec::new();
        for sample in &samples {
            if let Err(fault) = no_panic(|| check(row, sample)) {
                faults.push(format!("sample {:?}: {fault}", sample.label));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n    ")) }
    });
}

/// As [`each_row`], for checks that need only the sample.
pub(crate) fn each_sample(which: Rows, check: impl Fn(&Sample) -> Check) {
    each_row(which, |_, sample| check(sample));
}

/// A panic as an error.
pub(crate) fn no_panic<R>(
    f: impl FnOnce() -> std::result::Result<R, String>,
) -> std::result::Result<R, String> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or(payload.downcast_ref::<&str>().copied());
        Err(format!("panic: {}", text.unwrap_or("?")))
    })
}

fn ok<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|e| panic!("{e}"))
}

/// The float inputs as leaves that collect a gradient.
pub(crate) fn leaves(inputs: &[Tensor]) -> Vec<Tensor> {
    let leaf = |x: &Tensor| ok(x.detach().requires_grad_(x.dtype().is_float()));
    inputs.iter().map(leaf).collect()
}

/// The float inputs in another float dtype.
pub(crate) fn in_dtype(inputs: &[Tensor], dtype: DType) -> Vec<Tensor> {
    let cast = |x: &Tensor| if x.dtype().is_float() { ok(x.detach().to_dtype(dtype)) } else { x.clone() };
    inputs.iter().map(cast).collect()
}

/// The same values with gaps between them in memory, and the dimensions in reverse order.
pub(crate) fn strided(x: &Tensor) -> Tensor {
    let reversed: Vec<isize> = (0..x.rank() as isize).rev().collect();
    let turned = ok(ok(x.permute(&reversed)).contiguous());
    let last = turned.rank();
    let wide = ok(Tensor::stack(&[&turned, &turned], last as isize));
    ok(ok(wide.select(last as isize, 1)).permute(&reversed))
}

/// The gradients of all float inputs, from fixed random-looking gradients of the outputs.
pub(crate) fn gradients(
    call: &dyn Fn(&[Tensor]) -> Result<Vec<Tensor>>,
    inputs: &[Tensor],
    create_graph: bool,
) -> std::result::Result<Vec<Tensor>, String> {
    let inputs = leaves(inputs);
    let outputs = call(&inputs).map_err(|e| e.to_string())?;
    let outputs: Vec<&Tensor> = outputs.iter().filter(|t| t.requires_grad()).collect();
    let upstream: Vec<Tensor> = outputs.iter().map(|t| wave(t.shape(), t.dtype())).collect();
    let upstream: Vec<Option<&Tensor>> = upstream.iter().map(Some).collect();
    let wanted: Vec<&Tensor> = inputs.iter().filter(|t| t.requires_grad()).collect();
    let options = GradOptions { create_graph, ..Default::default() };
    let grads = grad(&outputs, &wanted, &upstream, options).map_err(|e| e.to_string())?;
    Ok(grads.into_iter().flatten().map(|g| g.detach()).collect())
}

/// Numbers that are all different, in a shape.
fn wave(shape: &[usize], dtype: DType) -> Tensor {
    let values = (0..shape.iter().product::<usize>()).map(|i| (1.3 * i as f64 + 0.4).sin()).collect();
    ok(ok(Tensor::from_vec::<f64>(values, shape)).to_dtype(dtype))
}

/// An f32 input of a bench size.
pub(crate) fn large(seed: u64, shape: &[usize]) -> Tensor {
    let wave = (0..shape.iter().product::<usize>()).map(|i| {
        let x = (i as f32 + 1.0) * 0.618_034 + seed as f32 * 0.37;
        (x - x.floor()) * 2.0 + 0.05
    });
    ok(Tensor::from_vec::<f32>(wave.collect(), shape))
}

/// Inputs of degenerate shapes in the place of the sample's.
pub(crate) fn degenerate(inputs: &[Tensor]) -> Vec<Vec<Tensor>> {
    let replaced = |f: &dyn Fn(&Tensor) -> Vec<usize>| -> Vec<Tensor> {
        inputs.iter().map(|x| ok(wave(&f(x), DType::F64).to_dtype(x.dtype()))).collect()
    };
    vec![
        replaced(&|_| vec![]),
        replaced(&|_| vec![0]),
        replaced(&|x| vec![1; x.rank()]),
        replaced(&|x| x.shape().iter().enumerate().map(|(d, &n)| if d == 0 { 0 } else { n }).collect()),
        replaced(&|x| {
            x.shape().iter().rev().enumerate().map(|(d, &n)| if d == 0 { 0 } else { n }).rev().collect()
        }),
        replaced(&|x| x.shape().iter().copied().chain([0]).collect()),
    ]
}

/// Whether two lists of tensors agree.
pub(crate) fn close_lists(what: &str, got: &[Tensor], want: &[Tensor], tolerance: f64) -> Check {
    if got.len() != want.len() {
        return Err(format!("{} {what}s instead of {}", got.len(), want.len()));
    }
    let mut pairs = got.iter().zip(want).enumerate();
    pairs.try_for_each(|(i, (g, w))| close(&format!("{what} {i}"), g, w, tolerance))
}

/// Whether two tensors agree: shape, dtype, and |got − want| ≤ tolerance · (1 + |want|); exactly for integers
/// and booleans.
pub(crate) fn close(what: &str, got: &Tensor, want: &Tensor, tolerance: f64) -> Check {
    if got.shape() != want.shape() || got.dtype() != want.dtype() {
        let (g, w) = ((got.shape(), got.dtype()), (want.shape(), want.dtype()));
        return Err(format!("{what} is {g:?} instead of {w:?}"));
    }
    let numbers = |t: &Tensor| ok(ok(t.detach().to_dtype(DType::F64)).to_vec::<f64>());
    let tolerance = if want.dtype().is_float() { tolerance } else { 0.0 };
    for (i, (g, w)) in numbers(got).into_iter().zip(numbers(want)).enumerate() {
        let near = (g - w).abs() <= tolerance * (1.0 + w.abs()) || g == w || (g.is_nan() && w.is_nan());
        if !near {
            return Err(format!("{what}, element {i}: {g} instead of {w}"));
        }
    }
    Ok(())
}

/// Whether two lists of f32 tensors are the same to the last bit.
pub(crate) fn same_bits(got: &[Tensor], want: &[Tensor]) -> Check {
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let same = match g.dtype() {
            DType::F32 => {
                let bits =
                    |t: &Tensor| ok(t.to_vec::<f32>()).into_iter().map(f32::to_bits).collect::<Vec<_>>();
                bits(g) == bits(w)
            }
            _ => close("", g, w, 0.0).is_ok(),
        };
        if !same {
            return Err(format!("result {i} differs"));
        }
    }
    Ok(())
}
