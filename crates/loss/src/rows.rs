//! The form of a loss of rows: ℓ = f(a, b, …) for the vectors of each row of tensors of one shape.
//!
//! A loss of this form is a type that implements [`RowLoss`]; [`rows`] does the rest: one pass for the losses, one for
//! all gradients that are wanted, and the recorded way back.

use std::array;

use chainrule_kernels::simd::Kernel;
use chainrule_kernels::{Float, parallel};
use chainrule_tensor::autograd::{Backward, Context, GradOptions, Save, grad, record};
use chainrule_tensor::{FloatElement, Result, Shape, Tensor, dispatch_float};

/// Elements of each tensor in a piece of work, where a row is not longer. Fixed, so that results never depend on the
/// number of threads.
const PIECE: usize = 16_384;

/// Estimated time for an element of each tensor on one thread, in nanoseconds.
const COST_NS: f64 = 0.5;

/// A loss f(a, b, …) of `N` vectors. The type holds the options, and what belongs to a row beside its vectors.
///
/// What depends on a whole row in the derivative, `K` numbers, is kept from the way there. The methods on numbers are
/// to be `#[inline(always)]`, so that they are compiled for the instructions that the processor has.
pub(crate) trait RowLoss<const N: usize, const K: usize>: Send + Sync + 'static {
    /// The name of the loss's function, for messages.
    const NAME: &'static str;

    /// The loss of row `i`, and what its derivative needs.
    fn f<T: Float>(&self, i: usize, vectors: [&[T]; N]) -> (T, [f64; K]);
    /// `out` = g·∂f/∂a where `operand` is 0, g·∂f/∂b where it is 1, and so on.
    fn df<T: Float>(&self, operand: usize, i: usize, row: Row<'_, T, N, K>, out: &mut [T]);
    /// The losses again, written with tensor operations so that they can be differentiated more than once.
    fn formula(&self, operands: [&Tensor; N]) -> Result<Tensor>;
}

/// What the derivative of a row's loss is computed from.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a, T, const N: usize, const K: usize> {
    pub(crate) vectors: [&'a [T]; N],
    /// What was kept of the row.
    pub(crate) kept: [f64; K],
    /// The gradient of its loss.
    pub(crate) g: f64,
}

/// The losses of the rows of tensors of one shape and dtype, as a tensor of the shape `shape`. A row has as many elements
/// as the last dimensions, which `shape` lacks.
#[track_caller]
pub(crate) fn rows<const N: usize, const K: usize, L: RowLoss<N, K>>(
    loss: L,
    operands: [&Tensor; N],
    shape: Shape,
) -> Result<Tensor> {
    let mut inputs = Vec::with_capacity(N);
    for operand in operands {
        inputs.push(operand.contiguous()?);
    }
    let width = operands[0].shape()[shape.len()..].iter().product();
    let mut kept = vec![[0.0; K]; shape.numel()];
    let value = dispatch_float!(operands[0].dtype(), T => {
        let mut tensors = [&[][..]; N];
        for (slice, input) in tensors.iter_mut().zip(&inputs) {
            *slice = input.as_slice::<T>()?;
        }
        Tensor::build(&shape, |losses: &mut [T]| forward(&loss, (tensors, width), losses, &mut kept))?
    });
    let inputs: Vec<&Tensor> = inputs.iter().collect();
    let saved: Vec<Save<'_>> = (0..N).map(Save::Input).collect();
    record(RowBackward::<L, N, K> { loss, kept, width }, &inputs, &saved, value)
}

/// `K` sums over the elements of `N` vectors of one length, in `f64` and in a fixed order.
#[inline(always)]
pub(crate) fn sums<T: Float, const N: usize, const K: usize>(
    vectors: [&[T]; N],
    f: impl Fn([T; N]) -> [f64; K],
) -> [f64; K] {
    /// Sums that run side by side.
    const LANES: usize = 32;
    let mut lanes = [[0.0; LANES]; K];
    let parts = vectors.map(|vector| vector.as_chunks::<LANES>());
    for r in 0..parts[0].0.len() {
        let part: [&[T; LANES]; N] = array::from_fn(|n| &parts[n].0[r]);
        for lane in 0..LANES {
            let terms = f(array::from_fn(|n| part[n][lane]));
            (0..K).for_each(|k| lanes[k][lane] += terms[k]);
        }
    }
    let mut totals = [0.0; K];
    for i in 0..parts[0].1.len() {
        let terms = f(array::from_fn(|n| parts[n].1[i]));
        (0..K).for_each(|k| totals[k] += terms[k]);
    }
    if !parts[0].0.is_empty() {
        for (total, mut lanes) in totals.iter_mut().zip(lanes) {
            let mut half = LANES / 2;
            while half > 0 {
                (0..half).for_each(|lane| lanes[lane] += lanes[lane + half]);
                half /= 2;
            }
            *total += lanes[0];
        }
    }
    totals
}

fn forward<T: FloatElement, const N: usize, const K: usize, L: RowLoss<N, K>>(
    loss: &L,
    (tensors, width): ([&[T]; N], usize),
    losses: &mut [T],
    kept: &mut [[f64; K]],
) {
    let rows = rows_of_piece(width);
    let ns = COST_NS * tensors[0].len() as f64;
    parallel::chunks_mut2((losses, rows), (kept, rows), ns, |i, losses, kept| {
        T::run(Losses { loss, first: i * rows, tensors, width, losses, kept });
    });
}

/// How many rows there are in a piece of work.
fn rows_of_piece(width: usize) -> usize {
    (PIECE / width.max(1)).max(1)
}

/// The vectors of row `i`.
#[inline(always)]
fn vectors<'a, T, const N: usize>(tensors: &[&'a [T]; N], i: usize, width: usize) -> [&'a [T]; N] {
    array::from_fn(|n| &tensors[n][i * width..(i + 1) * width])
}

struct Losses<'a, T, L, const N: usize, const K: usize> {
    loss: &'a L,
    first: usize,
    tensors: [&'a [T]; N],
    width: usize,
    losses: &'a mut [T],
    kept: &'a mut [[f64; K]],
}

impl<T: Float, const N: usize, const K: usize, L: RowLoss<N, K>> Kernel for Losses<'_, T, L, N, K> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (r, (value, kept)) in self.losses.iter_mut().zip(self.kept).enumerate() {
            let i = self.first + r;
            (*value, *kept) = self.loss.f(i, vectors(&self.tensors, i, self.width));
        }
    }
}

struct Gradients<'a, 'g, T, L, const N: usize, const K: usize> {
    loss: &'a L,
    first: usize,
    tensors: [&'a [T]; N],
    width: usize,
    kept: &'a [[f64; K]],
    g: &'a [T],
    /// Those that are wanted.
    grads: &'a mut [Option<&'g mut [T]>; N],
}

impl<T: Float, const N: usize, const K: usize, L: RowLoss<N, K>> Kernel for Gradients<'_, '_, T, L, N, K> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let width = self.width;
        for (r, (&kept, g)) in self.kept.iter().zip(self.g).enumerate() {
            let i = self.first + r;
            let row = Row { vectors: vectors(&self.tensors, i, width), kept, g: g.to_f64() };
            for (operand, grad) in self.grads.iter_mut().enumerate() {
                if let Some(grad) = grad {
                    self.loss.df(operand, i, row, &mut grad[r * width..(r + 1) * width]);
                }
            }
        }
    }
}

struct RowBackward<L, const N: usize, const K: usize> {
    loss: L,
    kept: Vec<[f64; K]>,
    width: usize,
}

impl<const N: usize, const K: usize, L: RowLoss<N, K>> RowBackward<L, N, K> {
    fn fused<T: FloatElement>(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        let RowBackward { loss, kept, width } = self;
        let mut tensors = [&[][..]; N];
        let mut grads: [_; N] = array::from_fn(|_| None);
        for n in 0..N {
            tensors[n] = ctx.saved(n)?.as_slice::<T>()?;
            if ctx.needs(n)? {
                grads[n] = Some(ctx.saved(n)?.shape().allocate::<T>(L::NAME)?);
            }
        }
        let g = ctx.grad()?.contiguous()?;
        let (g, rows, width) = (g.as_slice::<T>()?, rows_of_piece(*width), *width);
        let mut parts =
            grads.each_mut().map(|grad| grad.as_mut().map(|grad| grad.chunks_mut((rows * width).max(1))));
        let piece = |_| parts.each_mut().map(|parts| parts.as_mut().and_then(Iterator::next));
        let mut pieces: Vec<[Option<&mut [T]>; N]> = (0..kept.len().div_ceil(rows)).map(piece).collect();
        let ns = COST_NS * N as f64 * tensors[0].len() as f64;
        parallel::chunks_mut(&mut pieces, 1, ns, |i, grads| {
            let own = i * rows..kept.len().min((i + 1) * rows);
            let (first, kept, g) = (own.start, &kept[own.clone()], &g[own]);
            T::run(Gradients { loss, first, tensors, width, kept, g, grads: &mut grads[0] });
        });
        let shape = ctx.saved(0)?.shape();
        grads.into_iter().map(|grad| grad.map(|grad| Tensor::from_buffer(grad, shape)).transpose()).collect()
    }
}

impl<const N: usize, const K: usize, L: RowLoss<N, K>> Backward for RowBackward<L, N, K> {
    fn name(&self) -> &'static str {
        L::NAME
    }

    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        // Operands that are one tensor have gradients of their own.
        let mut operands = Vec::with_capacity(N);
        for n in 0..N {
            let operand = ctx.saved(n)?;
            operands.push(if ctx.needs(n)? { operand.mul(1.0)? } else { operand.detach() });
        }
        let losses = self.loss.formula(array::from_fn(|n| &operands[n]))?;
        let wanted: Vec<&Tensor> = operands.iter().filter(|operand| operand.requires_grad()).collect();
        let options = GradOptions { create_graph: true, allow_unused: true, ..Default::default() };
        let mut grads = grad(&[&losses], &wanted, &[Some(ctx.grad()?)], options)?.into_iter();
        Ok(operands
            .iter()
            .map(|operand| operand.requires_grad().then(|| grads.next()).flatten().flatten())
            .collect())
    }

    fn backward_fused(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        dispatch_float!(ctx.saved(0)?.dtype(), T => self.fused::<T>(ctx))
    }
}
