//! Arrays of ndarray in and out (with the feature `ndarray`).

use chainrule_tensor::{DType, Tensor};
use ndarray::{Array1, Array2, Axis, Slice, array};

#[test]
fn an_array_in_standard_order_comes_in_and_goes_out() {
    let array = Array2::from_shape_fn((300, 200), |(i, j)| (i * 200 + j) as f64);
    let x = Tensor::from_ndarray(array.clone()).unwrap();
    assert_eq!((x.dtype(), &**x.shape()), (DType::F64, &[300, 200][..]));
    assert_eq!(x.as_ndarray::<f64>().unwrap(), array.view().into_dyn());
    assert_eq!(x.into_ndarray::<f64>().unwrap(), array.into_dyn());
}

#[test]
fn a_large_array_moves_in_and_out_without_a_copy() {
    let mut array = Array2::<f64>::zeros((3000, 2000));
    array[[2000, 17]] = 5.0;
    let place = array.as_ptr();
    let moved = Tensor::from_ndarray(array).unwrap();
    assert_eq!(moved.as_slice::<f64>().unwrap().as_ptr(), place);
    let back = moved.into_ndarray::<f64>().unwrap();
    assert_eq!(back.as_ptr(), place);
    assert_eq!((back.shape(), back[[2000, 17]]), (&[3000, 2000][..], 5.0));
}

#[test]
fn arrays_in_any_order_come_in_by_their_elements() {
    let array = array![[1i64, 2, 3], [4, 5, 6]];
    let transposed = Tensor::from_ndarray(array.t().to_owned()).unwrap();
    assert_eq!(transposed.to_vec::<i64>().unwrap(), [1, 4, 2, 5, 3, 6]);
    let mut columns = array.clone();
    columns.slice_axis_inplace(Axis(1), Slice::from(1..));
    let columns = Tensor::from_ndarray(columns).unwrap();
    assert_eq!((columns.to_vec::<i64>().unwrap(), &**columns.shape()), (vec![2, 3, 5, 6], &[2, 2][..]));
    // In standard order, but not from the beginning of its memory nor to its end.
    let mut middle = Array1::from_vec(vec![1.0f32, 2.0, 3.0, 4.0]);
    middle.slice_axis_inplace(Axis(0), Slice::from(1..3));
    assert_eq!(Tensor::from_ndarray(middle).unwrap().to_vec::<f32>().unwrap(), [2.0, 3.0]);
    let mut backwards = array;
    backwards.invert_axis(Axis(0));
    backwards.invert_axis(Axis(1));
    let backwards = Tensor::from_ndarray(backwards).unwrap();
    assert_eq!(backwards.to_vec::<i64>().unwrap(), [6, 5, 4, 3, 2, 1]);
    let empty = Tensor::from_ndarray(Array2::<bool>::default((0, 3))).unwrap();
    assert_eq!((empty.dtype(), &**empty.shape()), (DType::Bool, &[0, 3][..]));
}

#[test]
fn a_view_has_the_strides_of_the_tensor() {
    let x = Tensor::new([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let columns = x.slice(1, 1..).unwrap();
    let view = columns.as_ndarray::<f32>().unwrap();
    assert_eq!(view, array![[2.0f32, 3.0], [5.0, 6.0]].into_dyn());
    assert_eq!(view.strides(), [3, 1]);
    let row = Tensor::new([1.0, 2.0]).expand([3, 2]).unwrap();
    assert_eq!(row.as_ndarray::<f32>().unwrap(), array![[1.0f32, 2.0], [1.0, 2.0], [1.0, 2.0]].into_dyn());
    assert_eq!(x.select(0, 1).unwrap().into_ndarray::<f32>().unwrap(), array![4.0f32, 5.0, 6.0].into_dyn());
    assert_eq!(Tensor::zeros([2, 0]).unwrap().as_ndarray::<f32>().unwrap().shape(), [2, 0]);
}

#[test]
fn another_dtype_is_refused() {
    let x = Tensor::new([1, 2]);
    assert!(x.as_ndarray::<f32>().unwrap_err().to_string().contains("int64"));
    let error = x.into_ndarray::<f64>().unwrap_err();
    assert!(error.location().unwrap().file().ends_with("tests/ndarray.rs"), "{error}");
}
