//! Making tensors from numbers.

use chainrule_kernels::Buffer;

use crate::literal::Literal;
use crate::{DType, Element, Result, Shape, Tensor, bail, dispatch};

impl Tensor {
    /// A tensor of numbers written out, with the dtypes that PyTorch's `torch.tensor` gives to Python
    /// numbers: `f32` for floating-point numbers (whether they are `f64` or `f32` in Rust), `i64` for
    /// integers, `bool` for booleans. To keep `f64`, use [`Tensor::from_vec`].
    ///
    /// Numbers may stand alone, or in arrays, `Vec`s and slices of any depth.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, DType};
    /// let x = Tensor::new([[0.8, 0.2], [0.9, 0.1]]);
    /// assert_eq!(x.shape(), &[2, 2]);
    /// assert_eq!(x.dtype(), DType::F32);
    /// assert_eq!(Tensor::new([1, 2, 3]).dtype(), DType::I64);
    /// assert_eq!(Tensor::new(1.5).rank(), 0);
    /// assert_eq!(Tensor::new(vec![vec![1.0, 2.0], vec![3.0, 4.0]]).shape(), &[2, 2]);
    /// ```
    ///
    /// # Panics
    /// When `Vec`s or slices within others differ in length. Where they come from elsewhere than the program's text,
    /// [`Tensor::try_new`] gives an error with the same words.
    #[track_caller]
    pub fn new<L: Literal>(numbers: L) -> Tensor {
        match Tensor::try_new(numbers) {
            Ok(tensor) => tensor,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`Tensor::new`], with an error instead of a panic.
    ///
    /// ```
    /// # use chainrule_tensor::Tensor;
    /// let ragged = Tensor::try_new(vec![vec![1.0, 2.0], vec![3.0]]);
    /// assert!(ragged.unwrap_err().to_string().contains("shape [1]"));
    /// ```
    ///
    /// # Errors
    /// When `Vec`s or slices within others differ in length, and for a `usize` beyond `i64`.
    #[track_caller]
    pub fn try_new<L: Literal>(numbers: L) -> Result<Tensor> {
        let shape = match numbers.shape() {
            Ok(shape) => shape,
            Err(what) => bail!(Shape, "Tensor::new", "{what}"),
        };
        let mut values = Vec::with_capacity(shape.numel());
        numbers.write(&mut values);
        Ok(Tensor::from_parts(Buffer::from_vec(values), shape))
    }

    /// A tensor of a vector's values in row-major order, in the vector's own type.
    ///
    /// More than 32 MiB are taken over as they are; less is copied, unless it happens to begin at a line of the cache as
    /// the kernels like it.
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, DType, Result};
    /// # fn main() -> Result<()> {
    /// let x = Tensor::from_vec(vec![1.0, 2.0, 3.0, 4.0], [2, 2])?;
    /// assert_eq!(x.dtype(), DType::F64);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the number of values is not that of the shape.
    #[track_caller]
    pub fn from_vec<T: Element>(values: Vec<T>, shape: impl Into<Shape>) -> Result<Tensor> {
        let shape = shape.into();
        if values.len() != shape.checked_numel("from_vec")? {
            bail!(Shape, "from_vec", "{} values do not fill the shape {shape}", values.len());
        }
        Ok(Tensor::from_parts(Buffer::from_vec(values), shape))
    }

    /// A tensor of a slice's values in row-major order, copied.
    ///
    /// # Errors
    /// When the number of values is not that of the shape.
    #[track_caller]
    pub fn from_slice<T: Element>(values: &[T], shape: impl Into<Shape>) -> Result<Tensor> {
        let shape = shape.into();
        if values.len() != shape.checked_numel("from_slice")? {
            bail!(Shape, "from_slice", "{} values do not fill the shape {shape}", values.len());
        }
        Tensor::build_for("from_slice", shape, |out: &mut [T]| out.copy_from_slice(values))
    }

    /// A tensor of one value, in the value's own type.
    #[track_caller]
    pub fn full_of<T: Element>(shape: impl Into<Shape>, value: T) -> Result<Tensor> {
        Tensor::build_for("full", shape, |out: &mut [T]| out.fill(value))
    }

    /// A tensor of one value, in the given dtype (PyTorch: `torch.full`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, DType, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::full([2], 7.0, DType::I64)?.to_vec::<i64>()?, [7, 7]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn full(shape: impl Into<Shape>, value: f64, dtype: DType) -> Result<Tensor> {
        use chainrule_kernels::Number;
        dispatch!(dtype, T => Tensor::full_of(shape, T::from_f64(value)))
    }

    /// `f32` zeros (PyTorch: `torch.zeros`).
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>) -> Result<Tensor> {
        Tensor::build_for("zeros", shape, |out: &mut [f32]| out.fill(0.0))
    }

    /// `f32` ones (PyTorch: `torch.ones`).
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>) -> Result<Tensor> {
        Tensor::build_for("ones", shape, |out: &mut [f32]| out.fill(1.0))
    }

    /// Zeros in the shape and dtype of another tensor.
    #[track_caller]
    pub fn zeros_like(other: &Tensor) -> Result<Tensor> {
        Tensor::full(other.shape(), 0.0, other.dtype())
    }

    /// Ones in the shape and dtype of another tensor.
    #[track_caller]
    pub fn ones_like(other: &Tensor) -> Result<Tensor> {
        Tensor::full(other.shape(), 1.0, other.dtype())
    }

    /// The integers 0, 1, …, end − 1 as `i64` (PyTorch: `torch.arange`).
    ///
    /// ```
    /// # use chainrule_tensor::{Tensor, Result};
    /// # fn main() -> Result<()> {
    /// assert_eq!(Tensor::arange(3)?.to_vec::<i64>()?, [0, 1, 2]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn arange(end: usize) -> Result<Tensor> {
        Tensor::build_for("arange", [end], |out: &mut [i64]| {
            out.iter_mut().zip(0..).for_each(|(place, i)| *place = i);
        })
    }

    /// The identity matrix of `n` rows, in `f32` (PyTorch: `torch.eye`).
    #[track_caller]
    pub fn eye(n: usize) -> Result<Tensor> {
        Tensor::build_for("eye", [n, n], |out: &mut [f32]| {
            out.fill(0.0);
            (0..n).for_each(|i| out[i * n + i] = 1.0);
        })
    }
}
