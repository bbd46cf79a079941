use chainrule::prelude::*;

fn predictions() -> Tensor {
    Tensor::new([[0.8, 0.5, 0.2, 0.5], [0.2, 0.9, 0.3, 0.2], [0.4, 0.3, 0.7, 0.1], [0.1, 0.2, 0.4, 0.8]])
}

fn one_hot() -> Tensor {
    Tensor::new([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
}

fn with(reduction: Reduction) -> CrossEntropyLoss {
    CrossEntropyLoss { reduction, ..Default::default() }
}

/// −Σ y·ln softmax(x), written out.
fn by_hand(pre: &Tensor, tgt: &Tensor) -> Result<Tensor> {
    Ok(-pre.softmax(-1)?.log()?.mul(tgt)?.sum_dim(-1, false)?)
}

#[test]
fn of_one_sample() -> Result<()> {
    let pre = Tensor::new([0.8, 0.5, 0.2, 0.5]);
    let tgt = Tensor::new([1.0, 0.0, 0.0, 0.0]);
    assert_eq!(CrossEntropyLoss::new().forward(&pre, &tgt)?.to_string(), "tensor(1.1087)");
    Ok(())
}

#[test]
fn by_reduction() -> Result<()> {
    // The tutorial's targets are integers in one-hot form; probabilities have the dtype of the predictions.
    for tgt in [one_hot(), Tensor::new([0, 1, 2, 3]).one_hot(4)?.to_dtype(DType::F32)?] {
        let loss = |reduction| Ok(with(reduction).forward(&predictions(), &tgt)?.to_string());
        assert_eq!(loss(Reduction::None)?, "tensor([1.1087, 0.9329, 1.0852, 0.9991])");
        assert_eq!(loss(Reduction::Mean)?, "tensor(1.0315)");
        assert_eq!(loss(Reduction::Sum)?, "tensor(4.1259)");
    }
    Ok::<(), Error>(())
}

#[test]
fn step_by_step() -> Result<()> {
    let pre = Tensor::new([0.8, 0.5, 0.2, 0.5]);
    let tgt = Tensor::new([1.0, 0.0, 0.0, 0.0]);
    let softmax = pre.softmax(-1)?;
    assert_eq!(softmax.to_string(), "tensor([0.3300, 0.2445, 0.1811, 0.2445])");
    let log = "tensor([-1.1087, -1.4087, -1.7087, -1.4087])";
    assert_eq!(softmax.log()?.to_string(), log);
    assert_eq!(pre.log_softmax(-1)?.to_string(), log);
    assert_eq!(by_hand(&pre, &tgt)?.to_string(), "tensor(1.1087)");
    Ok(())
}

#[test]
fn shapes_of_predictions_and_targets() {
    assert_eq!(predictions().shape(), &[4, 4]);
    assert_eq!(Tensor::new([0, 1, 2, 3]).shape(), &[4]);
    assert_eq!(one_hot().shape(), &[4, 4]);
}

#[test]
fn index_and_one_hot_targets_of_one_sample() -> Result<()> {
    let pre = predictions().select(0, 0)?;
    let index = Tensor::new([0, 1, 2, 3]).select(0, 0)?;
    let one_hot = one_hot().select(0, 0)?;
    assert_eq!(pre.to_string(), "tensor([0.8000, 0.5000, 0.2000, 0.5000])");
    assert_eq!(index.to_string(), "tensor(0)");
    assert_eq!(one_hot.to_string(), "tensor([1., 0., 0., 0.])");

    let loss_func = with(Reduction::None);
    let losses =
        [by_hand(&pre, &one_hot)?, loss_func.forward(&pre, &index)?, loss_func.forward(&pre, &one_hot)?];
    for loss in losses {
        assert_eq!(loss.to_string(), "tensor(1.1087)");
    }
    Ok(())
}

#[test]
fn index_and_one_hot_targets_of_a_batch() -> Result<()> {
    let pre = predictions().narrow(0, 0, 2)?;
    let index = Tensor::new([0, 1, 2, 3]).narrow(0, 0, 2)?;
    let one_hot = one_hot().narrow(0, 0, 2)?;
    assert_eq!(
        pre.to_string(),
        "tensor([[0.8000, 0.5000, 0.2000, 0.5000],\n        [0.2000, 0.9000, 0.3000, 0.2000]])"
    );
    assert_eq!(index.to_string(), "tensor([0, 1])");
    assert_eq!(one_hot.to_string(), "tensor([[1., 0., 0., 0.],\n        [0., 1., 0., 0.]])");

    let loss_func = with(Reduction::None);
    let losses =
        [by_hand(&pre, &one_hot)?, loss_func.forward(&pre, &index)?, loss_func.forward(&pre, &one_hot)?];
    for loss in losses {
        assert_eq!(loss.to_string(), "tensor([1.1087, 0.9329])");
    }
    Ok(())
}

#[test]
fn mean_loss_in_three_ways() -> Result<()> {
    let out = Tensor::new([[0.03, 0.12, 0.85], [0.01, 0.9, 0.09], [0.95, 0.01, 0.04], [0.09, 0.9, 0.01]]);
    let tgt = Tensor::new([2, 1, 1, 1]);
    let loss = |reduction| with(reduction).forward(&out, &tgt);
    let n = out.size(0)? as f64;
    let of_each = loss(Reduction::None)?.to_vec::<f32>()?;
    let means = [
        loss(Reduction::Mean)?.item()?,
        loss(Reduction::Sum)?.item()? / n,
        of_each.into_iter().map(f64::from).sum::<f64>() / n,
    ];
    for mean in means {
        assert_eq!(format!("{mean:.6}"), "0.853460");
    }
    Ok(())
}
