use chainrule::prelude::*;

use crate::seeded;

/// 90 points in the plane, in three classes: the class is the side of a triangle that a point is nearest to.
fn points() -> Result<(Tensor, Tensor)> {
    let targets = Tensor::randint(0, 3, [90])?;
    let centres = Tensor::new([[0.0, 2.0], [-2.0, -1.0], [2.0, -1.0]]);
    Ok((centres.index_select(0, &targets)? + Tensor::randn([90, 2])?, targets))
}

fn classifier() -> Result<Sequential> {
    Ok(sequential![Linear::new(2, 16)?, ReLU::new(), Linear::new(16, 3)?])
}

/// The first and the last loss of 60 steps on all points, and the model.
fn fit<A: Algorithm>(
    optimizer: impl FnOnce(Vec<Parameter>) -> Result<Optimizer<A>>,
    (inputs, targets): &(Tensor, Tensor),
) -> Result<(f64, f64, Sequential)> {
    let model = classifier()?;
    let mut optimizer = optimizer(model.parameters())?;
    let loss_fn = CrossEntropyLoss::new();
    let mut losses = Vec::new();
    for _ in 0..60 {
        let loss = loss_fn.forward(&model.forward(inputs)?, targets)?;
        losses.push(loss.item()?);
        optimizer.zero_grad();
        loss.backward()?;
        optimizer.step()?;
    }
    Ok((losses[0], losses[59], model))
}

#[test]
fn every_optimizer_learns() -> Result<()> {
    let _seeded = seeded(0);
    let data = points()?;
    let runs = [
        ("SGD", fit(|p| Sgd::new(p, SgdOptions { lr: 0.1, ..Default::default() }), &data)?),
        ("Adam", fit(|p| Adam::new(p, AdamOptions { lr: 1e-2, ..Default::default() }), &data)?),
        ("RMSprop", fit(|p| RmsProp::new(p, RmsPropOptions { lr: 1e-2, ..Default::default() }), &data)?),
    ];
    for (name, (first, last, model)) in runs {
        assert!(last < 0.6 * first, "{name}: the loss went from {first} to {last}");
        let accuracy = accuracy(&model.forward(&data.0)?, &data.1)?;
        assert!(accuracy > 0.8, "{name}: accuracy {accuracy}");
    }
    Ok(())
}

#[test]
fn a_step_of_sgd_is_lr_times_the_gradient() -> Result<()> {
    // loss = mean((w·x − y)²) with w = 0: the gradient is −2·mean(x·y) = −2·(1·3 + 2·5)/2 = −13.
    let w = Parameter::new(Tensor::new([[0.0]]))?;
    let mut optimizer = Sgd::new([w.clone()], SgdOptions { lr: 0.5, ..Default::default() })?;
    let (x, y) = (Tensor::new([[1.0], [2.0]]), Tensor::new([[3.0], [5.0]]));
    MSELoss::new().forward(&x.matmul(&w.tensor())?, &y)?.backward()?;
    optimizer.step()?;
    assert_eq!(w.tensor().item()?, 6.5);
    Ok(())
}

#[test]
fn epoch_loss_is_the_mean_over_the_dataset() -> Result<()> {
    let _seeded = seeded(0);
    let (inputs, targets) = points()?;
    let (model, criterion) = (classifier()?, CrossEntropyLoss::new());
    let dataset = TensorDataset::new((inputs.clone(), targets.clone()))?;
    let (mut running_loss, mut running_mean, mut batches) = (0.0, RunningMean::new(), 0.0);
    // 90 samples: the last batch has 26.
    let loader = DataLoader::new(&dataset).batch_size(64).shuffle(true);
    for batch in &loader {
        let (inputs, targets) = batch?;
        let loss = criterion.forward(&model.forward(&inputs)?, &targets)?;
        running_loss += loss.item()? * inputs.size(0)? as f64;
        running_mean.update(loss.item()?, inputs.size(0)?);
        batches += loss.item()?;
    }
    let epoch_loss = running_loss / dataset.len() as f64;
    let all_at_once = criterion.forward(&model.forward(&inputs)?, &targets)?.item()?;
    assert!((epoch_loss - all_at_once).abs() < 1e-6, "{epoch_loss} {all_at_once}");
    assert_eq!(running_mean.mean(), epoch_loss);
    // What the batch sizes are for: without them the number is another.
    let unweighted = batches / loader.len() as f64;
    assert!((unweighted - all_at_once).abs() > 1e-4, "{unweighted} {all_at_once}");
    Ok(())
}

#[test]
fn a_state_dict_brings_the_predictions_back() -> Result<()> {
    let _seeded = seeded(0);
    let data = points()?;
    let (_, _, model) = fit(|p| Adam::new(p, AdamOptions::default()), &data)?;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("model.safetensors");
    model.state_dict()?.save(&file)?;

    let other = classifier()?;
    let predictions = |model: &Sequential| model.forward(&data.0)?.to_vec::<f32>();
    assert_ne!(predictions(&other)?, predictions(&model)?);
    other.load_state_dict(&StateDict::load(&file)?)?;
    assert_eq!(predictions(&other)?, predictions(&model)?);
    Ok(())
}

#[test]
fn best_weights_are_those_of_the_best_epoch() -> Result<()> {
    let _seeded = seeded(0);
    let (inputs, targets) = points()?;
    let (model, criterion) = (classifier()?, CrossEntropyLoss::new());
    // A learning rate so high that the loss goes up again and again.
    let mut optimizer = Sgd::new(model.parameters(), SgdOptions { lr: 4.0, ..Default::default() })?;
    let loss_now = || no_grad(|| criterion.forward(&model.forward(&inputs)?, &targets)?.item());
    let (mut best, mut losses) = (BestWeights::lowest(), Vec::new());
    for _ in 0..10 {
        optimizer.zero_grad();
        criterion.forward(&model.forward(&inputs)?, &targets)?.backward()?;
        optimizer.step()?;
        losses.push(loss_now()?);
        best.update(&model, losses[losses.len() - 1])?;
    }
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_ne!(
        losses.last(),
        Some(&lowest),
        "the last epoch must not be the best for this test to mean anything"
    );
    best.restore(&model)?;
    assert_eq!((best.value(), loss_now()?), (Some(lowest), lowest));
    Ok(())
}
