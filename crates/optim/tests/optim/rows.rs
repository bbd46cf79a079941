//! Steps by few rows give the bits of steps by whole gradients.

use chainrule_optim::*;
use chainrule_tensor::{DType, FloatElement, Parameter, Result, Tensor, set_num_threads};

const ROWS: usize = 3000;
const WIDTH: usize = 40;

/// Trains an embedding for a few steps; gives the table and, for each step, the norm of the gradient. With `whole` a
/// hook that does nothing has the whole gradient made.
fn train<A: Algorithm, T: FloatElement>(
    options: &A,
    whole: bool,
    clip: bool,
) -> Result<(Vec<T>, Vec<f64>, bool)> {
    let number = |i: usize| ((i * 7919 + 13) % 1009) as f64 / 500.0 - 1.0;
    let values = |n: usize, first: usize| {
        Tensor::from_vec((first..first + n).map(|i| T::of(number(i))).collect::<Vec<T>>(), [n])
    };
    let table = Parameter::new(values(ROWS * WIDTH, 0)?.reshape([ROWS, WIDTH])?)?;
    if whole {
        table.tensor().register_hook(|_| Ok(None))?;
    }
    let mut optimizer = Optimizer::new([table.clone()], options.clone())?;
    let (mut norms, mut by_rows) = (Vec::new(), true);
    for step in 0..6 {
        optimizer.zero_grad();
        for part in 0..3 {
            let words = (0..60)
                .map(|i| ((i * i * 31 + 17 * step + 900 * part) % 2999) as i64 % (700 + 400 * part as i64));
            let words = Tensor::from_vec(words.collect::<Vec<_>>(), [6, 10])?;
            let x = words.embedding(&table.tensor(), Some(5))?;
            let y = words.narrow(0, 0, 2)?.embedding(&table.tensor(), None)?;
            let weights = values(6 * 10 * WIDTH, 1000 * step + part)?.reshape([6, 10, WIDTH])?;
            let more = table.tensor().narrow(0, 100 * step as isize, 30)?.sum()?.mul(0.3)?;
            x.mul(&x)?.mul(&weights)?.sum()?.add(&y.sin()?.sum()?)?.add(&more)?.backward()?;
        }
        if clip {
            norms.push(clip_grad_norm_([&table], 3.0)?);
            clip_grad_value_([&table], 0.01)?;
        }
        by_rows &= table.row_gradient()?.is_some();
        optimizer.step()?;
        by_rows &= table.row_gradient()?.is_some();
    }
    let state = optimizer.state_dict()?;
    let mut bits = table.tensor().to_vec::<T>()?;
    for name in state.names().map(str::to_string).collect::<Vec<_>>() {
        let tensor = state.get(&name).unwrap();
        if tensor.dtype() == table.dtype() && tensor.numel() > 1 {
            bits.extend(tensor.to_vec::<T>()?);
        }
    }
    Ok((bits, norms, by_rows))
}

fn check<A: Algorithm>(options: A, rows_expected: bool) -> Result<()> {
    fn same<A: Algorithm, T: FloatElement>(options: &A, rows_expected: bool, clip: bool) -> Result<()> {
        set_num_threads(1);
        let (want, want_norms, by_rows) = train::<A, T>(options, true, clip)?;
        assert!(!by_rows);
        for threads in [1, 2, 4] {
            set_num_threads(threads);
            let (got, norms, by_rows) = train::<A, T>(options, false, clip)?;
            assert_eq!(by_rows, rows_expected, "{} goes by rows", A::NAME);
            assert!(got == want, "{} with {threads} threads, clipped: {clip}", A::NAME);
            assert_eq!(norms, want_norms, "{}", A::NAME);
        }
        Ok(())
    }
    for clip in [false, true] {
        same::<A, f32>(&options, rows_expected, clip)?;
        same::<A, f64>(&options, rows_expected, clip)?;
    }
    Ok(())
}

#[test]
fn optimizers_that_can_go_by_rows_do_with_the_same_bits() -> Result<()> {
    check(SgdOptions { lr: 0.1, ..Default::default() }, true)?;
    check(SgdOptions { lr: 0.1, maximize: true, ..Default::default() }, true)?;
    check(AdagradOptions { lr: 0.1, lr_decay: 0.1, ..Default::default() }, true)?;
    check(AdagradOptions { initial_accumulator_value: 0.5, maximize: true, ..Default::default() }, true)?;
    check(SparseAdamOptions { lr: 0.1, ..Default::default() }, true)
}

#[test]
fn optimizers_that_move_every_row_see_the_whole_gradient() -> Result<()> {
    check(SgdOptions { momentum: 0.9, ..Default::default() }, false)?;
    check(SgdOptions { weight_decay: 0.1, ..Default::default() }, false)?;
    check(AdagradOptions { weight_decay: 0.1, ..Default::default() }, false)?;
    check(AdamOptions::default(), false)?;
    check(RmsPropOptions::default(), false)
}

#[test]
fn rows_without_a_gradient_stay_and_others_are_updated_by_the_formula() -> Result<()> {
    let table = Parameter::new(Tensor::full([50, 2], 1.0, DType::F64)?)?;
    let mut optimizer =
        Adagrad::new([table.clone()], AdagradOptions { lr: 0.5, eps: 0.25, ..Default::default() })?;
    Tensor::new([7, 9, 7]).embedding(&table.tensor(), None)?.sum()?.backward()?;
    optimizer.step()?;
    let mut want = vec![1.0; 100];
    want[14..16].fill(1.0 - 0.5 * 2.0 / (2.0 + 0.25));
    want[18..20].fill(1.0 - 0.5 * 1.0 / (1.0 + 0.25));
    assert_eq!(table.tensor().to_vec::<f64>()?, want);
    Ok(())
}

#[test]
fn what_makes_a_nan_of_a_zero_is_done_to_every_row() -> Result<()> {
    // 0 / 0, as in PyTorch.
    let table = Parameter::new(Tensor::full([50, 2], 1.0, DType::F32)?)?;
    let look_up = || Tensor::new([7]).embedding(&table.tensor(), None)?.sum()?.backward();
    look_up()?;
    Adagrad::new([table.clone()], AdagradOptions { eps: 0.0, ..Default::default() })?.step()?;
    let values = table.tensor().to_vec::<f32>()?;
    assert!(values[0].is_nan() && values[14].is_finite());
    // A norm that is NaN makes all gradients NaN.
    table.set(&Tensor::full([50, 2], 1.0, DType::F32)?)?;
    table.zero_grad();
    look_up()?;
    Tensor::new([3]).embedding(&table.tensor(), None)?.mul(f64::NAN)?.sum()?.backward()?;
    assert!(clip_grad_norm_([&table], 1.0)?.is_nan());
    assert!(table.grad().unwrap().to_vec::<f32>()?.iter().all(|g| g.is_nan()));
    Ok(())
}

#[test]
fn norms_of_few_rows_are_those_of_whole_gradients() -> Result<()> {
    for (shape, rows) in [
        ([90_000, 1], vec![0, 63, 64, 40_000, 89_999]),
        ([2000, 100], vec![3, 4, 1999]),
        ([9, 30_000], vec![8]),
        ([33_000, 1], vec![32_900]),
    ] {
        for norm_type in [2.0, 1.0, 0.0, 0.5, 3.0, -1.5, f64::INFINITY, f64::NEG_INFINITY] {
            let table = Parameter::new(Tensor::zeros(shape)?)?;
            let options = ClipGradNormOptions { norm_type, ..Default::default() };
            let norm = || {
                table.zero_grad();
                let index = Tensor::from_vec(rows.clone(), [rows.len()])?;
                let x = table.tensor().index_select(0, &index)?;
                let weights = Tensor::arange(x.numel())?.add(1)?.to_dtype(DType::F32)?.sin()?;
                x.mul(&weights.reshape(x.shape())?)?.sum()?.backward()?;
                clip_grad_norm_with([&table], 1e30, options)
            };
            let of_rows = norm()?;
            assert!(table.row_gradient()?.is_some());
            table.tensor().register_hook(|_| Ok(None))?;
            let of_whole = norm()?;
            assert!(table.row_gradient()?.is_none());
            assert_eq!(of_rows.to_bits(), of_whole.to_bits(), "{shape:?} {rows:?} {norm_type}");
        }
    }
    Ok(())
}
