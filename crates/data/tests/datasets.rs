//! Datasets without a loader: batches, and what is refused.

use chainrule_data::{Dataset, Subset, TensorDataset, collate, random_split};
use chainrule_tensor::{ErrorKind, Tensor};

fn message<T>(result: chainrule_tensor::Result<T>) -> String {
    result.err().expect("an error").message().to_string()
}

#[test]
fn batches_have_the_arrangement_of_the_dataset() {
    let x = || Tensor::from_vec((0..12).map(f64::from).collect(), [4, 3]).unwrap();
    let flags = || Tensor::new([true, false, false, true]);

    let single = TensorDataset::new(x()).unwrap();
    assert_eq!(single.get_batch(&[3, 1, 3]).unwrap().shape(), &[3, 3]);
    assert_eq!(single.get_batch(&[3, 1]).unwrap().to_vec::<f64>().unwrap(), [9.0, 10.0, 11.0, 3.0, 4.0, 5.0]);

    let (a, b, c, d) = TensorDataset::new((x(), flags(), x(), flags())).unwrap().get_batch(&[0, 1]).unwrap();
    assert_eq!(a.to_vec::<f64>().unwrap(), c.to_vec::<f64>().unwrap());
    assert_eq!(b.to_vec::<bool>().unwrap(), [true, false]);
    assert_eq!(d.to_vec::<bool>().unwrap(), [true, false]);

    let many = TensorDataset::new(vec![x(), flags()]).unwrap();
    assert_eq!(many.len(), 4);
    assert_eq!(many.get_batch(&[2]).unwrap()[1].to_vec::<bool>().unwrap(), [false]);
}

#[test]
fn rows_of_strided_and_empty_tensors() {
    let columns = Tensor::new([[1, 2, 3], [4, 5, 6]]).t().unwrap();
    assert!(!columns.is_contiguous());
    let dataset = TensorDataset::new(columns).unwrap();
    assert_eq!(dataset.get_batch(&[2, 0]).unwrap().to_vec::<i64>().unwrap(), [3, 6, 1, 4]);

    let hollow = TensorDataset::new(Tensor::zeros([3, 0, 2]).unwrap()).unwrap();
    assert_eq!(hollow.get_batch(&[1, 1]).unwrap().shape(), &[2, 0, 2]);
    let none = TensorDataset::new(Tensor::zeros([0, 5]).unwrap()).unwrap();
    assert!(none.is_empty());
    assert_eq!(none.get_batch(&[]).unwrap().shape(), &[0, 5]);
}

/// Large enough to be cut into several tasks, with a last one that is not full.
#[test]
fn large_batches_are_copied_whole() {
    let row = 1000;
    let x = Tensor::from_vec((0..500 * row as i64).collect(), [500, row]).unwrap();
    let indices: Vec<usize> = (0..437).map(|i| i * 7919 % 500).collect();
    let batch = TensorDataset::new(x).unwrap().get_batch(&indices).unwrap();
    let want: Vec<i64> = indices.iter().flat_map(|&i| (i * row) as i64..((i + 1) * row) as i64).collect();
    assert_eq!(batch.to_vec::<i64>().unwrap(), want);
}

#[test]
fn tensors_that_do_not_fit_together_are_refused() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape).unwrap();
    let said = message(TensorDataset::new((zeros(&[3, 2]), zeros(&[4]))));
    assert!(said.contains("[3, 2]") && said.contains("[4]"), "{said}");
    assert!(message(TensorDataset::new(zeros(&[]))).contains("shape []"));
    assert!(message(TensorDataset::new(Vec::new())).contains("at least one"));

    let tracked = zeros(&[3]).requires_grad_(true).unwrap();
    let error = TensorDataset::new(tracked).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Graph);
    assert_eq!(error.location().unwrap().file(), file!());
}

#[test]
fn indices_out_of_range_are_refused() {
    let dataset = TensorDataset::new(Tensor::arange(5).unwrap()).unwrap();
    assert!(message(dataset.get_batch(&[4, 5])).contains("sample 5 is out of range: there are 5"));
    assert!(message(Subset::new(&dataset, [1, 9])).contains("sample 9"));
    let part = Subset::new(&dataset, [3, 1]).unwrap();
    assert_eq!(part.get_batch(&[1, 0]).unwrap().to_vec::<i64>().unwrap(), [1, 3]);
    assert!(message(part.get_batch(&[2])).contains("sample 2"));
    assert!(message(random_split(&dataset, [3, 3])).contains("[3, 3]"));
    assert!(message(random_split(&dataset, [usize::MAX, 6])).contains("do not add up"));
}

#[test]
fn samples_that_differ_are_named() {
    let said = message(collate(&[5, 8], |i| Tensor::zeros([i, 2])));
    assert!(said.contains("sample 5") && said.contains("[5, 2]"), "{said}");
    assert!(said.contains("sample 8") && said.contains("[8, 2]"), "{said}");
    let said = message(collate(&[5, 8], |i| Ok(if i == 5 { Tensor::new([1.0]) } else { Tensor::new([1]) })));
    assert!(said.contains("float32") && said.contains("int64"), "{said}");
    let said = message(collate(&[5, 8], |i| Ok(vec![Tensor::new(1); i])));
    assert!(said.contains("sample 5 has 5 tensors, sample 8 has 8"), "{said}");
    let said = message(collate(&[5, 8], |i| {
        Tensor::from_vec(vec![0.0f32; 5], [i]) // five values fill a shape of [5] only
    }));
    assert!(said.starts_with("sample 8: "), "{said}");
    assert!(message(collate(&[], |_| Tensor::zeros([1]))).contains("at least one sample"));
}

#[test]
fn samples_are_stacked() {
    let (x, y) =
        collate(&[2, 7], |i| Ok((Tensor::full_of([2, 2], i as f64)?, Tensor::new(i as i64)))).unwrap();
    assert_eq!(x.shape(), &[2, 2, 2]);
    assert_eq!(x.to_vec::<f64>().unwrap(), [2.0, 2.0, 2.0, 2.0, 7.0, 7.0, 7.0, 7.0]);
    assert_eq!((y.shape().to_vec(), y.to_vec::<i64>().unwrap()), (vec![2], vec![2, 7]));
}
