//! [`Shape`]: the sizes of a tensor's dimensions, and the arithmetic of shapes.

use std::fmt;
use std::ops::Deref;

use crate::{Result, bail};

/// Dimension sizes, outermost first; `[]` is a scalar. Up to four are stored without an allocation.
///
/// ```
/// # use chainrule_tensor::Shape;
/// let shape = Shape::from([2, 3]);
/// assert_eq!(shape[1], 3);
/// assert_eq!(shape.numel(), 6);
/// ```
#[derive(Clone)]
pub struct Shape(Dims);

#[derive(Clone)]
enum Dims {
    /// Behind `len` sizes there are zeros.
    Inline {
        len: u8,
        sizes: [usize; 4],
    },
    Heap(Box<[usize]>),
}

/// Distances between neighbours, in elements, dimension by dimension.
pub(crate) type Strides = Shape;

impl Shape {
    /// The number of elements: the product of the sizes, or `usize::MAX` where that is larger (no tensor is).
    pub fn numel(&self) -> usize {
        product(self)
    }

    /// The number of elements, or an error where it is beyond what memory has addresses for: for views, which
    /// take no memory of their own.
    #[track_caller]
    pub(crate) fn checked_numel(&self, operation: &str) -> Result<usize> {
        match self.addressable_numel() {
            Some(numel) => Ok(numel),
            None => bail!(Memory, operation, "a tensor of shape {self} does not fit in memory"),
        }
    }

    /// The number of elements, where memory has addresses for it and for the product of the sizes that are not 0.
    pub(crate) fn addressable_numel(&self) -> Option<usize> {
        let (mut bytes, mut empty) = (8usize, false);
        for &n in self.iter() {
            empty |= n == 0;
            bytes = bytes.checked_mul(n.max(1))?;
        }
        let numel = if empty { 0 } else { bytes / 8 };
        (bytes <= isize::MAX as usize).then_some(numel)
    }

    /// The strides of a contiguous (row-major) tensor of this shape.
    pub(crate) fn contiguous_strides(&self) -> Strides {
        if let Dims::Inline { len: len @ 0..=1, sizes: _ } = self.0 {
            return Shape(Dims::Inline { len, sizes: [usize::from(len), 0, 0, 0] });
        }
        let mut strides = self.clone();
        let mut step = 1;
        for (stride, &size) in strides.0.as_mut().iter_mut().zip(self.iter()).rev() {
            *stride = step;
            step *= size.max(1);
        }
        strides
    }

    /// Mutable access to the sizes.
    pub(crate) fn sizes_mut(&mut self) -> &mut [usize] {
        self.0.as_mut()
    }

    /// Whether a tensor of this shape can be expanded to the other.
    pub(crate) fn broadcasts_to(&self, other: &Shape) -> bool {
        let Some(missing) = other.len().checked_sub(self.len()) else { return false };
        self.iter().zip(&other[missing..]).all(|(&own, &n)| own == n || own == 1)
    }

    /// This shape with one size replaced.
    ///
    /// # Errors
    /// When there is no such dimension.
    #[track_caller]
    pub fn with_size(&self, dim: usize, size: usize) -> Result<Shape> {
        let mut shape = self.clone();
        shape.sizes_mut()[self.checked_dim("Shape::with_size", dim, self.len())?] = size;
        Ok(shape)
    }

    /// This shape without one dimension.
    ///
    /// # Errors
    /// When there is no such dimension.
    #[track_caller]
    pub fn without(&self, dim: usize) -> Result<Shape> {
        let dim = self.checked_dim("Shape::without", dim, self.len())?;
        Ok(self.iter().enumerate().filter(|(d, _)| *d != dim).map(|(_, &n)| n).collect())
    }

    /// This shape with a dimension of the given size put before position `dim`.
    ///
    /// # Errors
    /// When `dim` is above the number of dimensions.
    #[track_caller]
    pub fn with_inserted(&self, dim: usize, size: usize) -> Result<Shape> {
        let (before, after) = self.split_at(self.checked_dim("Shape::with_inserted", dim, self.len() + 1)?);
        Ok(before.iter().copied().chain([size]).chain(after.iter().copied()).collect())
    }

    /// The shape seen as `[outer, n, inner]` around one dimension; `[1, 1, 1]` for a scalar.
    ///
    /// # Errors
    /// When there is no such dimension.
    #[track_caller]
    pub fn around(&self, dim: usize) -> Result<[usize; 3]> {
        if self.is_empty() {
            return Ok([1, 1, 1]);
        }
        let dim = self.checked_dim("Shape::around", dim, self.len())?;
        Ok([product(&self[..dim]), self[dim], product(&self[dim + 1..])])
    }

    /// A dimension that is below `end`.
    #[track_caller]
    fn checked_dim(&self, operation: &str, dim: usize, end: usize) -> Result<usize> {
        if dim >= end {
            bail!(Index, operation, "dimension {dim} is out of range for shape {self}");
        }
        Ok(dim)
    }
}

/// The product of sizes, or `usize::MAX` where that is larger: a size of 0 makes 0 of it, whatever the others are.
fn product(sizes: &[usize]) -> usize {
    sizes.iter().fold(1, |product, &n| product.saturating_mul(n))
}

impl AsMut<[usize]> for Dims {
    fn as_mut(&mut self) -> &mut [usize] {
        match self {
            Dims::Inline { len, sizes } => &mut sizes[..*len as usize],
            Dims::Heap(sizes) => sizes,
        }
    }
}

impl Deref for Shape {
    type Target = [usize];
    #[inline]
    fn deref(&self) -> &[usize] {
        match &self.0 {
            Dims::Inline { len, sizes } => &sizes[..*len as usize],
            Dims::Heap(sizes) => sizes,
        }
    }
}

impl From<&[usize]> for Shape {
    fn from(sizes: &[usize]) -> Self {
        if sizes.len() > 4 {
            return Shape(Dims::Heap(sizes.into()));
        }
        let mut inline = [0; 4];
        inline[..sizes.len()].copy_from_slice(sizes);
        Shape(Dims::Inline { len: sizes.len() as u8, sizes: inline })
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(sizes: [usize; N]) -> Self {
        sizes.as_slice().into()
    }
}

impl<const N: usize> From<&[usize; N]> for Shape {
    fn from(sizes: &[usize; N]) -> Self {
        sizes.as_slice().into()
    }
}

impl From<Vec<usize>> for Shape {
    fn from(sizes: Vec<usize>) -> Self {
        sizes.as_slice().into()
    }
}

impl From<&Vec<usize>> for Shape {
    fn from(sizes: &Vec<usize>) -> Self {
        sizes.as_slice().into()
    }
}

impl From<&Shape> for Shape {
    fn from(shape: &Shape) -> Self {
        shape.clone()
    }
}

impl From<usize> for Shape {
    fn from(size: usize) -> Self {
        [size].into()
    }
}

impl From<()> for Shape {
    fn from(_: ()) -> Self {
        [].as_slice().into()
    }
}

impl FromIterator<usize> for Shape {
    fn from_iter<I: IntoIterator<Item = usize>>(sizes: I) -> Self {
        let mut inline = [0; 4];
        let mut len = 0;
        let mut sizes = sizes.into_iter();
        while let Some(size) = sizes.next() {
            if len == 4 {
                let all: Vec<usize> = inline.into_iter().chain([size]).chain(sizes).collect();
                return all.into();
            }
            inline[len] = size;
            len += 1;
        }
        Shape(Dims::Inline { len: len as u8, sizes: inline })
    }
}

impl PartialEq for Shape {
    #[inline]
    fn eq(&self, other: &Shape) -> bool {
        match (&self.0, &other.0) {
            (Dims::Inline { len: a, sizes: x }, Dims::Inline { len: b, sizes: y }) => a == b && x == y,
            _ => **self == **other,
        }
    }
}

impl Eq for Shape {}

impl<const N: usize> PartialEq<[usize; N]> for Shape {
    fn eq(&self, other: &[usize; N]) -> bool {
        **self == other[..]
    }
}

impl PartialEq<[usize]> for Shape {
    fn eq(&self, other: &[usize]) -> bool {
        **self == *other
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// The shape that two shapes broadcast to (NumPy's and PyTorch's rule).
#[track_caller]
pub(crate) fn broadcast(operation: &str, a: &Shape, b: &Shape) -> Result<Shape> {
    if a == b {
        return Ok(a.clone());
    }
    let rank = a.len().max(b.len());
    let size = |s: &Shape, dim: usize| if dim + s.len() < rank { 1 } else { s[dim + s.len() - rank] };
    let mut shape: Shape = (0..rank).map(|dim| size(a, dim).max(size(b, dim))).collect();
    for dim in 0..rank {
        let (n, m) = (size(a, dim), size(b, dim));
        match (n, m) {
            _ if n == m => {}
            (1, _) | (_, 1) => shape.sizes_mut()[dim] = if n == 1 { m } else { n },
            _ => bail!(
                Shape,
                operation,
                "shapes {a} and {b} do not broadcast: at dimension {dim} of the result the sizes {n} and {m} differ and neither is 1"
            ),
        }
    }
    Ok(shape)
}

/// A dimension counted from either end, as an index from the front.
#[track_caller]
pub(crate) fn dim_index(operation: &str, dim: isize, rank: usize) -> Result<usize> {
    // A 0-d tensor is treated as having one dimension, as PyTorch does.
    let n = rank.max(1) as isize;
    if dim < -n || dim >= n {
        bail!(Index, operation, "dimension {dim} is out of range: expected {} to {}", -n, n - 1);
    }
    Ok(if dim < 0 { dim + n } else { dim } as usize)
}

/// One or several dimensions, counted from either end: `0`, `-1`, `[0, 2]`.
pub trait IntoDims {
    /// The dimensions as a list.
    fn into_dims(self) -> Vec<isize>;
}

impl IntoDims for isize {
    fn into_dims(self) -> Vec<isize> {
        vec![self]
    }
}

impl<const N: usize> IntoDims for [isize; N] {
    fn into_dims(self) -> Vec<isize> {
        self.to_vec()
    }
}

impl IntoDims for &[isize] {
    fn into_dims(self) -> Vec<isize> {
        self.to_vec()
    }
}

impl IntoDims for Vec<isize> {
    fn into_dims(self) -> Vec<isize> {
        self
    }
}

/// Sizes of which some operations let one be -1, "whatever fits": `[2, -1]`, `[n, 3]`, a [`Shape`].
pub trait IntoSizes {
    /// The sizes as a list.
    fn into_sizes(self) -> Vec<isize>;
}

impl<const N: usize> IntoSizes for [isize; N] {
    fn into_sizes(self) -> Vec<isize> {
        self.to_vec()
    }
}

macro_rules! into_sizes {
    ($($t:ty),+) => {
        $(
            impl IntoSizes for $t {
                fn into_sizes(self) -> Vec<isize> {
                    // No tensor has a size beyond `isize`; to cut bits off could make -1 of one.
                    self.iter().map(|&n| isize::try_from(n).unwrap_or(isize::MAX)).collect()
                }
            }
        )+
    };
}
into_sizes!(
    &Shape,
    Shape,
    &[usize],
    Vec<usize>,
    &[isize],
    Vec<isize>,
    [i32; 1],
    [i32; 2],
    [i32; 3],
    [i32; 4],
    [i32; 5]
);
into_sizes!([usize; 1], [usize; 2], [usize; 3], [usize; 4], [usize; 5], [usize; 6]);
