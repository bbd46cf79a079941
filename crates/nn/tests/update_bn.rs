//! Running statistics found anew, against those of the data in `f64`.

use chainrule_nn::{BatchNorm2d, Dropout, Forward, Module, ReLU, Sequential, sequential, update_bn};
use chainrule_tensor::{DType, Error, ErrorKind, Result, Tensor, bail};

/// Batches `[N, 2, 2, 3]` of different sizes.
fn batches(dtype: DType) -> Vec<Tensor> {
    let values =
        |seed: usize, n: usize| (0..n).map(move |i| ((i * i + 7 * i + seed) % 23) as f64 / 3.0 - 2.0);
    let batch = |(seed, n)| Tensor::from_vec(values(seed, 12 * n).collect(), [n, 2, 2, 3]);
    [(1, 3), (2, 5), (5, 2)].map(|size| batch(size).unwrap().to_dtype(dtype).unwrap()).into()
}

/// Mean and unbiased variance of each of the two channels, averaged over batches.
fn expected(batches: &[Tensor]) -> [Vec<f64>; 2] {
    let statistics = |batch: &Tensor, channel: usize| {
        let values = batch.to_dtype(DType::F64).unwrap().to_vec::<f64>().unwrap();
        let own: Vec<f64> = values.chunks(6).skip(channel).step_by(2).flatten().copied().collect();
        let n = own.len() as f64;
        let mean = own.iter().sum::<f64>() / n;
        (mean, own.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0))
    };
    let average = |of: &dyn Fn(&Tensor) -> f64| batches.iter().map(of).sum::<f64>() / batches.len() as f64;
    let channels = [0, 1];
    [
        channels.map(|channel| average(&|batch| statistics(batch, channel).0)).to_vec(),
        channels.map(|channel| average(&|batch| statistics(batch, channel).1)).to_vec(),
    ]
}

/// Running mean, running variance and count.
fn statistics(norm: &BatchNorm2d) -> (Vec<f64>, Vec<f64>, f64) {
    let [mean, var, count] =
        [&norm.running_mean, &norm.running_var, &norm.num_batches_tracked].map(|buffer| {
            buffer.as_ref().unwrap().tensor().to_dtype(DType::F64).unwrap().to_vec::<f64>().unwrap()
        });
    (mean, var, count[0])
}

fn assert_close(got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    assert!(
        got.iter().zip(want).all(|(g, w)| (g - w).abs() <= tolerance * w.abs().max(1.0)),
        "{got:?} {want:?}"
    );
}

#[test]
fn statistics_are_averages_over_all_batches_whatever_the_momentum() -> Result<()> {
    for (dtype, tolerance) in [(DType::F64, 1e-14), (DType::F32, 1e-6)] {
        let batches = batches(dtype);
        let [mean, var] = expected(&batches);
        for momentum in [Some(0.1), Some(0.0), None] {
            let norm = BatchNorm2d::builder(2).momentum(momentum).dtype(dtype).build()?;
            // What was there before does not count, and the mode comes back.
            norm.forward(&batches[0].add(100.0)?)?;
            norm.eval();
            update_bn(&norm, &batches, |x| norm.forward(x))?;
            let (got_mean, got_var, count) = statistics(&norm);
            assert_close(&got_mean, &mean, tolerance);
            assert_close(&got_var, &var, tolerance);
            assert_eq!(count, 3.0);
            let before = statistics(&norm);
            norm.forward(&batches[0])?;
            assert_eq!(statistics(&norm), before, "still in training mode");
            // Its momentum is its own again.
            norm.train();
            norm.forward(&batches[0])?;
            let [first, _] = expected(&batches[..1]);
            let m = momentum.unwrap_or(0.25);
            let want: Vec<f64> = mean.iter().zip(first).map(|(old, new)| (1.0 - m) * old + m * new).collect();
            assert_close(&statistics(&norm).0, &want, 2.0 * tolerance);
        }
    }
    Ok(())
}

/// What `torch.optim.swa_utils.update_bn` gives for the same batches.
#[test]
fn they_are_pytorchs() -> Result<()> {
    let [mean, var] = [[1.6277777777777782, 1.9543209876543208], [5.485886473479441, 2.731600734260189]];
    let norm = BatchNorm2d::builder(2).dtype(DType::F64).build()?;
    update_bn(&norm, batches(DType::F64), |x| norm.forward(&x))?;
    let got = statistics(&norm);
    assert_close(&got.0, &mean, 1e-14);
    assert_close(&got.1, &var, 1e-14);
    assert_eq!(got.2, 3.0);
    Ok(())
}

/// A model of two layers of which the second sees what the first makes of a batch.
fn model() -> Result<Sequential> {
    Ok(sequential![BatchNorm2d::new(2)?, ReLU::new(), Dropout::new(0.5)?, BatchNorm2d::new(2)?])
}

#[test]
fn every_layer_is_found_and_gets_its_own_mode_back() -> Result<()> {
    let (norm, dropout) = (BatchNorm2d::new(2)?, Dropout::new(0.5)?);
    norm.eval();
    #[derive(Module)]
    struct Two {
        norm: BatchNorm2d,
        dropout: Dropout,
    }
    let model = Two { norm, dropout };
    let batches = batches(DType::F32);
    update_bn(&model, &batches, |x| {
        let y = model.norm.forward(x)?;
        assert!(!y.requires_grad(), "no gradients are recorded");
        model.dropout.forward(&y)
    })?;
    let before = statistics(&model.norm);
    assert_close(&before.0, &expected(&batches)[0], 1e-6);
    model.norm.forward(&batches[0])?;
    assert_eq!(statistics(&model.norm), before, "the norm was in evaluation mode");
    let ones = Tensor::full([1000], 1.0, DType::F32)?;
    assert_ne!(model.dropout.forward(&ones)?.to_vec::<f32>()?, ones.to_vec::<f32>()?, "and dropout was not");
    Ok(())
}

#[test]
fn a_failure_leaves_the_statistics_as_they_were() -> Result<()> {
    let model = model()?;
    let batches = batches(DType::F32);
    model.forward(&batches[0])?;
    let state = |model: &Sequential| -> Result<Vec<Vec<f64>>> {
        model.named_buffers().iter().map(|(_, b)| b.tensor().to_dtype(DType::F64)?.to_vec::<f64>()).collect()
    };
    let before = state(&model)?;
    let mut seen = 0;
    let failure: Result<(), Error> = update_bn(&model, &batches, |x| {
        seen += 1;
        if seen == 2 {
            bail!(Value, "test", "the second batch is bad");
        }
        model.forward(x)
    });
    assert!(failure.unwrap_err().to_string().contains("second batch"));
    assert_eq!(state(&model)?, before);
    let nothing = update_bn(&model, &batches[..0], |x| model.forward(x));
    assert_eq!(nothing.unwrap_err().kind(), ErrorKind::Value);
    assert_eq!(state(&model)?, before);
    Ok(())
}

#[test]
fn a_model_without_statistics_is_not_run() -> Result<()> {
    let norm = BatchNorm2d::builder(2).track_running_stats(false).build()?;
    update_bn(&norm, &batches(DType::F32), |_| -> Result<()> { panic!("it is run") })
}
