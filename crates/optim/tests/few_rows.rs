//! What a step of an embedding costs: as much as the rows that a batch looks up, not as the table. One test in a process
//! of its own, since the counters of memory are the process's.

use chainrule_optim::{
    Adagrad, AdagradOptions, Algorithm, Optimizer, Sgd, SgdOptions, SparseAdam, SparseAdamOptions,
    clip_grad_norm_, clip_grad_value_,
};
use chainrule_tensor::memory::{reset_peak, stats};
use chainrule_tensor::{Parameter, Result, Tensor, copies_on_write};

const ROWS: usize = 400_000;
const WIDTH: usize = 64;

/// The most bytes that a step has taken beside what there was before.
fn peak<A: Algorithm>(optimizer: &mut Optimizer<A>, table: &Parameter, clip: bool) -> Result<usize> {
    let words = Tensor::new([[3, 399_999, 3, 70], [12_345, 0, 70, 200_000]]);
    let mut step = || -> Result<()> {
        for _ in 0..3 {
            let x = words.embedding(&table.tensor(), Some(0))?.select(1, -1)?.square()?;
            x.add(&words.embedding(&table.tensor(), None)?.square()?.sum()?)?.sum()?.backward()?;
        }
        if clip {
            clip_grad_norm_([table], 1.0)?;
            clip_grad_value_([table], 0.5)?;
        }
        assert_eq!(optimizer.step()?.updated, 1);
        optimizer.zero_grad();
        Ok(())
    };
    // The first makes the state.
    step()?;
    reset_peak();
    let (before, copies) = (stats().in_use_bytes, copies_on_write());
    step()?;
    assert_eq!(copies_on_write(), copies);
    Ok(stats().peak_bytes - before)
}

#[test]
fn a_step_takes_memory_for_the_rows_that_it_looks_up() -> Result<()> {
    let table = Parameter::new(Tensor::full([ROWS, WIDTH], 0.5, chainrule_tensor::DType::F32)?)?;
    let few = 256 << 10;
    let sgd = &mut Sgd::new([table.clone()], SgdOptions::default())?;
    let adagrad = &mut Adagrad::new([table.clone()], AdagradOptions::default())?;
    let sparse_adam = &mut SparseAdam::new([table.clone()], SparseAdamOptions::default())?;
    for taken in [peak(sgd, &table, false)?, peak(adagrad, &table, false)?, peak(sparse_adam, &table, false)?]
    {
        assert!(taken < few, "{taken} bytes for a few rows");
    }
    // A norm is added up in blocks of 128 KiB, of which each row is in one or two.
    let taken = peak(sgd, &table, true)?;
    assert!(taken < few + 7 * (128 << 10), "{taken} bytes to clip a few rows");
    // The whole gradient has a hundred megabytes.
    let momentum = &mut Sgd::new([table.clone()], SgdOptions { momentum: 0.9, ..Default::default() })?;
    let taken = peak(momentum, &table, false)?;
    assert!(taken > 4 * ROWS * WIDTH, "{taken} bytes where all rows move");
    Ok(())
}
