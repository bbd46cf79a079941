//! [`Reduced`]: which dimensions a reduction runs over, and how it is cut into runs that kernels know.

use chainrule_kernels::{Buffer, reduce};

use crate::shape::dim_index;
use crate::{Element, FloatElement, Result, Shape, Tensor, bail};

/// The dimensions of a reduction.
pub(crate) struct Reduced {
    operation: &'static str,
    input: Shape,
    /// Which dimensions are reduced.
    mask: Vec<bool>,
}

impl Reduced {
    /// Checks the dimensions; an empty list means all.
    #[track_caller]
    pub(crate) fn new(operation: &'static str, input: &Shape, dims: &[isize]) -> Result<Reduced> {
        // A 0-d tensor is treated as having one dimension.
        let mut mask = vec![dims.is_empty(); input.len().max(1)];
        for &dim in dims {
            let index = dim_index(operation, dim, input.len())?;
            if std::mem::replace(&mut mask[index], true) {
                bail!(Index, operation, "dimension {dim} is named twice in {dims:?}");
            }
        }
        mask.truncate(input.len());
        Ok(Reduced { operation, input: input.clone(), mask })
    }

    /// The number of elements that go into one result.
    pub(crate) fn count(&self) -> usize {
        self.input.iter().zip(&self.mask).filter(|(_, reduced)| **reduced).map(|(n, _)| n).product()
    }

    /// The result's shape.
    pub(crate) fn shape(&self, keepdim: bool) -> Shape {
        let sizes = self.input.iter().zip(&self.mask);
        sizes
            .filter(|(_, reduced)| keepdim || !**reduced)
            .map(|(&n, reduced)| if *reduced { 1 } else { n })
            .collect()
    }

    /// The result's shape with 1 in the place of each reduced dimension.
    pub(crate) fn keepdim_shape(&self) -> Shape {
        self.shape(true)
    }

    /// Runs a kernel over `[outer, n, inner]`, once for each run of neighbouring reduced dimensions,
    /// innermost first; the operation must give the same whether it is done at once or in parts.
    #[track_caller]
    pub(crate) fn run<T: Element>(
        &self,
        x: &Tensor,
        kernel: impl Fn(&[T], [usize; 3], &mut [T]),
    ) -> Result<Tensor> {
        let mut current = x.detach().contiguous()?;
        for (dims, shape) in self.steps() {
            let mut out = shape.allocate::<T>(self.operation)?;
            kernel(current.as_slice::<T>()?, dims, &mut out);
            current = Tensor::from_parts(out, shape);
        }
        Ok(current)
    }

    /// As [`run`](Reduced::run), with a kernel for the first step and one for the further ones, in `f64` from the first
    /// to the last.
    #[track_caller]
    pub(crate) fn run_wide<T: Element>(
        &self,
        x: &[T],
        first: impl Fn(&[T], [usize; 3], &mut [f64]),
        further: impl Fn(&[f64], [usize; 3], &mut [f64]),
    ) -> Result<Buffer<f64>> {
        let mut current: Option<Buffer<f64>> = None;
        for (dims, shape) in self.steps() {
            let mut out = shape.allocate::<f64>(self.operation)?;
            match &current {
                None => first(x, dims, &mut out),
                Some(current) => further(current, dims, &mut out),
            }
            current = Some(out);
        }
        match current {
            Some(out) => Ok(out),
            None => bail!(Shape, self.operation, "a reduction has no step"),
        }
    }

    /// Sums of the elements divided by `divisor`, in `f64` until they are rounded to `T`, in the shape with 1 in the place
    /// of each reduced dimension. A sum that is too large for the type does not show where its quotient is not.
    #[track_caller]
    pub(crate) fn sums<T: FloatElement>(&self, x: &Tensor, divisor: f64) -> Result<Tensor> {
        let x = x.detach().contiguous()?;
        let x = x.as_slice::<T>()?;
        let further = |x: &[f64], dims, out: &mut [f64]| reduce::sum_wide(x, dims, 1.0, out);
        let sums = self.run_wide(x, |x, dims, out| reduce::sum_wide(x, dims, 1.0, out), further)?;
        let mut out = self.keepdim_shape().allocate::<T>(self.operation)?;
        reduce::rounded(&sums, &mut out, |sum| sum / divisor);
        // A sum of `f32` is always in the range of `f64`.
        if size_of::<T>() == 8 && sums.iter().any(|sum| !sum.is_finite()) {
            let (down, up) = (0.5f64.powi(64), 2f64.powi(64));
            let small = self.run_wide(x, |x, dims, out| reduce::sum_wide(x, dims, down, out), further)?;
            for ((out, sum), small) in out.iter_mut().zip(&*sums).zip(&*small) {
                if !sum.is_finite() {
                    *out = T::from_f64(small / divisor * up);
                }
            }
        }
        Ok(Tensor::from_parts(out, self.keepdim_shape()))
    }

    /// The steps of a reduction.
    fn steps(&self) -> Steps<'_> {
        Steps { mask: &self.mask, end: self.mask.len(), sizes: self.input.to_vec(), untouched: true }
    }

    /// The tensor, contiguous, as an array `[N, C, S]` of which N and S are reduced, with the order of its dimensions that
    /// makes it one.
    #[track_caller]
    pub(crate) fn by_channel(&self, x: &Tensor) -> Result<(Tensor, [usize; 3], Vec<isize>)> {
        let rank = self.input.len();
        let kept = || (0..rank).filter(|&dim| !self.mask[dim]);
        let first = kept().next().unwrap_or(rank);
        let last = kept().next_back().map_or(rank, |last| last + 1);
        let size = |dims: std::ops::Range<usize>| self.input[dims].iter().product::<usize>();
        let x = x.detach();
        if kept().count() == last - first {
            let order = (0..rank as isize).collect();
            return Ok((x.contiguous()?, [size(0..first), size(first..last), size(last..rank)], order));
        }
        let order: Vec<isize> =
            kept().chain((0..rank).filter(|&dim| self.mask[dim])).map(|dim| dim as isize).collect();
        let channels = kept().map(|dim| self.input[dim]).product();
        Ok((x.permute(&order)?.contiguous()?, [1, channels, self.count()], order))
    }
}

/// What is left to do of a reduction: from `[outer, n, inner]` to the shape with 1 in the place of what has been reduced,
/// for each run of neighbouring reduced dimensions, innermost first; at least one step.
struct Steps<'a> {
    mask: &'a [bool],
    end: usize,
    sizes: Vec<usize>,
    untouched: bool,
}

impl Steps<'_> {
    fn step(&mut self) -> Option<([usize; 3], Shape)> {
        self.end = self.mask[..self.end].iter().rposition(|&reduced| reduced)? + 1;
        let start = self.mask[..self.end].iter().rposition(|&reduced| !reduced).map_or(0, |kept| kept + 1);
        let size = |sizes: &[usize]| sizes.iter().product();
        let (outer, inner) = (size(&self.sizes[..start]), size(&self.sizes[self.end..]));
        let dims = [outer, size(&self.sizes[start..self.end]), inner];
        self.sizes[start..self.end].fill(1);
        self.end = start;
        self.untouched = false;
        Some((dims, Shape::from(self.sizes.as_slice())))
    }

    /// Nothing is reduced: each element is its own result.
    fn nothing(&mut self) -> ([usize; 3], Shape) {
        self.untouched = false;
        ([self.sizes.iter().product(), 1, 1], Shape::from(self.sizes.as_slice()))
    }
}

impl Iterator for Steps<'_> {
    type Item = ([usize; 3], Shape);

    fn next(&mut self) -> Option<Self::Item> {
        let untouched = self.untouched;
        self.step().or_else(|| untouched.then(|| self.nothing()))
    }
}

impl Tensor {
    /// This contiguous, untracked result in a shape of as many elements.
    pub(crate) fn in_shape(self, shape: Shape) -> Tensor {
        debug_assert_eq!(shape.numel(), self.numel());
        let strides = shape.contiguous_strides();
        self.view_as(shape, strides, self.layout().offset())
    }
}
