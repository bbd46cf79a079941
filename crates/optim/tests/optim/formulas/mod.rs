//! Each algorithm against a plain transcription of its published formula, in f64, for all combinations of
//! options. Those that look at more than single elements are in `shapes.rs` and `lbfgs.rs`.

mod adam;
mod adaptive;
mod defaults;
mod descent;

use chainrule_optim::*;
use chainrule_tensor::Parameter;

use crate::{numbers, parameter, tensor, tensor_f32, values};

const STEPS: u64 = 10;
/// Whole blocks of a vectorised loop, and a rest.
const N: usize = 37;

/// Compares an optimizer with `formula(element, gradients so far) -> value`, in f64 and roughly in f32. At step 3
/// there is no gradient.
fn check<A: Algorithm>(options: &A, formula: impl Fn(f64, &[f64]) -> f64) {
    let (p64, start) = (parameter(7, N), numbers(7, N));
    let p32 = Parameter::new(tensor_f32(&start, [N])).unwrap();
    let mut optimizer = Optimizer::new([p64.clone(), p32.clone()], options.clone()).unwrap();
    let mut gradients = vec![Vec::new(); N];
    for step in 0..STEPS {
        let gradient = numbers(100 + step, N);
        let has = step != 3;
        p64.set_grad(has.then(|| tensor(&gradient, [N]))).unwrap();
        p32.set_grad(has.then(|| tensor_f32(&gradient, [N]))).unwrap();
        let report = optimizer.step().unwrap();
        assert_eq!((report.updated, report.without_gradient), if has { (2, 0) } else { (0, 2) });
        if has {
            gradients.iter_mut().zip(&gradient).for_each(|(all, &g)| all.push(g));
        }
        let got32 = p32.tensor().to_vec::<f32>().unwrap();
        for (i, got) in values(&p64).into_iter().enumerate() {
            let want = formula(start[i], &gradients[i]);
            assert!(
                (got - want).abs() <= 1e-12 * want.abs().max(1.0),
                "{options:?}: {got} instead of {want}"
            );
            let error = (f64::from(got32[i]) - want).abs();
            assert!(error <= 2e-5 * want.abs().max(1.0), "{options:?}: {} instead of {want}", got32[i]);
        }
    }
}

/// Both values of a switch.
const BOTH: [bool; 2] = [false, true];

/// Weight decay and maximize, in all combinations.
const DECAYS: [(f64, bool); 4] = [(0.0, false), (0.1, false), (0.0, true), (0.1, true)];

/// The gradient with its sign and the penalty.
fn penalized(g: f64, x: f64, weight_decay: f64, maximize: bool) -> f64 {
    (if maximize { -g } else { g }) + weight_decay * x
}
