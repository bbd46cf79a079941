//! A run that was interrupted in the middle of an epoch and goes on from files in another process gives the same bits:
//! weights, optimizer, scheduler, random numbers (dropout, shuffles) and the place within the epoch.

use std::path::Path;

use chainrule::data::{DataLoaderIter, DataLoaderState};
use chainrule::nn::sequential;
use chainrule::optim::scheduler::CosineAnnealingLR;
use chainrule::prelude::*;
use chainrule::random::{Generator, GeneratorState, default_state, set_default_state, with_generator};

const EPOCHS: usize = 3;

type Samples = TensorDataset<(Tensor, Tensor)>;

struct Run {
    model: Sequential,
    optimizer: Adam,
    scheduler: CosineAnnealingLR,
    loader: DataLoader<Samples>,
}

impl Run {
    /// The data are always the same; weights are drawn from the default generator.
    fn new() -> Result<Run> {
        let (x, y) = with_generator(&mut Generator::new(1), || {
            Ok::<_, Error>((Tensor::randn([50, 8])?, Tensor::randint(0, 3, [50])?))
        })?;
        let model = sequential![
            Linear::new(8, 16)?,
            ReLU::new(),
            Dropout::new(0.3)?,
            Linear::new(16, 16)?,
            Dropout::new(0.5)?,
            Linear::new(16, 3)?,
        ];
        let mut optimizer = Adam::new(model.parameters(), AdamOptions { lr: 1e-2, ..Default::default() })?;
        let scheduler = CosineAnnealingLR::new(&mut optimizer, 20, 0.0)?;
        let loader = DataLoader::new(&TensorDataset::new((x, y))?).batch_size(8).shuffle(true);
        Ok(Run { model, optimizer, scheduler, loader })
    }

    /// Trains on at most `limit` batches of an epoch.
    fn train(&mut self, batches: &mut DataLoaderIter<Samples>, limit: usize) -> Result<()> {
        for batch in batches.take(limit) {
            let (x, y) = batch?;
            self.optimizer.zero_grad();
            CrossEntropyLoss::new().forward(&self.model.forward(&x)?, &y)?.backward()?;
            self.optimizer.step()?;
            self.scheduler.step(&mut self.optimizer)?;
        }
        Ok(())
    }

    fn weights(&self) -> Result<Vec<u32>> {
        let mut bits = Vec::new();
        for (_, value) in self.model.state_dict()?.iter() {
            bits.extend(value.to_vec::<f32>()?.into_iter().map(f32::to_bits));
        }
        Ok(bits)
    }

    /// One file of tensors, and one for what is not.
    fn save(&self, directory: &Path, batches: &DataLoaderIter<Samples>) -> Result<()> {
        let mut state = StateDict::new();
        state.extend("model.", &self.model.state_dict()?)?;
        let optimizer = self.optimizer.state_dict()?;
        state.extend("optimizer.", &optimizer)?;
        state.insert("rng", default_state().to_tensor()?)?;
        let loader = serde_json::to_string(&batches.state()).unwrap();
        let more = [("scheduler", self.scheduler.state_dict()?), ("loader", loader)];
        state.metadata_mut().extend(more.map(|(name, text)| (name.to_string(), text)));
        state.metadata_mut().extend(optimizer.metadata().clone());
        state.save(directory.join("checkpoint.safetensors"))
    }

    fn load(directory: &Path) -> Result<(Run, DataLoaderIter<Samples>)> {
        let state = StateDict::load(directory.join("checkpoint.safetensors"))?;
        let mut run = Run::new()?;
        run.model.load_state_dict(&state.with_prefix("model."))?;
        let mut optimizer = state.with_prefix("optimizer.");
        optimizer.metadata_mut().extend(state.metadata().clone());
        run.optimizer.load_state_dict(&optimizer)?;
        run.scheduler.load_state_dict(&state.metadata()["scheduler"])?;
        let loader: DataLoaderState = serde_json::from_str(&state.metadata()["loader"]).unwrap();
        let batches = run.loader.resume(&loader)?;
        // Last, since making a model draws.
        set_default_state(&GeneratorState::from_tensor(state.get("rng").unwrap())?).unwrap();
        Ok((run, batches))
    }
}

fn whole(threads: usize) -> Result<Vec<u32>> {
    chainrule::set_num_threads(threads);
    manual_seed(7);
    let mut run = Run::new()?;
    for _ in 0..EPOCHS {
        let mut batches = run.loader.iter();
        run.train(&mut batches, usize::MAX)?;
    }
    run.weights()
}

// One test, since the default generator and the number of threads are the process's.
#[test]
fn an_interrupted_run_gives_the_same_bits() -> Result<()> {
    let want = whole(1)?;
    for threads in [2, 4] {
        assert_eq!(whole(threads)?, want, "{threads} threads");
    }
    for stop_after in [0, 1, 4, 6] {
        let directory = tempfile::tempdir().unwrap();
        manual_seed(7);
        let mut run = Run::new()?;
        let mut batches = run.loader.iter();
        run.train(&mut batches, usize::MAX)?;
        let mut batches = run.loader.iter();
        run.train(&mut batches, stop_after)?;
        run.save(directory.path(), &batches)?;
        drop((run, batches));

        // What happens in between has no part in it.
        manual_seed(1234);
        Tensor::randn([3])?;
        let (mut run, mut batches) = Run::load(directory.path())?;
        run.train(&mut batches, usize::MAX)?;
        for _ in 2..EPOCHS {
            let mut batches = run.loader.iter();
            run.train(&mut batches, usize::MAX)?;
        }
        assert_eq!(run.weights()?, want, "stopped after {stop_after} batches");
    }
    Ok(())
}
