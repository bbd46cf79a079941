//! What must hold for every row of the operation table, with no code for a single operation.

mod table_checks;

use chainrule::autograd::{GradOptions, gradcheck, gradgradcheck};
use chainrule::{DType, Tensor};
use table_checks::ends::{CHANGES, Change, near_f64};
use table_checks::*;

/// First derivatives, by the fused way back, against central differences.
#[test]
fn gradients_agree_with_finite_differences() {
    each_sample(Rows::Differentiable, |sample| {
        gradcheck(&sample.call, &leaves(&sample.inputs)).map_err(|e| e.to_string())
    });
}

/// Second derivatives against central differences of the first.
#[test]
fn second_derivatives_agree_with_finite_differences() {
    each_sample(Rows::Differentiable, |sample| {
        gradgradcheck(&sample.call, &leaves(&sample.inputs)).map_err(|e| e.to_string())
    });
}

/// A gradient that is wrong by one part in a hundred is noticed, for every input: no sample is vacuous.
#[test]
fn a_wrong_gradient_is_noticed() {
    each_sample(Rows::Differentiable, |sample| {
        for (i, input) in sample.inputs.iter().enumerate() {
            if sample.flat || !input.dtype().is_float() || input.numel() == 0 {
                continue;
            }
            let inputs = leaves(&sample.inputs);
            let wrong = |g: &Tensor| g.mul(1.01).map(Some);
            inputs[i].register_hook(wrong).map_err(|e| e.to_string())?;
            if gradcheck(&sample.call, &inputs).is_ok() {
                return Err(format!("scaling the gradient of input {i} by 1.01 goes unnoticed"));
            }
        }
        Ok(())
    });
}

/// The fused way back and the one written with tensor operations give the same gradients.
#[test]
fn fused_and_composite_gradients_agree() {
    each_sample(Rows::Differentiable, |sample| {
        for (dtype, tolerance) in [(DType::F64, 1e-11), (DType::F32, 2e-4)] {
            let inputs = in_dtype(&sample.inputs, dtype);
            let fused = gradients(&sample.call, &inputs, false)?;
            let composite = gradients(&sample.call, &inputs, true)?;
            close_lists("gradient", &fused, &composite, tolerance).map_err(|e| format!("{dtype}: {e}"))?;
        }
        Ok(())
    });
}

/// Inputs that are not contiguous give the results that contiguous ones give.
#[test]
fn strided_inputs_give_the_same_results() {
    each_sample(Rows::All, |sample| {
        let strided: Vec<Tensor> = sample.inputs.iter().map(strided).collect();
        let want = (sample.call)(&sample.inputs).map_err(|e| e.to_string())?;
        let got = (sample.call)(&strided).map_err(|e| e.to_string())?;
        close_lists("output", &got, &want, 1e-12)?;
        if want.iter().any(Tensor::requires_grad) || sample.inputs.is_empty() {
            return Ok(());
        }
        match gradients(&sample.call, &sample.inputs, false) {
            Ok(want) => close_lists("gradient", &gradients(&sample.call, &strided, false)?, &want, 1e-12),
            Err(_) => Ok(()),
        }
    });
}

/// f32 inputs give f32 results near the f64 ones; outputs are tracked exactly where gradients flow.
#[test]
fn dtypes_and_tracking_are_kept() {
    each_row(Rows::All, |row, sample| {
        let singles = in_dtype(&sample.inputs, DType::F32);
        let got = (sample.call)(&leaves(&singles)).map_err(|e| e.to_string())?;
        let want = (sample.call)(&sample.inputs).map_err(|e| e.to_string())?;
        for (i, (g, w)) in got.iter().zip(&want).enumerate() {
            let expected = if w.dtype() == DType::F64 { DType::F32 } else { w.dtype() };
            if g.dtype() != expected {
                return Err(format!("output {i} of f32 inputs is {}", g.dtype()));
            }
            let has_floats = sample.inputs.iter().any(|x| x.dtype().is_float());
            if g.requires_grad() != (row.differentiable && expected.is_float() && has_floats) {
                return Err(format!("output {i}: requires_grad is {}", g.requires_grad()));
            }
            if g.dtype().is_float() {
                let g = g.detach().to_dtype(DType::F64).map_err(|e| e.to_string())?;
                close("output", &g, w, 2e-4)?;
            }
        }
        Ok(())
    });
}

/// Near the ends of the range of f32, and far from 0, results are those of f64 where f32 can hold them.
#[test]
fn what_fits_into_f32_comes_out() {
    each_row(Rows::All, |row, sample| {
        let fault = |change: &Change| {
            near_f64(row.name, sample, change).err().map(|e| format!("{}: {e}", change.name))
        };
        let faults: Vec<String> = CHANGES.iter().filter_map(fault).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    });
}

/// Every float input of a differentiable operation gets a gradient of its own shape and dtype.
#[test]
fn every_input_gets_a_gradient() {
    each_sample(Rows::Differentiable, |sample| {
        let inputs = leaves(&in_dtype(&sample.inputs, DType::F32));
        for output in (sample.call)(&inputs).map_err(|e| e.to_string())? {
            if output.requires_grad() {
                backward_of_ones(&output)?;
            }
        }
        for (i, input) in inputs.iter().enumerate().filter(|(_, x)| x.dtype().is_float()) {
            match input.grad() {
                None => return Err(format!("input {i} got no gradient")),
                Some(g) if g.shape() != input.shape() || g.dtype() != input.dtype() => {
                    return Err(format!(
                        "input {i} of shape {} got a gradient of {}",
                        input.shape(),
                        g.shape()
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    });
}

/// Backward from one of several outputs, whose graphs may have nodes in common.
fn backward_of_ones(output: &Tensor) -> Result<(), String> {
    let options = GradOptions { retain_graph: true, ..Default::default() };
    let ones = Tensor::ones_like(output).map_err(|e| e.to_string())?;
    options.backward(output, Some(&ones)).map_err(|e| e.to_string())
}

/// Empty, 0-d and size-1 inputs in the place of the sample's give a result or an error, never a panic; and
/// what gives a result has gradients of the inputs' shapes.
#[test]
fn degenerate_shapes_never_panic() {
    each_sample(Rows::All, |sample| {
        for inputs in degenerate(&sample.inputs) {
            let shapes: Vec<_> = inputs.iter().map(|x| x.shape().clone()).collect();
            no_panic(|| {
                let inputs = leaves(&inputs);
                let Ok(outputs) = (sample.call)(&inputs) else { return Ok(()) };
                for output in outputs.iter().filter(|t| t.requires_grad()) {
                    backward_of_ones(output)?;
                }
                let odd = inputs.iter().find(|x| x.grad().is_some_and(|g| g.shape() != x.shape()));
                odd.map_or(Ok(()), |x| Err(format!("a gradient of another shape for {}", x.shape())))
            })
            .map_err(|e| format!("inputs of shapes {shapes:?}: {e}"))?;
        }
        Ok(())
    });
}

/// The derivative at a kink is PyTorch's.
#[test]
fn kinks_follow_the_convention() {
    each_row_once(|row| {
        for kink in (row.kinks)() {
            for dtype in [DType::F64, DType::F32] {
                let x = Tensor::full([1], kink.at, dtype).and_then(|x| x.requires_grad_(true));
                let x = x.map_err(|e| e.to_string())?;
                let y = (kink.call)(&x).and_then(|y| y.sum()).map_err(|e| e.to_string())?;
                y.backward().map_err(|e| e.to_string())?;
                let got = x.grad().map_or(Ok(f64::NAN), |g| g.item()).map_err(|e| e.to_string())?;
                let same = (got - kink.derivative).abs() < 1e-6;
                if !(got == kink.derivative || same || (got.is_nan() && kink.derivative.is_nan())) {
                    return Err(format!("at {} ({dtype}): {got} instead of {}", kink.at, kink.derivative));
                }
            }
        }
        Ok(())
    });
}

/// Wrong calls are refused by an error that names the operation, the offending values and the caller.
#[test]
fn wrong_calls_are_refused_with_their_reason() {
    each_row_once(|row| {
        for (i, refusal) in (row.errors)().iter().enumerate() {
            let fault = no_panic(|| Ok(refusal.fault(row.name)))?;
            if let Some(fault) = fault {
                return Err(format!("refusal {i}: {fault}"));
            }
        }
        Ok(())
    });
}

/// The first word of an error is the operation that was called, or its form for given dimensions, not one that it is
/// made of.
#[test]
fn an_error_begins_with_the_operation_that_was_called() {
    each_row_once(|row| {
        let errors = (row.errors)().into_iter().filter_map(|refusal| (refusal.call)().err());
        let names = ["", "_dim"].map(|form| format!("{}{form}: ", row.name));
        let other = errors.map(|e| e.to_string()).find(|e| !names.iter().any(|name| e.starts_with(name)));
        other.map_or(Ok(()), Err)
    });
}

/// The bench sizes, which are large enough to be shared out, give the same bits on any number of threads.
#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    each_row_once(|row| {
        for (shapes, call) in row.bench {
            let inputs: Vec<Tensor> = shapes.iter().enumerate().map(|(i, s)| large(i as u64, s)).collect();
            let mut first: Option<Vec<Tensor>> = None;
            for threads in [1, 2, 3, 4, 8] {
                chainrule::set_num_threads(threads);
                let mut results = call(&inputs).map_err(|e| e.to_string())?;
                if row.differentiable {
                    results.extend(gradients(call, &inputs, false)?);
                }
                match &first {
                    None => first = Some(results),
                    Some(first) => {
                        same_bits(&results, first).map_err(|e| format!("{threads} threads: {e}"))?
                    }
                }
            }
        }
        Ok(())
    });
}
