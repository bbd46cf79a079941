//! Random tensors of the shape and dtype of another.

use std::cmp::Ordering;

use super::drawn;
use crate::random::{Generator, RandomFloat};
use crate::{DType, Element, Result, Shape, Tensor, bail};

/// A tensor of the same shape, whose numbers are drawn in the order in which those of `tensor` lie in memory: where it
/// is transposed, so is the result, as in PyTorch. `fill` also learns whether the result is contiguous.
#[track_caller]
pub(crate) fn drawn_like<T: Element>(
    operation: &str,
    tensor: &Tensor,
    fill: impl FnOnce(&mut Generator, &mut [T], bool) -> Result<(), String>,
) -> Result<Tensor> {
    let order = memory_order(tensor);
    if order.is_sorted() {
        return drawn(operation, tensor.shape().clone(), |generator, out| fill(generator, out, true));
    }
    let shape: Shape = order.iter().map(|&dim| tensor.shape()[dim]).collect();
    let drawn = drawn(operation, shape, |generator, out| fill(generator, out, false))?;
    let mut back = vec![0; order.len()];
    for (place, &dim) in order.iter().enumerate() {
        back[dim] = place as isize;
    }
    drawn.permute(&back)
}

/// The dimensions from the one whose neighbours are furthest apart in memory to the nearest. Those of size 1 stay where
/// they are, and so do expanded ones, since their distances say nothing.
fn memory_order(tensor: &Tensor) -> Vec<usize> {
    let (sizes, strides) = (tensor.shape(), tensor.strides());
    // Whether `outer` belongs before `inner`; none where that cannot be said.
    let compare = |outer: usize, inner: usize| match strides[outer].cmp(&strides[inner]) {
        _ if strides[outer] == 0 || strides[inner] == 0 || sizes[outer] == 1 || sizes[inner] == 1 => None,
        Ordering::Equal if sizes[outer] == sizes[inner] => None,
        Ordering::Equal => Some(sizes[outer] < sizes[inner]),
        order => Some(order == Ordering::Greater),
    };
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    // By insertion, from the last dimension on: dimensions that cannot be compared are passed over.
    for start in (0..order.len()).rev() {
        let mut place = start;
        for next in start + 1..order.len() {
            match compare(order[place], order[next]) {
                Some(true) => break,
                Some(false) => {
                    order.swap(place, next);
                    place = next;
                }
                None => (),
            }
        }
    }
    order
}

/// PyTorch makes blocks of 16 only in contiguous tensors.
fn normal<T: RandomFloat>(
    generator: &mut Generator,
    out: &mut [T],
    [mean, std]: [f64; 2],
    contiguous: bool,
) -> Result<(), String> {
    match contiguous {
        true => generator.normal(out, mean, std),
        false => generator.normal_one_by_one(out, mean, std),
    }
}

impl Tensor {
    /// As [`Tensor::rand`], in the shape and dtype of this tensor (PyTorch: `torch.rand_like`).
    ///
    /// Numbers are drawn in the order in which this tensor lies in memory, as PyTorch does: for a transposed one the
    /// result is a transposed one too.
    ///
    /// # Errors
    /// For integers and booleans.
    #[track_caller]
    pub fn rand_like(&self) -> Result<Tensor> {
        self.uniform_drawn("rand_like", 0.0, 1.0)
    }

    /// As [`Tensor::randn`], in the shape and dtype of this tensor (PyTorch: `torch.randn_like`); the order is that of
    /// [`rand_like`](Tensor::rand_like).
    ///
    /// # Errors
    /// For integers and booleans.
    #[track_caller]
    pub fn randn_like(&self) -> Result<Tensor> {
        self.normal_drawn("randn_like", 0.0, 1.0)
    }

    /// As [`Tensor::randint`], in the shape and dtype of this tensor (PyTorch: `torch.randint_like`); the order is that
    /// of [`rand_like`](Tensor::rand_like).
    ///
    /// # Errors
    /// When `low >= high`, or the dtype cannot hold all of the numbers.
    #[track_caller]
    pub fn randint_like(&self, low: i64, high: i64) -> Result<Tensor> {
        let dtype = self.dtype();
        let whole = match dtype {
            DType::F32 => 1 << 24,
            DType::F64 => 1 << 53,
            DType::I64 => i64::MAX,
            DType::Bool => 1,
        };
        let least = if dtype == DType::Bool { 0 } else { whole.wrapping_neg() };
        if dtype != DType::I64 && low < high && (low < least || high - 1 > whole) {
            bail!(Value, "randint_like", "{dtype} does not hold all integers from {low} to below {high}");
        }
        drawn_like("randint_like", self, |generator, out: &mut [i64], _| {
            generator.random_from_to(out, low, high)
        })?
        .to_dtype(dtype)
    }

    /// As [`Tensor::uniform`], in the shape and dtype of this tensor and the order of [`rand_like`](Tensor::rand_like)
    /// (PyTorch: `torch.empty_like(x).uniform_(from, to)`).
    ///
    /// # Errors
    /// When `from > to`, `to - from` is infinite, and for integers and booleans.
    #[track_caller]
    pub fn uniform_like(&self, from: f64, to: f64) -> Result<Tensor> {
        self.uniform_drawn("uniform_like", from, to)
    }

    /// As [`Tensor::normal`], in the shape and dtype of this tensor and the order of [`rand_like`](Tensor::rand_like)
    /// (PyTorch: `torch.empty_like(x).normal_(mean, std)`).
    ///
    /// # Errors
    /// When `std < 0`, and for integers and booleans.
    #[track_caller]
    pub fn normal_like(&self, mean: f64, std: f64) -> Result<Tensor> {
        self.normal_drawn("normal_like", mean, std)
    }

    #[track_caller]
    fn uniform_drawn(&self, operation: &str, from: f64, to: f64) -> Result<Tensor> {
        match self.dtype() {
            DType::F32 => drawn_like(operation, self, |g, out: &mut [f32], _| g.uniform(out, from, to)),
            DType::F64 => drawn_like(operation, self, |g, out: &mut [f64], _| g.uniform(out, from, to)),
            dtype => bail!(DType, operation, "random floats cannot be {dtype}"),
        }
    }

    #[track_caller]
    fn normal_drawn(&self, operation: &str, mean: f64, std: f64) -> Result<Tensor> {
        match self.dtype() {
            DType::F32 => {
                drawn_like(operation, self, |g, out: &mut [f32], whole| normal(g, out, [mean, std], whole))
            }
            DType::F64 => {
                drawn_like(operation, self, |g, out: &mut [f64], whole| normal(g, out, [mean, std], whole))
            }
            dtype => bail!(DType, operation, "random floats cannot be {dtype}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(shape: &[usize], dims: &[isize]) -> Vec<usize> {
        memory_order(&Tensor::zeros(shape).unwrap().permute(dims).unwrap())
    }

    #[test]
    fn the_order_of_memory() {
        assert_eq!(order(&[2, 3, 4], &[0, 1, 2]), [0, 1, 2]);
        assert_eq!(order(&[2, 3, 4], &[2, 0, 1]), [1, 2, 0]);
        assert_eq!(order(&[2, 3, 4], &[2, 1, 0]), [2, 1, 0]);
        assert_eq!(order(&[2, 1, 4], &[0, 2, 1]), [0, 1, 2]);
        let expanded = Tensor::zeros([3, 1]).unwrap().expand([3, 5]).unwrap();
        assert_eq!(memory_order(&expanded), [0, 1]);
        assert!(memory_order(&Tensor::zeros([]).unwrap()).is_empty());
    }
}
