//! Gradients that touch a part of a tensor: what views and lookups hand back, in time and memory in proportion to it.

use chainrule::autograd::{self, GradOptions, grad};
use chainrule::{DType, ErrorKind, Parameter, Result, Tensor};

/// 0, 1, … in a shape, as a leaf: each element tells where it stands.
fn numbered(shape: &[usize]) -> Result<Tensor> {
    let count = shape.iter().product();
    Tensor::arange(count)?.reshape(shape)?.to_dtype(DType::F64)?.requires_grad_(true)
}

/// Adds up `Σ weight · view` over views of a numbered tensor, goes back, and compares the gradient with what the
/// elements say of where they come from. The weights are whole numbers, so that sums are exact.
fn check_views(x: &Tensor, views: Vec<Tensor>) -> Result<()> {
    let mut want = vec![0.0; x.numel()];
    let mut loss = Tensor::full([], 0.0, DType::F64)?;
    let mut next = 0;
    for view in views {
        let weights: Vec<f64> = (next..next + view.numel()).map(|i| 1.0 + (i * 7 % 11) as f64).collect();
        next += view.numel();
        let places = view.to_vec::<f64>()?;
        places.iter().zip(&weights).for_each(|(&place, weight)| want[place as usize] += weight);
        loss = loss.add(&view.mul(&Tensor::from_vec(weights, view.shape().to_vec())?)?.sum()?)?;
    }
    loss.backward()?;
    assert_eq!(x.grad().expect("a gradient").to_vec::<f64>()?, want);
    x.zero_grad();
    Ok(())
}

#[test]
fn gradients_of_views_come_to_where_the_views_came_from() -> Result<()> {
    let x = numbered(&[8, 6, 9])?;
    let all = |f: &dyn Fn(isize, isize) -> Result<Tensor>| -> Result<()> {
        let pairs = (0..8).flat_map(|i| (0..6).map(move |j| (i, j)));
        check_views(&x, pairs.map(|(i, j)| f(i, j)).collect::<Result<_>>()?)
    };
    all(&|i, _| x.select(0, i))?;
    all(&|_, j| x.select(1, j))?;
    all(&|i, j| x.select(0, i)?.select(0, j))?;
    all(&|i, j| x.select(1, j)?.select(0, i))?;
    all(&|i, j| x.transpose(0, 1)?.select(0, j)?.select(0, i))?;
    all(&|i, j| x.permute([2, 0, 1])?.narrow(1, i, 1)?.narrow(2, j, 1))?;
    all(&|i, j| x.unsqueeze(1)?.select(0, i)?.squeeze()?.select(1, j))?;
    all(&|i, j| x.narrow(0, 2, 6)?.narrow(2, 1, 7)?.select(0, i.min(5))?.select(0, j))?;
    all(&|i, j| x.reshape([48, 9])?.select(0, 6 * i + j))?;
    all(&|i, j| x.reshape([4, 2, 54])?.select(0, i / 2)?.select(1, j))?;
    all(&|i, j| x.reshape([16, 27])?.narrow(1, 20, 5)?.select(0, 2 * i + j % 2))?;
    all(&|i, _| x.flatten(0, -1)?.slice(0, 50 * i..50 * i + 7))?;
    all(&|i, j| x.select(0, i)?.diagonal(j - 2, 0, 1))?;
    all(&|i, j| x.select(2, i)?.diagonal(j, 0, 1)?.reshape([-1, 1]))?;
    all(&|i, j| x.diagonal(j, 0, 2)?.narrow(1, 0, i.min(8 - j.max(1)) as usize))?;
    all(&|i, j| Ok(x.unbind(0)?.swap_remove(i as usize).unbind(0)?.swap_remove(j as usize)))?;
    all(&|i, j| Ok(x.split(1, 0)?.swap_remove(i as usize).split(2, 2)?.swap_remove(j as usize / 2)))?;
    all(&|i, j| x.index_select(0, &Tensor::new([i as i64]))?.index_select(1, &Tensor::new([j as i64])))?;
    all(&|i, j| x.index_select(2, &Tensor::new([i as i64, j as i64, i as i64])))?;
    all(&|i, j| x.narrow(0, i / 2, 4)?.index_select(0, &Tensor::new([j as i64 / 2])))?;
    all(&|i, j| x.index_select(0, &Tensor::new([i as i64]))?.select(2, j))?;
    all(&|i, j| x.reshape([48, 9])?.index_select(0, &Tensor::new([6 * i as i64 + j as i64, 3])))?;
    all(&|i, j| x.gather(0, &Tensor::new([[[i as i64, j as i64, i as i64]]])))?;
    all(&|i, j| x.gather(2, &Tensor::new([[[i as i64, i as i64]], [[j as i64, 8]]])))?;
    // All in one sum, whole gradients among them, in both orders.
    let some = |i: isize| -> Result<Vec<Tensor>> {
        Ok(vec![x.select(0, i)?, x.select(1, i)?, x.index_select(0, &Tensor::new([i as i64, 1, i as i64]))?])
    };
    let views = || -> Result<Vec<Tensor>> {
        let mut views = vec![x.clone()];
        for i in 0..6 {
            views.extend(some(i)?);
            views.push(x.transpose(0, 2)?);
        }
        Ok(views)
    };
    check_views(&x, views()?)?;
    check_views(&x, views()?.into_iter().rev().collect())
}

#[test]
fn gradients_of_a_slice_for_each_index_are_not_each_as_large_as_the_tensor() -> Result<()> {
    // One whole gradient for each would be a million million numbers.
    let (n, width) = (150_000, 8);
    let x = Tensor::zeros([n, width])?.requires_grad_(true)?;
    let mut sums = Vec::with_capacity(n);
    for i in 0..n as isize {
        let row = if i % 2 == 0 { x.select(0, i)? } else { x.unsqueeze(0)?.transpose(0, 2)?.select(1, i)? };
        sums.push(row.reshape([width])?);
    }
    Tensor::cat(&sums, 0)?.sum()?.backward()?;
    assert!(x.grad().unwrap().to_vec::<f32>()?.iter().all(|&g| g == 1.0));
    Ok(())
}

#[test]
fn no_whole_gradient_is_made_where_nobody_asks_for_one() -> Result<()> {
    // A table of 2^42 rows, which are all the same memory. No gradient of its size could be.
    let row = Tensor::new([[1.0, 2.0]]);
    let table = Parameter::new(row.expand([1isize << 42, 2])?)?;
    let words = Tensor::new([1i64 << 41, 9, 7, 1 << 41]);
    for total in [1.0, 11.0] {
        let x = table.tensor();
        let rows =
            [x.narrow(0, 6, 2)?, x.narrow(0, 1 << 41, 1)?, x.narrow(0, 5, 1)?, x.narrow(0, 1 << 41, 1)?];
        let rows = [Tensor::cat(&rows, 0)?, words.embedding(&x, Some(9))?];
        Tensor::cat(&rows, 0)?.mul(if total == 1.0 { 1.0 } else { 10.0 })?.sum()?.backward()?;
        let gradient = table.row_gradient()?.expect("few rows");
        assert_eq!(gradient.rows().to_vec::<i64>()?, [5, 6, 7, 9, 1 << 41]);
        let want: Vec<f32> = [1.0, 1.0, 2.0, 0.0, 4.0].iter().flat_map(|count| [count * total; 2]).collect();
        assert_eq!(gradient.values().to_vec::<f32>()?, want);
    }
    let error = table.try_grad().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Memory, "{error}");
    assert!(table.row_gradient()?.is_some(), "a gradient that could not be put together stays as it was");
    // A pass that needs the whole of it fails, and leaves what there was.
    let x = table.tensor();
    let handle = x.register_hook(|_| Ok(None))?;
    let error = x.select(0, 3)?.sum()?.backward().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Memory, "{error}");
    assert_eq!(table.row_gradient()?.unwrap().rows().numel(), 5);
    handle.remove();
    table.zero_grad();
    assert!(table.row_gradient()?.is_none() && table.grad().is_none());
    Ok(())
}

/// A parameter of 100 rows, and what a lookup of some of them adds to its gradient.
fn table() -> Result<(Parameter, impl Fn(&Parameter, f64) -> Result<Tensor>)> {
    let table = Parameter::new(Tensor::full([100, 3], 0.5, DType::F64)?)?;
    let look_up = |table: &Parameter, factor: f64| {
        Tensor::new([4, 90, 4]).embedding(&table.tensor(), None)?.mul(factor)?.sum()
    };
    Ok((table, look_up))
}

/// A gradient of `all` everywhere and of more in the rows that [`table`] looks up.
fn gradient(all: f64, row_4: f64, row_90: f64) -> Vec<f64> {
    let mut want = vec![all; 300];
    want[12..15].fill(all + row_4);
    want[270..273].fill(all + row_90);
    want
}

#[test]
fn rows_and_whole_gradients_add_up_in_any_order() -> Result<()> {
    let (table, look_up) = table()?;
    let values = || table.try_grad().map(|grad| grad.unwrap().to_vec::<f64>().unwrap());
    for order in [[true, true, false], [true, false, true], [false, true, true]] {
        // In several passes ...
        for rows in order {
            match rows {
                true => look_up(&table, 3.0)?.backward()?,
                false => table.tensor().sum()?.backward()?,
            }
        }
        assert!(table.row_gradient()?.is_none(), "the whole gradient came, so that is what there is");
        assert_eq!(values()?, gradient(1.0, 12.0, 6.0));
        table.zero_grad();
        // ... and in one.
        let mut loss = Tensor::full([], 0.0, DType::F64)?;
        for rows in order {
            loss = loss.add(&if rows { look_up(&table, 3.0)? } else { table.tensor().sum()? })?;
        }
        loss.backward()?;
        assert_eq!(values()?, gradient(1.0, 12.0, 6.0));
        table.zero_grad();
    }
    // Whoever looks at the whole gradient in between changes nothing but its form.
    look_up(&table, 1.0)?.backward()?;
    let early = table.grad().unwrap();
    look_up(&table, 1.0)?.backward()?;
    assert_eq!(values()?, gradient(0.0, 4.0, 2.0));
    assert_eq!(early.to_vec::<f64>()?, gradient(0.0, 2.0, 1.0), "what was handed out stays as it was");
    Ok(())
}

#[test]
fn many_passes_over_the_same_rows_stay_few_rows() -> Result<()> {
    let (table, look_up) = table()?;
    for _ in 0..500 {
        look_up(&table, 1.0)?.backward()?;
    }
    let rows = table.row_gradient()?.expect("few rows");
    assert_eq!(rows.rows().to_vec::<i64>()?, [4, 90]);
    assert_eq!(rows.values().to_vec::<f64>()?, [[1000.0; 3], [500.0; 3]].concat());
    // Until other rows come.
    let others: Vec<i64> = (0..20).chain(0..20).collect();
    Tensor::from_vec(others, [40])?.embedding(&table.tensor(), None)?.sum()?.backward()?;
    assert!(table.row_gradient()?.is_none());
    let whole = table.grad().unwrap().to_vec::<f64>()?;
    assert_eq!((whole[12], whole[15], whole[270], whole[297]), (1002.0, 2.0, 500.0, 0.0));
    Ok(())
}

#[test]
fn whoever_sees_a_gradient_sees_a_whole_one() -> Result<()> {
    let (table, look_up) = table()?;
    // `grad` and retained gradients.
    let leaf = table.tensor();
    let y = leaf.mul(2.0)?;
    y.retain_grad()?;
    let loss = Tensor::new([4, 90, 4]).embedding(&y, None)?.sum()?;
    let keep = GradOptions { retain_graph: true, ..Default::default() };
    let gradients = grad(&[&loss], &[&leaf, &y], &[], keep)?;
    assert_eq!(gradients[0].as_ref().unwrap().to_vec::<f64>()?, gradient(0.0, 4.0, 2.0));
    assert_eq!(gradients[1].as_ref().unwrap().to_vec::<f64>()?, gradient(0.0, 2.0, 1.0));
    loss.backward()?;
    assert_eq!(y.grad().unwrap().to_vec::<f64>()?, gradient(0.0, 2.0, 1.0));
    // A hook.
    table.zero_grad();
    let handle = table.tensor().register_hook(|grad| grad.add(1.0).map(Some))?;
    look_up(&table, 1.0)?.backward()?;
    handle.remove();
    assert_eq!(table.grad().unwrap().to_vec::<f64>()?, gradient(1.0, 2.0, 1.0));
    // Gradients of gradients: those of a recorded pass are whole and in the graph, also on top of rows.
    table.zero_grad();
    look_up(&table, 1.0)?.backward()?;
    let x = Tensor::new([4, 90, 4]).embedding(&table.tensor(), None)?;
    GradOptions { create_graph: true, ..Default::default() }.backward(&x.square()?.sum()?, None)?;
    let first = table.grad().unwrap();
    assert_eq!(first.to_vec::<f64>()?, gradient(0.0, 4.0, 2.0));
    let second = grad(&[&first.sum()?], &[&table.tensor()], &[], GradOptions::default())?;
    assert_eq!(second[0].as_ref().unwrap().to_vec::<f64>()?, gradient(0.0, 4.0, 2.0));
    Ok(())
}

#[test]
fn anomaly_detection_sees_into_parts() -> Result<()> {
    let (table, _) = table()?;
    let _guard = autograd::detect_anomaly();
    let seed = Tensor::full([3], f64::NAN, DType::F64)?;
    let row = table.tensor().select(0, 4)?;
    let error = row.backward_with(&seed).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFinite, "{error}");
    let rows = Tensor::new([4]).embedding(&table.tensor(), None)?;
    let error = rows.backward_with(&seed.reshape([1, 3])?).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFinite, "{error}");
    assert!(table.grad().is_none());
    Ok(())
}

#[test]
fn a_gradient_of_rows_can_be_stored() -> Result<()> {
    use chainrule::autograd::RowGradient;
    let (table, look_up) = table()?;
    let values = |n: usize| Tensor::full([n, 3], 1.0, DType::F64);
    table.set_row_gradient(&RowGradient::new(&Tensor::new([90, 4, 90]), &values(3)?)?)?;
    look_up(&table, 1.0)?.backward()?;
    assert_eq!(table.grad().unwrap().to_vec::<f64>()?, gradient(0.0, 3.0, 3.0));
    for (rows, values, word) in [
        (Tensor::new([100]), values(1)?, "number 100"),
        (Tensor::new([1]), Tensor::full([1, 2], 1.0, DType::F64)?, "[1, 2]"),
        (Tensor::new([1]), Tensor::ones([1, 3])?, "float32"),
    ] {
        let error = table.set_row_gradient(&RowGradient::new(&rows, &values)?).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(RowGradient::new(&Tensor::new([-1]), &values(1)?).is_err());
    assert!(RowGradient::new(&Tensor::new([1, 2]), &values(1)?).is_err());
    assert!(RowGradient::new(&Tensor::new([1]), &Tensor::new([1])).is_err());
    assert_eq!(table.grad().unwrap().to_vec::<f64>()?, gradient(0.0, 3.0, 3.0), "nothing has changed");
    Ok(())
}

#[test]
fn rows_of_a_table_that_is_not_in_order_are_looked_up_as_any() -> Result<()> {
    let flat = numbered(&[40, 300])?;
    let index = Tensor::new([299, 4, 4, 0]);
    let rows = flat.t()?.index_select(0, &index)?;
    let want: Vec<f64> =
        [299, 4, 4, 0].iter().flat_map(|at| (0..40).map(move |i| (i * 300 + at) as f64)).collect();
    assert_eq!(rows.to_vec::<f64>()?, want);
    let columns = flat.t()?.index_select(1, &Tensor::new([39, 0]))?;
    assert_eq!(columns.slice(0, 1..2)?.to_vec::<f64>()?, [39.0 * 300.0 + 1.0, 1.0]);
    check_views(&flat, vec![rows, columns])
}
