//! What the prelude brings in, and what it leaves to the user's own names.

/// Names that a program may well have itself. Two globs that both have a name make its use ambiguous: this file does
/// not compile where the prelude has one of them.
mod own {
    pub(crate) mod table {
        pub(crate) const OWN: bool = true;
    }
    pub(crate) use table as algorithm;
    pub(crate) use table as elementwise;
    pub(crate) use table as layers;
    pub(crate) use table as losses;
    pub(crate) use table as memory;
    pub(crate) use table as nn;
    pub(crate) use table as optim;
    pub(crate) use table as prelude;
    pub(crate) use table as random;
    pub(crate) use table as scheduler;
    pub(crate) struct Element;
    pub(crate) struct Field;
    pub(crate) struct Operand;
    pub(crate) struct Row;
    pub(crate) struct Scalar;
    pub(crate) struct Update;
    pub(crate) struct Visitor;
}

use chainrule::prelude::*;
use own::*;

#[test]
fn the_prelude_has_no_internal_names() {
    let modules = [
        algorithm::OWN,
        elementwise::OWN,
        layers::OWN,
        losses::OWN,
        memory::OWN,
        nn::OWN,
        optim::OWN,
        prelude::OWN,
        random::OWN,
        scheduler::OWN,
        table::OWN,
    ];
    assert_eq!(modules, [true; 11]);
    let _types = (Element, Field, Operand, Row, Scalar, Update, Visitor);
}

/// A module with everything that one can hold, by the names of the prelude alone.
#[derive(Module)]
struct Model {
    body: Sequential,
    scale: Parameter,
    calls: Buffer,
    mode: Training,
}

impl Forward for Model {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.body.forward(x)?.mul(&self.scale.tensor())
    }
}

#[test]
fn the_prelude_is_enough_for_a_training_program() -> Result<()> {
    manual_seed(0);
    let model = Model {
        body: sequential![Linear::new(3, 4)?, Tanh::new(), Linear::new(4, 1)?],
        scale: Parameter::new(Tensor::new(0.5))?,
        calls: Buffer::new(&Tensor::new(0)),
        mode: Training::new(),
    };
    let data = TensorDataset::new((Tensor::randn([20, 3])?, Tensor::randn([20, 1])?))?;
    let [train, _rest] = random_split(&data, [16, 4])?;
    let groups = [ParamGroup::new(model.parameters(), AdamOptions::default())];
    let mut optimizer: Optimizer<AdamOptions> = Adam::with_groups(groups)?;
    let mut scheduler = StepLR::new(&mut optimizer, 1, 0.5)?;
    let mut losses = Vec::new();
    for _ in 0..2 {
        let mut mean = RunningMean::new();
        for batch in &DataLoader::new(&train).batch_size(8).shuffle(true) {
            let (x, y) = batch?;
            optimizer.zero_grad();
            let loss = mse_loss(
                &model.forward(&x)?,
                &y,
                &MSELoss { reduction: Reduction::Mean, ..Default::default() },
            )?;
            loss.backward()?;
            clip_grad_norm_(model.parameters(), 1.0)?;
            let report: StepReport = optimizer.step()?;
            assert_eq!(report.updated, 5);
            mean.update(loss.item()?, x.size(0)?);
        }
        scheduler.step(&mut optimizer)?;
        losses.push(mean.mean());
    }
    assert!(losses[1] < losses[0], "{losses:?}");
    assert_eq!(optimizer.lr(0).unwrap(), 0.25e-3);
    assert!(model.mode.get() && model.calls.tensor().item()? == 0.0);
    Ok(())
}
