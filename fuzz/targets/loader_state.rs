#![no_main]

use chainrule_data::{BatchSampler, DataLoader, DataLoaderState, RandomSampler, TensorDataset};
use chainrule_tensor::Tensor;
use chainrule_tensor::random::Generator;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(state) = serde_json::from_slice::<DataLoaderState>(bytes) else { return };
    let dataset = TensorDataset::new(Tensor::arange(9).unwrap()).unwrap();
    let sampler = RandomSampler::new().generator(Generator::new(1));
    let loaders = [
        DataLoader::new(&dataset).batch_size(2),
        DataLoader::new(&dataset).batch_size(2).shuffle(true).generator(Generator::new(1)),
        DataLoader::new(&dataset).batch_sampler(BatchSampler::new(RandomSampler::new(), 2, false).unwrap()),
        DataLoader::new(&dataset).batch_size(4).drop_last(true).sampler(sampler),
    ];
    for loader in loaders {
        if let Ok(batches) = loader.resume(&state) {
            batches.for_each(|batch| drop(batch.unwrap()));
        }
    }
});
