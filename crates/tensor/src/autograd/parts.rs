//! [`Parts`]: a gradient that is zero but for a few parts.

use chainrule_kernels::index;

use super::gradient::Gradient;
use super::rows;
use crate::shape::Strides;
use crate::{Result, Shape, Tensor, dispatch_float};

/// A part is left alone, outside of a whole gradient, where it is less than one in so many of its elements.
const FEW: usize = 4;

/// Whether so many elements are a few of all.
pub(crate) fn are_few(count: usize, all: usize) -> bool {
    count.checked_mul(FEW).is_some_and(|count| count < all)
}

/// A gradient as the sum of parts, in their order, from the first to the last. No part touches an element twice, so
/// each sum has one order: that in which whole gradients would have been added.
#[derive(Clone)]
#[doc(hidden)]
pub struct Parts {
    /// Of the whole gradient.
    shape: Shape,
    first: Part,
    others: Vec<Part>,
    /// How many elements the parts have, all together.
    touched: usize,
}

/// Numbers, and where in the whole gradient, in row-major order, they are to be added.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) place: Place,
    pub(super) values: Tensor,
}

#[derive(Clone)]
pub(super) enum Place {
    /// Element (i₀, i₁, …) of the values is at `offset` + Σ iₖ · `strides[k]`.
    View { offset: usize, strides: Strides },
    /// The values, in row-major order, are rows of `width` elements; these are the numbers of the rows, rising.
    Rows { rows: Tensor, width: usize },
}

impl Part {
    /// Adds it to a whole gradient that is ours alone.
    fn add_to(&self, sum: &mut Tensor) -> Result<()> {
        let values = self.values.in_order()?;
        dispatch_float!(values.dtype(), T => {
            let values = values.as_slice::<T>()?;
            let sum = sum.make_own::<T>()?;
            match &self.place {
                Place::View { offset, strides } => {
                    index::add_view(sum, *offset, self.values.shape(), strides, values);
                }
                Place::Rows { rows, width } => index::add_rows(sum, *width, rows.as_slice::<i64>()?, values),
            }
        });
        Ok(())
    }

    /// The rows of `width` that it consists of, if it does: the first and how many, which are neighbours.
    pub(super) fn neighbours(&self, width: usize) -> Option<(usize, usize)> {
        let (Place::View { offset, strides }, shape) = (&self.place, self.values.shape()) else {
            return None;
        };
        let mut step = 1;
        for (&size, &stride) in shape.iter().zip(strides.iter()).rev().filter(|(size, _)| **size != 1) {
            if stride != step {
                return None;
            }
            step *= size;
        }
        let whole = width > 0 && offset.is_multiple_of(width) && step.is_multiple_of(width);
        whole.then(|| (offset / width, step / width))
    }
}

impl Parts {
    fn one(shape: &Shape, part: Part) -> Parts {
        Parts { shape: shape.clone(), touched: part.values.numel(), first: part, others: Vec::new() }
    }

    /// A gradient that lies in a larger one of the given shape, with these strides. No two of its elements are the same.
    pub(crate) fn view(shape: &Shape, offset: usize, strides: Strides, values: &Tensor) -> Parts {
        Parts::one(shape, Part { place: Place::View { offset, strides }, values: values.clone() })
    }

    /// Rows of `width` elements of a gradient of the given shape, by their numbers; rows with the same number are added
    /// up, in their order.
    pub(crate) fn rows(shape: &Shape, rows: &Tensor, width: usize, values: &Tensor) -> Result<Parts> {
        let part = rows::summed(rows, width, &*values.in_order()?)?;
        Ok(Parts::one(shape, part))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Part> + Clone {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Whether they are few enough to be left alone.
    pub(super) fn are_few(&self) -> bool {
        are_few(self.touched, self.shape.numel())
    }

    pub(super) fn have_room_for(&self, others: &Parts) -> bool {
        are_few(self.touched + others.touched, self.shape.numel())
    }

    /// Adds parts of the same gradient, which come after these.
    pub(crate) fn append(&mut self, parts: Parts) {
        self.touched += parts.touched;
        self.others.push(parts.first);
        self.others.extend(parts.others);
    }

    /// The whole gradient.
    pub(crate) fn to_dense(&self) -> Result<Tensor> {
        let mut sum = match self.surrounded()? {
            Some(sum) => sum,
            None => {
                let mut sum = Tensor::full(&self.shape, 0.0, self.first.values.dtype())?;
                self.first.add_to(&mut sum)?;
                sum
            }
        };
        self.others.iter().try_for_each(|part| part.add_to(&mut sum))?;
        Ok(sum)
    }

    /// The first part with zeros around it, written in one pass, where it is a block of the whole.
    fn surrounded(&self) -> Result<Option<Tensor>> {
        let Place::View { offset, strides } = &self.first.place else { return Ok(None) };
        // What has no elements may begin behind the last one.
        if *strides != self.shape.contiguous_strides() || self.first.values.numel() == 0 {
            return Ok(None);
        }
        self.first.values.detach().surround(&coordinates(*offset, &self.shape), 0.0, &self.shape).map(Some)
    }

    /// One part, or the whole gradient where they cannot be one or would not be few: so that all of it can be added to
    /// something else.
    pub(super) fn merged(self: Box<Parts>) -> Result<Gradient> {
        if self.others.is_empty() {
            return Ok(Gradient::Parts(self));
        }
        let width = self.iter().find_map(|part| match &part.place {
            Place::Rows { width, .. } => Some(*width),
            Place::View { .. } => None,
        });
        let width = width.or_else(|| self.row_width());
        match width.map_or(Ok(None), |width| rows::merged(self.iter(), width, self.shape.numel()))? {
            Some(part) => Ok(Gradient::Parts(Box::new(Parts::one(&self.shape, part)))),
            None => self.to_dense().map(Gradient::Dense),
        }
    }

    /// The number of elements at one index of the first dimension.
    pub(super) fn row_width(&self) -> Option<usize> {
        (!self.shape.is_empty()).then(|| self.shape[1..].iter().product())
    }

    /// The same gradient as a few rows of the first dimension with memory of their own, if it is that.
    pub(super) fn to_rows(&self) -> Result<Option<Parts>> {
        let Some(width) = self.row_width() else { return Ok(None) };
        let part = rows::merged(self.iter(), width, self.shape.numel())?;
        Ok(part.map(|part| Parts::one(&self.shape, part)))
    }

    /// The numbers of the rows of the first dimension, `[count]`, and their values, `[count, …]`, where they are all
    /// that there is.
    pub(super) fn as_rows(&self) -> Result<Option<(Tensor, Tensor)>> {
        let (Place::Rows { rows, width }, true) = (&self.first.place, self.others.is_empty()) else {
            return Ok(None);
        };
        if self.row_width() != Some(*width) {
            return Ok(None);
        }
        Ok(Some((rows.clone(), self.first.values.reshape(self.shape.with_size(0, rows.numel())?)?)))
    }

    /// One part added to a whole gradient, which is copied first if somebody else holds it.
    pub(super) fn add_to(&self, sum: &mut Tensor) -> Result<()> {
        debug_assert!(self.others.is_empty(), "several parts are merged first");
        self.first.add_to(sum)
    }

    /// The same gradient in another shape.
    pub(crate) fn in_shape(&self, shape: &Shape) -> Parts {
        Parts { shape: shape.clone(), ..self.clone() }
    }

    /// The same gradient in a larger one of the given shape: its first element is at the index `start` there. `None`
    /// where the parts have to be put together for it.
    pub(crate) fn within(&self, start: &Shape, shape: &Shape) -> Result<Option<Parts>> {
        let strides = shape.contiguous_strides();
        let moved = |at: &[usize]| dot(at, &strides);
        // What lies behind one index of the first dimension is complete, so that rows move as they are.
        let behind = shape.get(1..) == self.shape.get(1..);
        self.moved(shape, moved, dot(start, &strides), behind)
    }

    /// The same gradient with its dimensions in another order: dimension k is to be dimension `order[k]`. `None` where
    /// the parts have to be put together for it.
    pub(crate) fn reordered(&self, order: &[usize]) -> Result<Option<Parts>> {
        let mut shape = self.shape.clone();
        order.iter().zip(self.shape.iter()).for_each(|(&to, &n)| shape.sizes_mut()[to] = n);
        let strides = shape.contiguous_strides();
        let moved = |at: &[usize]| order.iter().zip(at).map(|(&to, &i)| i * strides[to]).sum();
        self.moved(&shape, moved, 0, order.is_sorted())
    }

    /// The parts where their elements are in a gradient of another shape, by a map of coordinates that is linear, and a
    /// distance. Rows only go where that is all that there is to it.
    fn moved(
        &self,
        shape: &Shape,
        map: impl Fn(&[usize]) -> usize,
        distance: usize,
        rows_stay: bool,
    ) -> Result<Option<Parts>> {
        let mut moved: Option<Parts> = None;
        for part in self.iter() {
            let place = match &part.place {
                Place::View { offset, strides } => {
                    view_moved(&self.shape, part, *offset, strides, &map, distance)
                }
                Place::Rows { rows, width } if rows_stay && distance.is_multiple_of(*width) => {
                    let rows = rows.add((distance / width) as i64)?;
                    Some(Place::Rows { rows, width: *width })
                }
                Place::Rows { .. } => None,
            };
            let Some(place) = place else { return Ok(None) };
            let part = Parts::one(shape, Part { place, values: part.values.clone() });
            match &mut moved {
                Some(parts) => parts.append(part),
                None => moved = Some(part),
            }
        }
        Ok(moved)
    }
}

/// Where a view is after [`Parts::moved`]; `None` where its steps run over the end of a dimension, so that they are no
/// steps there.
fn view_moved(
    shape: &Shape,
    part: &Part,
    offset: usize,
    strides: &Strides,
    map: &impl Fn(&[usize]) -> usize,
    distance: usize,
) -> Option<Place> {
    let start = coordinates(offset, shape);
    let mut last = start.clone();
    let mut moved = strides.clone();
    for ((&size, &stride), moved) in part.values.shape().iter().zip(strides.iter()).zip(moved.sizes_mut()) {
        let step = if size > 1 { coordinates(stride, shape) } else { Shape::from(vec![0; shape.len()]) };
        last.sizes_mut().iter_mut().zip(step.iter()).for_each(|(last, &n)| *last += (size - 1) * n);
        *moved = map(&step);
    }
    let inside = last.iter().zip(shape.iter()).all(|(last, &n)| *last < n);
    inside.then(|| Place::View { offset: distance + map(&start), strides: moved })
}

/// The coordinates of an element that has this number in row-major order.
fn coordinates(mut number: usize, shape: &Shape) -> Shape {
    let mut at = shape.clone();
    for (at, &size) in at.sizes_mut().iter_mut().zip(shape.iter()).rev() {
        *at = number % size.max(1);
        number /= size.max(1);
    }
    at
}

fn dot(at: &[usize], strides: &[usize]) -> usize {
    at.iter().zip(strides).map(|(i, stride)| i * stride).sum()
}
