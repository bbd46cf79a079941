//! `Display` and `Debug` of a tensor: what PyTorch prints.

use std::fmt;

use crate::autograd::Edge;
use crate::display::{Values, format};
use crate::{Element, Result, Tensor, dispatch};

/// As PyTorch prints it; `{:.2}` changes the number of digits.
///
/// ```
/// # use chainrule_tensor::Tensor;
/// assert_eq!(Tensor::new([1.1087, 0.9329]).to_string(), "tensor([1.1087, 0.9329])");
/// ```
impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let autograd = match self.edge() {
            None => None,
            Some(Edge::Leaf(_)) => Some("requires_grad=True".to_string()),
            Some(Edge::Output(..)) => {
                Some(format!("grad_fn=<{}Backward0>", camel_case(self.grad_fn().unwrap_or_default())))
            }
        };
        let written = dispatch!(self.dtype(), T => self.write::<T>(f, autograd.as_deref()));
        written.unwrap_or(Err(fmt::Error))
    }
}

/// The same as `Display`.
impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Tensor {
    fn write<T: Element>(&self, f: &mut fmt::Formatter<'_>, autograd: Option<&str>) -> Result<fmt::Result> {
        // Only what is shown is looked at, so that a view need not fit in memory as a whole.
        let view = self.strided::<T>()?;
        let integers = i64::unwrap(self.storage());
        let place = |i: usize| {
            let mut rest = i;
            let dims = self.shape().iter().zip(self.strides()).rev();
            let steps = dims.map(|(&size, &stride)| {
                let step = rest % size * stride;
                rest /= size;
                step
            });
            view.offset + steps.sum::<usize>()
        };
        let as_float = |i: usize| view.data[place(i)].to_f64();
        // Integers go through their own type: an f64 would round those beyond 2^53.
        let as_int = |i: usize| integers.map_or(0, |integers| integers[place(i)]);
        let as_bool = |i: usize| view.data[place(i)] == T::ONE;
        let values = match self.dtype() {
            crate::DType::F32 | crate::DType::F64 => Values::Float(&as_float),
            crate::DType::I64 => Values::Int(&as_int),
            crate::DType::Bool => Values::Bool(&as_bool),
        };
        Ok(format(f, self.shape(), values, self.dtype().name(), autograd))
    }
}

/// `log_softmax` becomes `LogSoftmax`.
fn camel_case(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    };
    name.split('_').map(capital).collect()
}
