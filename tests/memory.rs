//! Memory: flat over thousands of steps of a training loop, nothing asked of the system in the steady state. One
//! test in a process of its own, since the counters are the process's.

use chainrule::autograd::{Backward, Context, record};
use chainrule::memory::stats;
use chainrule::prelude::*;

/// Steps of each kind.
const STEPS: usize = 10_000;

/// The Fashion-MNIST network in its smallest size: two convolutions, each followed by ReLU and pooling, and two
/// linear layers.
#[derive(Module)]
struct SmallCnn {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    fc1: Linear,
    fc2: Linear,
}

impl SmallCnn {
    fn new() -> Result<Self> {
        Ok(SmallCnn {
            conv1: Conv2d::builder(1, 2, 3).padding(1).build()?,
            conv2: Conv2d::builder(2, 3, 3).padding(1).build()?,
            pool: MaxPool2d::new(2)?,
            fc1: Linear::new(3 * 2 * 2, 6)?,
            fc2: Linear::new(6, 3)?,
        })
    }
}

impl Forward for SmallCnn {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.pool.forward(&self.conv1.forward(x)?.relu()?)?;
        let x = self.pool.forward(&self.conv2.forward(&x)?.relu()?)?;
        self.fc2.forward(&self.fc1.forward(&x.flatten(1, -1)?)?.relu()?)
    }
}

/// Passes its input on; on the way back it fails.
struct Fails;

impl Backward for Fails {
    fn name(&self) -> &'static str {
        "fails"
    }
    fn backward(&self, _: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(Tensor::zeros([7])?)])
    }
}

fn resident_bytes() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split(' ').nth(1)?.parse::<usize>().ok().map(|pages| pages * 4096)
}

#[test]
fn memory_stays_flat() -> Result<()> {
    // Which thread keeps which small block is not the same from step to step; on one thread it is.
    set_num_threads(1);
    manual_seed(0);
    let model = SmallCnn::new()?;
    let dataset = TensorDataset::new((Tensor::rand([8, 1, 8, 8])?, Tensor::randint(0, 3, [8])?))?;
    let loader = DataLoader::new(&dataset).batch_size(2).shuffle(true);
    let criterion = CrossEntropyLoss::new();
    let mut optimizer = Adam::new(model.parameters(), AdamOptions { lr: 1e-3, ..Default::default() })?;
    let weight = model.parameters().swap_remove(0);

    type Step<'a> = &'a mut dyn FnMut(&Tensor, &Tensor) -> Result<()>;
    let mut train = |x: &Tensor, y: &Tensor| {
        optimizer.zero_grad();
        let loss = criterion.forward(&model.forward(x)?, y)?;
        loss.backward()?;
        optimizer.step()?;
        assert!(loss.item()?.is_finite());
        Ok(())
    };
    let mut build = |x: &Tensor, y: &Tensor| {
        let loss = criterion.forward(&model.forward(x)?, y)?;
        assert!(loss.requires_grad());
        Ok(())
    };
    let mut evaluate = |x: &Tensor, _: &Tensor| no_grad(|| model.forward(x)).map(drop);
    let mut fail = |x: &Tensor, y: &Tensor| {
        // The oldest node of the graph, so that the pass fails when all the others have been visited.
        let w = weight.tensor();
        let broken = record(Fails, &[&w], &[], w.detach())?;
        let loss = criterion.forward(&model.forward(x)?, y)?.add(&broken.sum()?)?;
        assert!(loss.backward().is_err());
        Ok(())
    };
    let kinds: [(&str, Step<'_>); 4] = [
        ("training steps", &mut train),
        ("graphs that are built and dropped", &mut build),
        ("forward passes without a graph", &mut evaluate),
        ("backward passes that fail", &mut fail),
    ];
    for (what, step) in kinds {
        let mut steps = |count: usize| -> Result<()> {
            for _ in 0..count / loader.len() {
                for batch in &loader {
                    let (x, y) = batch?;
                    step(&x, &y)?;
                }
            }
            Ok(())
        };
        steps(20)?;
        let (start, resident, copies) = (stats(), resident_bytes(), chainrule::copies_on_write());
        steps(STEPS)?;
        let end = stats();
        assert_eq!(end.in_use_bytes, start.in_use_bytes, "{what}: bytes in use");
        assert_eq!(end.system_allocations, start.system_allocations, "{what}: blocks asked of the system");
        assert_eq!(chainrule::copies_on_write(), copies, "{what}: copies on write");
        if let (Some(before), Some(after)) = (resident, resident_bytes()) {
            assert!(
                after < before + (8 << 20),
                "{what}: resident memory grew from {before} to {after} bytes"
            );
        }
    }
    Ok(())
}
