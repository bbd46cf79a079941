//! Errors name the line of the caller, also through datasets that wrap others, samplers and transforms.

use std::sync::Arc;

use chainrule_data::transforms::{
    ColorJitter, Compose, Grayscale, Image, ImageSize, Normalize, RandomApply, RandomCrop, RandomErasing,
    RandomHorizontalFlip, RandomResizedCrop, RandomRotation, RandomVerticalFlip, Resize, SampleRandom,
    Transform, one_hot,
};
use chainrule_data::{
    BatchSampler, ByteImages, ConcatDataset, DataLoader, DataLoaderState, Dataset, RandomSampler, Sampler,
    Subset, SubsetRandomSampler, TensorDataset, WeightedRandomSampler,
};
use chainrule_tensor::{Error, ErrorKind, Result, Tensor};

/// That an expression fails with an error that names the line it stands in.
macro_rules! here {
    ($call:expr) => {{
        let (result, line) = ($call, line!());
        let error = result.map(drop).expect_err("an error");
        let place = error.location().unwrap();
        // A call may stand on several lines.
        assert!(place.file() == file!() && (line..line + 6).contains(&place.line()), "line {line}: {error}");
        error
    }};
}

type Pairs = TensorDataset<(Tensor, Tensor)>;

fn pairs() -> Pairs {
    TensorDataset::new((Tensor::zeros([4, 3, 2, 2]).unwrap(), Tensor::new([0, 1, 2, 3]))).unwrap()
}

#[test]
fn datasets() {
    let dataset = pairs();
    let size = ImageSize { channels: 1, height: 1, width: 1 };
    let bytes = ByteImages::new(vec![1, 2], vec![3, 4], size).unwrap();
    here!(dataset.get_batch(&[7]));
    here!(dataset.get_batch_seeded(&[7], &[0]));
    here!(bytes.get_batch(&[2]));
    let subset = Subset::new(&dataset, [3, 1]).unwrap();
    here!(Subset::new(&dataset, [4]));
    here!(subset.get_batch(&[2]));
    let both = ConcatDataset::new([dataset.clone(), dataset.clone()]).unwrap();
    here!(both.get_batch(&[8]));
    here!(both.get_batch_seeded(&[8], &[1]));
    here!(ConcatDataset::<Pairs>::new([]));
    let mapped = dataset.map(Ok);
    here!(mapped.get_batch(&[4]));
    here!(mapped.map(Ok).get_batch(&[4]));
    here!(Subset::new(&mapped, [0]).unwrap().get_batch(&[1]));
    here!(dataset.map_samples(|sample, _| Ok(sample)).get_batch(&[4]));
    here!(Arc::new(dataset.clone()).get_batch(&[4]));
    let hidden: Arc<dyn Dataset<Batch = (Tensor, Tensor)>> = Arc::new(both.clone());
    here!(hidden.get_batch(&[8]));
    here!(ConcatDataset::new([hidden]).unwrap().get_batch(&[9]));
    here!(dataset.map(one_hot(2)).get_batch(&[3]));
    let unlike = TensorDataset::new(Tensor::new([5])).unwrap();
    here!(
        ConcatDataset::new([unlike, TensorDataset::new(Tensor::zeros([2]).unwrap()).unwrap()])
            .unwrap()
            .get_all()
    );
    here!(TensorDataset::new((Tensor::new([1]), Tensor::new([1, 2]))));
    here!(bytes.get_batch(&[0, 1, 2]));
}

/// What somebody else's code says stays as it is.
#[test]
fn errors_of_ones_own_keep_their_line() {
    let line = line!() + 1;
    let change = |_: (Tensor, Tensor)| -> Result<Tensor> { Tensor::zeros([2])?.reshape([3]) };
    for error in [
        pairs().map(change).get_batch(&[0]).unwrap_err(),
        Arc::new(pairs().map(change)).get_batch(&[0]).unwrap_err(),
        DataLoader::new(&pairs().map(change)).iter().next().unwrap().unwrap_err(),
    ] {
        assert_eq!(error.location().unwrap().line(), line, "{error}");
    }
}

#[test]
fn too_few_and_too_many() {
    let dataset = pairs();
    // Changes that give fewer or more samples than they got.
    let fewer = dataset.map(|(x, y)| Ok((x.slice(0, 0..1)?, y)));
    let more = dataset.map(|(x, y)| Ok((Tensor::zeros([x.size(0)? + 1, 3, 2, 2])?, y)));
    for (wrong, rows) in [(&fewer, 1), (&more, 3)] {
        let said = |error: Error| {
            assert_eq!(error.kind(), ErrorKind::Shape);
            let rule = format!("gave a tensor of shape [{rows}, 3, 2, 2] for a batch of 2 samples");
            assert!(error.message().contains(&rule), "{error}");
        };
        said(here!(wrong.transform(RandomHorizontalFlip::new()).get_batch(&[0, 1])));
        said(here!(wrong.map_samples(|sample, _| Ok(sample)).get_batch(&[0, 1])));
        let both = ConcatDataset::new([wrong.clone(), wrong.clone()]).unwrap();
        said(here!(both.get_batch(&[0, 4, 1, 5])));
        for workers in [0, 2] {
            let flipped = wrong.transform(RandomHorizontalFlip::new());
            let mut batches = DataLoader::new(&flipped).batch_size(2).num_workers(workers).iter();
            said(here!(batches.next().unwrap()));
        }
    }
    for seeds in [&[][..], &[1], &[1, 2, 3]] {
        let mapped = dataset.transform(RandomHorizontalFlip::new());
        assert!(here!(mapped.get_batch_seeded(&[0, 1], seeds)).message().contains("seeds for 2 samples"));
        let both = ConcatDataset::new([dataset.clone()]).unwrap();
        assert!(here!(both.get_batch_seeded(&[0, 1], seeds)).message().contains("seeds for 2 samples"));
    }
}

#[test]
fn samplers() {
    here!(RandomSampler::new().num_samples(0).indices(3));
    here!(SubsetRandomSampler::new([3]).indices(3));
    here!(WeightedRandomSampler::new([1.0; 4], 2).indices(3));
    here!(WeightedRandomSampler::new([-1.0], 2).indices(3));
    here!(BatchSampler::new(SubsetRandomSampler::new([3]), 2, false).unwrap().indices(3));
    let hidden: Arc<dyn Sampler> = Arc::new(SubsetRandomSampler::new([3]));
    here!(hidden.indices(3));
    let with = chainrule_tensor::random::Generator::new(0).state();
    here!(RandomSampler::new().set_state(Some(&with)));
    here!(hidden.set_state(Some(&with)));
    here!(chainrule_data::SequentialSampler.set_state(Some(&with)));
    let loader = DataLoader::new(&pairs()).sampler(SubsetRandomSampler::new([4]));
    here!(loader.iter().next().unwrap());
    let state = DataLoaderState { sampler: Some(with), ..loader.iter().state() };
    here!(loader.resume(&state));
}

#[test]
fn transforms() {
    struct Refuses;
    impl Transform for Refuses {
        fn write(&self, _: Image<'_>, _: &mut [f32], _: &mut SampleRandom) {}

        fn try_write(&self, _: Image<'_>, _: &mut [f32], _: &mut SampleRandom) -> Result<()> {
            Err(Error::new(ErrorKind::Value, "Refuses", "no").at_caller())
        }
    }
    let image = Tensor::zeros([3, 2, 2]).unwrap();
    let odd = Tensor::zeros([2, 2, 2]).unwrap();
    let random = &mut SampleRandom::new(0);
    here!(RandomCrop::new(3).apply(&image, random));
    here!(Resize::new(0).apply(&image, random));
    here!(Normalize::new([0.0; 2], [1.0]).apply(&image, random));
    here!(RandomHorizontalFlip::new().p(2.0).apply(&image, random));
    here!(RandomVerticalFlip::new().p(-1.0).apply(&image, random));
    here!(RandomRotation::new(f64::NAN).apply(&image, random));
    here!(RandomErasing::new().scale(1.0, 0.0).apply(&image, random));
    here!(RandomResizedCrop::new(2).ratio(0.0, 1.0).apply(&image, random));
    here!(ColorJitter::new().hue(0.6).apply(&image, random));
    here!(Grayscale.apply(&odd, random));
    here!(RandomApply::new(RandomCrop::new(1)).apply(&image, random));
    here!(RandomApply::new(RandomCrop::new(3)).apply(&image, random));
    let steps = Compose::new().then(Grayscale).then(RandomCrop::new(3));
    here!(steps.apply(&image, random));
    here!(steps.output_size(ImageSize { channels: 3, height: 2, width: 2 }));
    here!(pairs().transform(steps.clone()).get_batch(&[0]));
    here!(steps.apply(&Tensor::zeros([2, 2]).unwrap(), random));
    // An error of a transform of one's own, while it writes, is passed on.
    let message = Compose::new().then(Grayscale).then(Refuses).apply(&image, random).unwrap_err();
    assert_eq!(message.message(), "no");
    let batch = pairs().transform(Compose::new().then(Refuses).then(Grayscale));
    assert_eq!(batch.get_batch(&[0, 1]).unwrap_err().operation(), "Refuses");
}
