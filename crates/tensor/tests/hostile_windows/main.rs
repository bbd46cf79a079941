//! Windows with extreme options: each call is refused, or gives what the definition gives, which is written out plainly
//! here, in `f64` and with integers of 128 bits.

mod adaptive;
mod convolution;
mod padding;
mod pooling;

use chainrule_tensor::{ErrorKind, Result, Tensor};

/// Sizes whose sums and products overflow in one way or another, and some that are fine.
const SIZES: [usize; 14] = [
    0,
    1,
    2,
    3,
    5,
    1000,
    1_000_000,
    1 << 31,
    1 << 33,
    1 << 62,
    usize::MAX / 3,
    usize::MAX / 2,
    1 << 63,
    usize::MAX,
];

/// Results up to this size are compared…
const FEW: u128 = 1 << 20;
/// …and those from this size on are more than any machine has memory for. Calls between are left out.
const TOO_MANY: u128 = 1 << 43;

/// Picks from lists, the same in each run.
struct Picks(u64);

impl Picks {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// Mostly a modest size: of four sizes drawn from the whole list hardly any call would have a result.
    fn size(&mut self) -> usize {
        if self.below(3) == 0 { self.of(&SIZES) } else { 1 + self.below(3) }
    }

    fn pair(&mut self) -> [usize; 2] {
        [self.size(), self.size()]
    }
}

/// Different whole numbers, so that sums and maxima of them are exact.
fn numbers(len: usize, seed: usize) -> Vec<f64> {
    (0..len).map(|i| ((i * 7919 + seed * 31) % 1009) as f64 - 500.0).collect()
}

fn tensor(values: &[f64], shape: &[usize]) -> Result<Tensor> {
    Tensor::from_vec(values.to_vec(), shape)?.requires_grad_(true)
}

/// What a call should do.
enum Want {
    /// Be refused.
    Error,
    /// Be refused for want of memory.
    NoMemory,
    /// Be left out.
    Nothing,
    /// Give these values.
    Values,
}

impl Want {
    /// Of a result of so many elements.
    fn of_size(elements: u128) -> Want {
        match elements {
            ..=FEW => Want::Values,
            TOO_MANY.. => Want::NoMemory,
            _ => Want::Nothing,
        }
    }
}

/// Looks at a refusal; `None` where the result is to be compared.
#[track_caller]
fn compared(want: &Want, operation: &str, call: impl FnOnce() -> Result<Tensor>) -> Option<Tensor> {
    match want {
        Want::Nothing => None,
        Want::Values => Some(call().unwrap()),
        Want::Error | Want::NoMemory => {
            let error = call().expect_err("a result");
            assert!(error.operation() == operation, "{error}");
            if let Want::NoMemory = want {
                assert!(matches!(error.kind(), ErrorKind::Memory | ErrorKind::Value), "{error}");
            }
            assert!(error.location().is_some_and(|at| at.file().contains("hostile_windows")), "{error}");
            None
        }
    }
}

/// The gradients of an output for which it gets the gradient `grad`, compared.
#[track_caller]
fn check_gradients(output: &Tensor, grad: &[f64], wanted: &[(&Tensor, &[f64])], what: &dyn Fn() -> String) {
    let grad = Tensor::from_vec(grad.to_vec(), output.shape()).unwrap();
    output.backward_with(&grad).unwrap();
    for (leaf, want) in wanted {
        let got = leaf.grad().expect("a gradient").to_vec::<f64>().unwrap();
        check(&got, want, what);
    }
}

#[track_caller]
fn check(got: &[f64], want: &[f64], what: &dyn Fn() -> String) {
    assert_eq!(got.len(), want.len(), "{}", what());
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert!((got - want).abs() <= 1e-9 * want.abs().max(1.0), "{i}: {got}, not {want}; {}", what());
    }
}
