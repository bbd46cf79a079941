//! Attention of tensors: by kernels, and in tensor operations.

use chainrule_kernels::attention::{
    Attention, AttentionNumber, Inputs, Mask, Output, Results, backward, forward,
};

use crate::allocate::InOperation;
use crate::memory::OutOfMemory;
use crate::ops::linalg::matmul::Batches;
use crate::shape::Strides;
use crate::{Buffer, DType, Element, Result, Shape, Tensor};

pub(crate) const NAME: &str = "scaled_dot_product_attention";

/// What attention is computed with, beside tensors.
pub(crate) struct Settings {
    /// The dimensions in front, broadcast.
    pub(crate) batch: Shape,
    pub(crate) causal: bool,
    pub(crate) scale: f64,
}

impl Settings {
    /// softmax(scale · Q·Kᵀ + mask), and 0 where a query sees no key.
    #[track_caller]
    pub(crate) fn weights(&self, query: &Tensor, key: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let mut scores = query.matmul(&key.transpose(-2, -1)?)?.mul(self.scale)?;
        let hide = |scores: &Tensor, hidden: &Tensor| scores.masked_fill(hidden, f64::NEG_INFINITY);
        match mask {
            Some(mask) if mask.dtype() == DType::Bool => scores = hide(&scores, &mask.logical_not()?)?,
            Some(mask) => scores = scores.add(mask)?,
            None if self.causal => {
                let size = [query.size(-2)?, key.size(-2)?];
                scores = hide(&scores, &Tensor::full(size, 1.0, DType::Bool)?.triu(1)?)?;
            }
            None => {}
        }
        // Neither the softmax nor its derivative is to see a row of −∞ alone.
        let nothing = scores.detach().eq(f64::NEG_INFINITY)?.all_dim(-1, true)?;
        scores.masked_fill(&nothing, 0.0)?.softmax(-1)?.masked_fill(&nothing, 0.0)
    }

    fn attention(&self, query: &Tensor, value: &Tensor) -> Attention {
        let of = |t: &Tensor| (t.shape()[t.rank() - 2], t.shape()[t.rank() - 1]);
        let ((queries, width), (keys, value_width)) = (of(query), of(value));
        let Settings { batch, causal, scale } = self;
        Attention { batch: batch.numel(), queries, keys, width, value_width, causal: *causal, scale: *scale }
    }

    /// A mask in the full shape of the scores.
    #[track_caller]
    fn expanded(&self, mask: &Tensor, query: &Tensor, key: &Tensor) -> Result<Tensor> {
        let (queries, keys) = (query.size(-2)?, key.size(-2)?);
        mask.detach().expand(self.batch.iter().copied().chain([queries, keys]).collect::<Shape>())
    }

    /// Output and logarithms of sums.
    #[track_caller]
    pub(crate) fn run_forward<T: Element + AttentionNumber>(
        &self,
        [query, key, value]: [&Tensor; 3],
        mask: Option<&Tensor>,
    ) -> Result<[Tensor; 2]> {
        let attention = self.attention(query, value);
        let lies = Lies::new(query, &self.batch, [attention.queries, attention.value_width]);
        let rows: Shape = self.batch.iter().copied().chain([attention.queries, 2]).collect();
        let (mut out, mut log_sums) = (lies.shape.allocate::<T>(NAME)?, rows.allocate::<T>(NAME)?);
        self.with_inputs::<T>([query, key, value], mask, |inputs| {
            let log_sums = log_sums.as_chunks_mut().0;
            forward(&attention, inputs, Output { data: &mut out, heads: lies.heads }, log_sums)
        })?;
        Ok([lies.tensor(out), Tensor::from_parts(log_sums, rows)])
    }

    /// The gradients of query, key and value in the full shape.
    #[track_caller]
    pub(crate) fn run_backward<T: Element + AttentionNumber>(
        &self,
        inputs: [&Tensor; 3],
        mask: Option<&Tensor>,
        [out, log_sums, grad]: [&Tensor; 3],
    ) -> Result<Vec<Tensor>> {
        let attention = self.attention(inputs[0], inputs[2]);
        let lies =
            inputs.map(|x| Lies::new(x, &self.batch, [x.shape()[x.rank() - 2], x.shape()[x.rank() - 1]]));
        let mut buffers = Vec::with_capacity(3);
        for lies in &lies {
            buffers.push(lies.shape.allocate::<T>(NAME)?);
        }
        let (outs, grads) = (Batches::<T>::new(out, &self.batch)?, Batches::<T>::new(grad, &self.batch)?);
        let log_sums = log_sums.as_slice::<T>()?.as_chunks().0;
        self.with_inputs::<T>(inputs, mask, |inputs| {
            let results = Results { out: &|i| outs.matrix(i), log_sums, grad: &|i| grads.matrix(i) };
            let [a, b, c] = &mut buffers[..] else { unreachable!("three were made") };
            let heads = [&lies[0], &lies[1], &lies[2]].map(|lies| lies.heads);
            let output = |data, i: usize| Output { data, heads: heads[i] };
            backward(&attention, inputs, results, [output(a, 0), output(b, 1), output(c, 2)])
        })?;
        Ok(lies.into_iter().zip(buffers).map(|(lies, buffer)| lies.tensor(buffer)).collect())
    }

    /// Calls a kernel with the matrices of tensors.
    #[track_caller]
    fn with_inputs<T: Element + AttentionNumber>(
        &self,
        [query, key, value]: [&Tensor; 3],
        mask: Option<&Tensor>,
        run: impl FnOnce(Inputs<'_, T>) -> Result<(), OutOfMemory>,
    ) -> Result<()> {
        let of = |t| Batches::<T>::new(t, &self.batch);
        let mask = mask.map(|mask| self.expanded(mask, query, key)).transpose()?;
        let (queries, keys, values) = (of(query)?, of(key)?, of(value)?);
        let (query, key, value) = (|i| queries.matrix(i), |i| keys.matrix(i), |i| values.matrix(i));
        let inputs = Inputs { query: &query, key: &key, value: &value, mask: None };
        match &mask {
            None => run(inputs).in_operation(NAME),
            Some(mask) if mask.dtype() == DType::Bool => {
                let keep = Batches::<bool>::new(mask, &self.batch)?;
                run(Inputs { mask: Some(Mask::Keep(&|i| keep.matrix(i))), ..inputs }).in_operation(NAME)
            }
            Some(mask) => {
                let add = Batches::<T>::new(mask, &self.batch)?;
                run(Inputs { mask: Some(Mask::Add(&|i| add.matrix(i))), ..inputs }).in_operation(NAME)
            }
        }
    }
}

/// How a result lies in memory: as a tensor that goes with it does, with the heads of a row side by side or not, so
/// that transposing them back costs nothing.
struct Lies {
    shape: Shape,
    strides: Strides,
    heads: usize,
}

impl Lies {
    fn new(like: &Tensor, batch: &Shape, [rows, columns]: [usize; 2]) -> Lies {
        let shape: Shape = batch.iter().copied().chain([rows, columns]).collect();
        let mut strides = shape.contiguous_strides();
        let beside = batch.len() > 1
            && like.rank() == shape.len()
            && (1..batch.len()).all(|dim| like.shape()[dim] == batch[dim])
            && like.strides()[1] < like.strides()[batch.len()];
        if !beside {
            return Lies { shape, strides, heads: 1 };
        }
        let heads = batch[1..].iter().product::<usize>().max(1);
        let row = heads * columns;
        for stride in &mut strides.sizes_mut()[1..batch.len()] {
            *stride /= rows.max(1);
        }
        strides.sizes_mut()[batch.len()] = row;
        Lies { shape, strides, heads }
    }

    fn tensor<T: Element>(self, buffer: Buffer<T>) -> Tensor {
        let plain = Tensor::from_parts(buffer, self.shape.clone());
        plain.view_as(self.shape, self.strides, 0)
    }
}
