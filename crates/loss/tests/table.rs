//! What must hold for every row of the table of losses.

use chainrule_loss::table::losses;
use chainrule_tensor::autograd::{gradcheck, gradgradcheck};
use chainrule_tensor::{Result, Tensor};

fn leaves(inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    inputs.iter().map(|x| x.clone().requires_grad_(x.dtype().is_float())).collect()
}

#[test]
fn gradients_agree_with_finite_differences_to_second_order() {
    for row in losses() {
        for sample in (row.samples)() {
            let check = || {
                gradcheck(&sample.call, &leaves(&sample.inputs)?)?;
                gradgradcheck(&sample.call, &leaves(&sample.inputs)?)
            };
            check().unwrap_or_else(|e| panic!("{} ({}): {e}", row.name, sample.label));
        }
    }
}

#[test]
fn wrong_calls_are_refused_with_their_reason() {
    for row in losses() {
        for (i, refusal) in (row.errors)().iter().enumerate() {
            if let Some(fault) = refusal.fault(row.name) {
                panic!("{}, refusal {i}: {fault}", row.name);
            }
        }
    }
}
