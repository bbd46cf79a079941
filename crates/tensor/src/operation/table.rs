//! The operation table: one [`Row`] an operation, standing in the operation's own file.
//!
//! The table is what tests, benches and documentation are driven by: for every row they check gradients
//! against finite differences to second order, the fused way back against the composite one, strided inputs
//! against contiguous ones, thread counts against each other, error messages, and so on, with no code for a
//! single operation. Other crates list their own rows in the same form.

use crate::{DType, Error, Result, Tensor};

/// A call of an operation on given inputs.
pub type Call = fn(&[Tensor]) -> Result<Vec<Tensor>>;

/// A call that carries options with it.
pub type BoxedCall = Box<dyn Fn(&[Tensor]) -> Result<Vec<Tensor>> + Send + Sync>;

/// Sizes for a bench: the shapes of the inputs, and the call.
pub type Bench = (&'static [&'static [usize]], Call);

/// What the table knows of an operation.
pub struct Row {
    /// The operation's name: that of the method.
    pub name: &'static str,
    /// The PyTorch function of the same meaning.
    pub torch: &'static str,
    /// Whether gradients flow through it. Where false, `Row::samples` are not differentiated, and outputs
    /// must not require a gradient.
    pub differentiable: bool,
    /// Calls on ordinary inputs, away from kinks: these are differentiated numerically.
    pub samples: fn() -> Vec<Sample>,
    /// Gradients at points where the derivative is a matter of convention.
    pub kinks: fn() -> Vec<Kink>,
    /// Calls that must be refused.
    pub errors: fn() -> Vec<Refusal>,
    /// Sizes to time it on.
    pub bench: &'static [Bench],
}

impl Row {
    /// A row without kinks, refusals and benches; fill them in with `..Row::new(…)`.
    pub const fn new(name: &'static str, torch: &'static str, samples: fn() -> Vec<Sample>) -> Row {
        Row { name, torch, differentiable: true, samples, kinks: Vec::new, errors: Vec::new, bench: &[] }
    }
}

/// Inputs and what to do with them. Float inputs are `f64` and all of them are differentiated; tests derive
/// `f32`, strided and other forms.
pub struct Sample {
    /// What is special about this sample.
    pub label: &'static str,
    /// The inputs.
    pub inputs: Vec<Tensor>,
    /// The call.
    pub call: BoxedCall,
    /// Whether the derivative is zero wherever it exists, as for `floor`, so that scaling the gradient
    /// cannot be noticed.
    pub flat: bool,
}

impl Sample {
    /// A sample of a call with one output.
    pub fn new(
        label: &'static str,
        inputs: impl Into<Vec<Tensor>>,
        call: impl Fn(&[Tensor]) -> Result<Tensor> + Send + Sync + 'static,
    ) -> Sample {
        // Boxed first: there are hundreds of samples, and each generic step is compiled for each.
        Sample::boxed(label, inputs.into(), listed(Box::new(call)))
    }

    /// A sample of a call with several outputs.
    pub fn many(
        label: &'static str,
        inputs: impl Into<Vec<Tensor>>,
        call: impl Fn(&[Tensor]) -> Result<Vec<Tensor>> + Send + Sync + 'static,
    ) -> Sample {
        Sample::boxed(label, inputs.into(), Box::new(call))
    }

    fn boxed(label: &'static str, inputs: Vec<Tensor>, call: BoxedCall) -> Sample {
        Sample { label, inputs, call, flat: false }
    }

    /// Says that the derivative is zero wherever it exists.
    #[must_use]
    pub fn flat(self) -> Sample {
        Sample { flat: true, ..self }
    }
}

type OneOutput = Box<dyn Fn(&[Tensor]) -> Result<Tensor> + Send + Sync>;

/// A call with one output as one with a list of them.
fn listed(call: OneOutput) -> BoxedCall {
    Box::new(move |x| Ok(vec![call(x)?]))
}

/// A point where the derivative is a convention, and PyTorch's value there.
pub struct Kink {
    /// The input's value.
    pub at: f64,
    /// The call.
    pub call: fn(&Tensor) -> Result<Tensor>,
    /// The derivative of the output with respect to the input there.
    pub derivative: f64,
}

/// A call that must be refused.
pub struct Refusal {
    /// What the call does, returning the error that it must give.
    pub call: Box<dyn Fn() -> Result<Tensor>>,
    /// Words that the message must contain: the offending shapes or values.
    pub mentions: &'static [&'static str],
    /// The file that the call stands in, where the error must say that it happened.
    pub file: &'static str,
}

impl Refusal {
    /// A refusal.
    #[track_caller]
    pub fn new(mentions: &'static [&'static str], call: impl Fn() -> Result<Tensor> + 'static) -> Refusal {
        Refusal { call: Box::new(call), mentions, file: std::panic::Location::caller().file() }
    }

    /// What is wrong with how the call was refused, if anything.
    pub fn fault(&self, operation: &str) -> Option<String> {
        match (self.call)() {
            Ok(_) => Some("the call was accepted".to_string()),
            Err(error) => self.missing(operation, &error),
        }
    }

    fn missing(&self, operation: &str, error: &Error) -> Option<String> {
        let text = error.to_string();
        let missing =
            [operation].into_iter().chain(self.mentions.iter().copied()).find(|w| !text.contains(w));
        missing.map(|word| format!("the message does not mention {word:?}: {text}"))
    }
}

/// Every row of this crate, in the order of the list of operations.
pub fn operations() -> Vec<&'static Row> {
    crate::ops::ROWS.to_vec()
}

/// Numbers between `low` and `high` that look random and are the same on every machine, as an `f64` tensor.
/// Different `seed`s give unrelated numbers.
pub fn uniform<const N: usize>(seed: u64, shape: [usize; N], low: f64, high: f64) -> Tensor {
    let values = (0..shape.iter().product::<usize>() as u64)
        .map(|i| {
            let mut z = (seed << 32 | i).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            low + (high - low) * ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        })
        .collect::<Vec<f64>>();
    Tensor::from_buffer(chainrule_kernels::Buffer::from_vec(values), shape)
        .expect("as many values as the shape has")
}

/// Numbers between -2 and 2; see [`uniform`].
pub fn values<const N: usize>(seed: u64, shape: [usize; N]) -> Tensor {
    uniform(seed, shape, -2.0, 2.0)
}

/// Distinct numbers, at least 0.01 apart, in an order that looks random: for operations that compare, where
/// nearly equal inputs would sit on a kink.
pub fn distinct<const N: usize>(seed: u64, shape: [usize; N]) -> Tensor {
    let keys = values(seed, shape).to_vec::<f64>().expect("f64 values");
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    let mut ranks = vec![0.0; keys.len()];
    for (rank, &i) in order.iter().enumerate() {
        ranks[i] = (rank as f64 - keys.len() as f64 / 2.0) * 0.07 + 0.013;
    }
    Tensor::from_buffer(chainrule_kernels::Buffer::from_vec(ranks), shape)
        .expect("as many values as the shape has")
}

/// An input in another dtype.
pub fn cast(x: &Tensor, dtype: DType) -> Tensor {
    x.to_dtype(dtype).expect("every dtype converts to every other")
}
