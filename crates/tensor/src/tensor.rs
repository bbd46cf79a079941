//! [`Tensor`]: a cheap handle to an immutable, strided view of shared memory, with its place in a graph.

use std::borrow::Cow;
use std::sync::Arc;

use chainrule_kernels::Buffer;
use chainrule_kernels::elementwise::View as Strided;
use chainrule_kernels::memory::{Counted, Shared};

use crate::allocate::{InOperation, try_vec};
use crate::autograd::{Edge, Leaf};
use crate::layout::Layout;
use crate::shape::{Strides, dim_index};
use crate::storage::Storage;
use crate::{DType, Element, Error, ErrorKind, Result, Shape, bail};

/// An n-dimensional array of one dtype that knows how it was computed.
///
/// A tensor is a handle: cloning it copies no numbers, and neither do slices, transposes, expands and most
/// reshapes. The numbers never change after the tensor was made, so there are no in-place operations and
/// nothing that a graph has saved can be overwritten. What changes during training is a
/// [`Parameter`](crate::Parameter), a cell that holds a tensor.
///
/// ```
/// # use chainrule_tensor::{Tensor, Result};
/// # fn main() -> Result<()> {
/// let x = Tensor::new([[1.0, 2.0], [3.0, 4.0]]).requires_grad_(true)?;
/// let y = (&x * &x).sum()?;
/// y.backward()?;
/// assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [2.0, 4.0, 6.0, 8.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tensor(Counted<View>);

/// What a tensor is: shared memory, how it lies there, and where a gradient goes.
struct View {
    storage: Storage,
    layout: Layout,
    edge: Option<Edge>,
    /// Whether this counts as an owner of the gradient that is collected there; graphs own none.
    is_owner: bool,
}

impl Drop for View {
    #[inline]
    fn drop(&mut self) {
        if self.is_owner {
            self.edge.iter().for_each(Edge::disown);
        }
    }
}

impl Tensor {
    /// A tensor of the buffer's values in row-major order. The number of values must be that of the shape.
    #[track_caller]
    pub fn from_buffer<T: Element>(buffer: Buffer<T>, shape: impl Into<Shape>) -> Result<Tensor> {
        let shape = shape.into();
        if buffer.len() != shape.checked_numel("from_buffer")? {
            bail!(Shape, "from_buffer", "{} values do not fill the shape {shape}", buffer.len());
        }
        Ok(Tensor::from_parts(buffer, shape))
    }

    /// As [`Tensor::from_buffer`], where the lengths are known to agree.
    pub(crate) fn from_parts<T: Element>(buffer: Buffer<T>, shape: Shape) -> Tensor {
        Tensor(Counted::with(|| View {
            layout: Layout::contiguous(shape, buffer.len()),
            storage: T::wrap(buffer.into()),
            edge: None,
            is_owner: false,
        }))
    }

    /// A tensor whose memory is written by `fill`, which gets a recycled slice with arbitrary contents and
    /// writes all of it. The way for an operation of one's own to make its output.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::build([3], |out: &mut [f32]| out.copy_from_slice(&[1.0, 2.0, 3.0]))?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, 2.0, 3.0]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn build<T: Element>(shape: impl Into<Shape>, fill: impl FnOnce(&mut [T])) -> Result<Tensor> {
        Tensor::build_for("build", shape.into(), fill)
    }

    /// As [`Tensor::build`], for the operation that errors are to name.
    #[track_caller]
    pub(crate) fn build_for<T: Element>(
        operation: &str,
        shape: impl Into<Shape>,
        fill: impl FnOnce(&mut [T]),
    ) -> Result<Tensor> {
        let shape = shape.into();
        let mut buffer = shape.allocate(operation)?;
        fill(&mut buffer);
        Ok(Tensor::from_parts(buffer, shape))
    }

    /// Another view of the same memory, outside any graph.
    pub(crate) fn view_as(&self, shape: Shape, strides: Strides, offset: usize) -> Tensor {
        Tensor(Counted::with(|| View {
            storage: self.0.storage.clone(),
            layout: Layout::strided(shape, strides, offset),
            edge: None,
            is_owner: false,
        }))
    }

    /// The same values in another place of the graph, or outside any. It owns no gradient.
    pub(crate) fn with_edge(&self, edge: Option<Edge>) -> Tensor {
        self.placed(edge, false)
    }

    /// The same values as a leaf, of whose gradient this is an owner that was counted before.
    pub(crate) fn with_leaf(&self, leaf: Arc<Leaf>) -> Tensor {
        self.placed(Some(Edge::Leaf(leaf)), true)
    }

    fn placed(&self, edge: Option<Edge>, is_owner: bool) -> Tensor {
        let View { storage, layout, .. } = &*self.0;
        Tensor(Counted::with(|| View { storage: storage.clone(), layout: layout.clone(), edge, is_owner }))
    }

    /// Puts a tensor that was just computed into its place in the graph.
    pub(crate) fn set_edge(&mut self, edge: Edge) {
        match self.0.get_mut() {
            Some(view) if !view.is_owner => (view.edge, view.is_owner) = (Some(edge), true),
            _ => *self = self.placed(Some(edge), true),
        }
    }

    /// Whether this handle and its clones own the gradient that is collected for them.
    pub(crate) fn is_owner(&self) -> bool {
        self.0.is_owner
    }

    /// Where a gradient of this tensor goes; `None` outside any graph.
    #[inline]
    pub(crate) fn edge(&self) -> Option<&Edge> {
        self.0.edge.as_ref()
    }

    #[inline]
    pub(crate) fn storage(&self) -> &Storage {
        &self.0.storage
    }

    #[inline]
    pub(crate) fn layout(&self) -> &Layout {
        &self.0.layout
    }

    /// The sizes of the dimensions.
    #[inline]
    pub fn shape(&self) -> &Shape {
        self.layout().shape()
    }

    /// The size of one dimension; negative counts from the end.
    #[track_caller]
    pub fn size(&self, dim: isize) -> Result<usize> {
        let dim = dim_index("size", dim, self.rank())?;
        self.shape().get(dim).copied().ok_or_else(|| {
            Error::new(ErrorKind::Index, "size", "a 0-d tensor has no dimension to ask the size of")
        })
    }

    /// The number of dimensions (PyTorch: `dim()`).
    #[inline]
    pub fn rank(&self) -> usize {
        self.layout().shape().len()
    }

    /// The number of elements.
    #[inline]
    pub fn numel(&self) -> usize {
        self.layout().numel()
    }

    /// The type of the numbers.
    #[inline]
    pub fn dtype(&self) -> DType {
        self.storage().dtype()
    }

    /// Distances between neighbours in each dimension, in elements.
    #[inline]
    pub fn strides(&self) -> &[usize] {
        self.layout().strides()
    }

    /// Whether the elements lie in row-major order without gaps.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        self.layout().is_contiguous()
    }

    /// Whether two tensors are views of the same memory.
    pub fn shares_memory_with(&self, other: &Tensor) -> bool {
        self.numel() > 0 && self.storage().address() == other.storage().address()
    }

    /// All the memory behind this tensor, as a strided view for kernels.
    #[track_caller]
    pub(crate) fn strided<T: Element>(&self) -> Result<Strided<'_, T>> {
        let data = self.memory::<T>()?;
        Ok(Strided { data, offset: self.layout().offset(), strides: self.layout().strides() })
    }

    /// All the memory behind this tensor, of which it shows a part.
    #[track_caller]
    #[inline]
    fn memory<T: Element>(&self) -> Result<&[T]> {
        match T::unwrap(self.storage()) {
            Some(buffer) => Ok(buffer),
            None => Err(self.other_dtype::<T>("data")),
        }
    }

    #[track_caller]
    #[inline]
    fn check_dtype<T: Element>(&self, operation: &str) -> Result<()> {
        if self.dtype() == T::DTYPE { Ok(()) } else { Err(self.other_dtype::<T>(operation)) }
    }

    #[cold]
    #[track_caller]
    fn other_dtype<T: Element>(&self, operation: &str) -> Error {
        let held = self.dtype();
        let message = format!("the tensor holds {held}, not {}: convert it with to_dtype", T::DTYPE);
        Error::new(ErrorKind::DType, operation, message)
    }

    /// The elements of a contiguous tensor in order, without a copy.
    ///
    /// # Errors
    /// When `T` is not the tensor's dtype, or the tensor is not contiguous (call
    /// [`contiguous`](Tensor::contiguous) first).
    #[track_caller]
    #[inline]
    pub fn as_slice<T: Element>(&self) -> Result<&[T]> {
        self.check_dtype::<T>("as_slice")?;
        let memory = self.memory::<T>()?;
        if !self.is_contiguous() {
            bail!(
                Shape,
                "as_slice",
                "a tensor of shape {} with strides {:?} is not contiguous: make it so with contiguous()",
                self.shape(),
                self.strides()
            );
        }
        Ok(&memory[self.layout().offset()..][..self.numel()])
    }

    /// The values in row-major order without gaps, to read: this tensor where it is so already, else a copy, which is not
    /// recorded.
    #[track_caller]
    #[inline]
    pub(crate) fn in_order(&self) -> Result<Cow<'_, Tensor>> {
        match self.is_contiguous() {
            true => Ok(Cow::Borrowed(self)),
            false => self.detach().contiguous().map(Cow::Owned),
        }
    }

    /// The elements in order, where they lie so and are of this type.
    #[inline]
    pub(crate) fn contiguous_elements<T: Element>(&self) -> Option<&[T]> {
        let memory = T::unwrap(self.storage())?;
        if self.is_contiguous() { memory.get(self.layout().offset()..)?.get(..self.numel()) } else { None }
    }

    /// The elements in row-major order, copied.
    ///
    /// # Errors
    /// When `T` is not the tensor's dtype.
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        self.check_dtype::<T>("to_vec")?;
        let ordered = self.in_order()?;
        let from = ordered.as_slice()?;
        let mut values = try_vec("to_vec", from.len())?;
        values.extend_from_slice(from);
        Ok(values)
    }

    /// The values in row-major order: without a copy where this is the only handle to memory that was taken
    /// over from a `Vec`, else copied.
    ///
    /// # Errors
    /// When `T` is not the tensor's dtype.
    #[track_caller]
    pub fn into_vec<T: Element>(mut self) -> Result<Vec<T>> {
        self.check_dtype::<T>("into_vec")?;
        let alone = self.is_contiguous() && self.layout().offset() == 0 && self.is_only_handle();
        if !alone {
            return self.to_vec();
        }
        let numel = self.numel();
        let storage = self.0.get_mut().and_then(|view| T::unwrap_mut(&mut view.storage)).cloned();
        drop(self);
        match storage.and_then(Shared::into_buffer) {
            Some(buffer) if buffer.len() == numel => buffer.into_vec().in_operation("into_vec"),
            Some(buffer) => {
                let mut values = try_vec("into_vec", numel)?;
                values.extend_from_slice(&buffer[..numel]);
                Ok(values)
            }
            None => bail!(DType, "into_vec", "the tensor does not hold {}", T::DTYPE),
        }
    }

    /// The value of a tensor with one element, as an `f64` (booleans as 0 and 1).
    ///
    /// # Errors
    /// When the tensor has more elements than one, or none.
    #[track_caller]
    pub fn item(&self) -> Result<f64> {
        use chainrule_kernels::Number;
        crate::dispatch!(self.dtype(), T => Ok(self.to_scalar::<T>()?.to_f64()))
    }

    /// The value of a tensor with one element, in its own type.
    ///
    /// # Errors
    /// When the tensor has more elements than one, or none, or another dtype.
    #[track_caller]
    pub fn to_scalar<T: Element>(&self) -> Result<T> {
        self.check_dtype::<T>("to_scalar")?;
        if self.numel() != 1 {
            bail!(Shape, "item", "a tensor of shape {} has {} elements, not one", self.shape(), self.numel());
        }
        Ok(self.memory::<T>()?[self.layout().offset()])
    }

    /// Mutable access to the elements, for the owner of the only handle; other handles, if there are any,
    /// keep the old values: the elements are copied first, and the copy is counted.
    #[track_caller]
    pub(crate) fn make_mut<T: Element>(&mut self) -> Result<&mut [T]> {
        if self.dtype() != T::DTYPE {
            bail!(DType, "update", "the tensor holds {}, not {}", self.dtype(), T::DTYPE);
        }
        if !self.is_updatable() {
            crate::cell::count_copy();
        }
        self.make_own()
    }

    /// As [`make_mut`](Tensor::make_mut), where the dtype is known and a copy is no cause for wonder.
    #[track_caller]
    pub(crate) fn make_own<T: Element>(&mut self) -> Result<&mut [T]> {
        if !self.is_updatable() {
            let old = self.detach().contiguous()?;
            let mut values = self.shape().allocate::<T>("update")?;
            values.copy_from_slice(old.as_slice::<T>()?);
            *self = Tensor::from_parts(values, self.shape().clone());
        }
        match self.get_mut() {
            Some(values) => Ok(values),
            None => bail!(Value, "update", "the memory is shared although it was just copied"),
        }
    }

    /// Mutable access to the elements where they are of this type and [can be changed](Tensor::is_updatable).
    #[inline]
    pub(crate) fn get_mut<T: Element>(&mut self) -> Option<&mut [T]> {
        let View { storage, layout, .. } = self.0.get_mut()?;
        if !layout.is_contiguous() || layout.offset() != 0 {
            return None;
        }
        T::unwrap_mut(storage)?.get_mut()?.get_mut(..layout.numel())
    }

    /// Whether the elements can be changed where they are: nobody else holds the memory, and it begins with them
    /// in order.
    pub(crate) fn is_updatable(&self) -> bool {
        self.is_only_handle() && self.is_contiguous() && self.layout().offset() == 0
    }

    /// Whether nobody else holds the memory.
    #[inline]
    pub(crate) fn is_only_handle(&self) -> bool {
        self.0.is_only_handle() && self.storage().is_only_handle()
    }
}
