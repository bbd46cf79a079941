//! Datasets, samplers, loaders, splits, transforms, readers, and the measures of training.

use std::path::Path;

use chainrule::data::transforms::*;
use chainrule::data::*;
use chainrule::random::Generator;
use chainrule::train::{AccuracyOptions, accuracy_with, correct_with, num_targets};
use chainrule::train::{Progress, RunningMean, accuracy, correct};
use chainrule::{DType, Result, Tensor};

use crate::case::{Call, Results, call};
use crate::draw::Draw;

/// A dataset that says how many samples it has, and makes them up.
#[derive(Clone)]
struct Imagined(usize);

impl Dataset for Imagined {
    type Batch = Tensor;

    fn len(&self) -> usize {
        self.0
    }

    fn get_batch(&self, indices: &[usize]) -> Result<Tensor> {
        Tensor::zeros([indices.len(), 1])
    }
}

/// The first batches of an epoch.
fn fetched<D: Dataset<Batch: Results> + Clone + 'static>(loader: &DataLoader<D>) -> Result<()> {
    _ = (loader.len(), loader.is_empty());
    let mut epoch = loader.iter();
    for batch in epoch.by_ref().take(3) {
        batch?.look_at()?;
    }
    let state = epoch.state();
    loader.resume(&state)?.take(2).try_for_each(|batch| batch.map(drop))
}

fn ordered(sampler: &dyn Sampler, n: usize) -> Result<()> {
    _ = sampler.len(n);
    sampler.indices(n).map(drop)
}

fn datasets() -> Vec<Call> {
    vec![
        call("TensorDataset", |d| {
            let dataset = TensorDataset::new((d.tensor(), d.tensor()))?;
            let indices = d.sizes();
            dataset.get_batch(&indices)
        }),
        call("ByteImages", |d| {
            let size = ImageSize { channels: d.size(), height: d.size(), width: d.size() };
            let dataset = ByteImages::new(vec![0; d.small() * 12], vec![0; d.small()], size)?;
            dataset.get_batch(&d.sizes())
        }),
        call("Subset", |d| {
            let dataset = Subset::new(&Imagined(d.size()), d.sizes())?;
            dataset.get_batch(&d.sizes())
        }),
        call("ConcatDataset", |d| {
            let list: Vec<Imagined> = (0..d.small()).map(|_| Imagined(d.size())).collect();
            ConcatDataset::new(list)?.get_batch(&d.sizes())
        }),
        call("DataLoader", |d| {
            let loader = DataLoader::new(&Imagined(d.size())).batch_size(d.size()).shuffle(d.flag());
            let loader = loader.drop_last(d.flag()).prefetch_factor(d.size());
            fetched(&loader.num_workers(d.pick(&[0, 0, 1, 2, usize::MAX])))
        }),
        call("DataLoader with a sampler", |d| {
            let loader = DataLoader::new(&Imagined(d.size())).batch_size(d.size());
            fetched(&loader.sampler(SubsetRandomSampler::new(d.sizes())))
        }),
        call("DataLoader with a batch sampler", |d| {
            let loader = DataLoader::new(&Imagined(d.size()));
            let sampler = RandomSampler::new().num_samples(d.size());
            fetched(&loader.batch_sampler(BatchSampler::new(sampler, d.size(), d.flag())?))
        }),
        call("DataLoader of transforms", |d| {
            let images = TensorDataset::new((d.tensor(), d.tensor()))?;
            let changed = images.transform(RandomCrop::new(d.pair()).padding(d.small()));
            fetched(&DataLoader::new(&changed).batch_size(d.small()).num_workers(d.pick(&[0, 1, 2])))
        }),
        call("RandomSampler", |d| {
            let sampler = RandomSampler::new().replacement(d.flag());
            let sampler = if d.flag() { sampler.num_samples(d.size()) } else { sampler };
            ordered(&sampler, d.size())
        }),
        call("WeightedRandomSampler", |d| {
            let sampler = WeightedRandomSampler::new(d.numbers(), d.size()).replacement(d.flag());
            ordered(&sampler, d.size())
        }),
        call("SequentialSampler", |d| ordered(&SequentialSampler, d.size())),
        call("SubsetRandomSampler", |d| ordered(&SubsetRandomSampler::new(d.sizes()), d.size())),
        call("BatchSampler", |d| {
            let sampler = BatchSampler::new(SequentialSampler, d.size(), d.flag())?;
            let n = d.size();
            _ = sampler.len(n);
            sampler.indices(n).map(drop)
        }),
        call("random_split", |d| {
            let dataset = Imagined(d.size());
            _ = random_split(&dataset, [d.size(), d.size()]).map(drop).map_err(|e| e.to_string());
            _ = random_split_with(&dataset, [d.number()], &mut Generator::new(0))
                .map(drop)
                .map_err(|e| e.to_string());
            random_split(&dataset, [d.number(), d.number(), d.number()]).map(drop)
        }),
        call("stratified_split", |d| {
            let (n, labels) = (d.small(), d.indices());
            stratified_split_with(&Imagined(n), &labels, [d.number(), d.number()], &mut Generator::new(0))
                .map(drop)
        }),
        call("KFold", |d| KFold::new(d.size()).shuffle(d.flag()).split(&Imagined(d.size())).map(drop)),
        call("StratifiedKFold", |d| {
            let labels = d.indices();
            StratifiedKFold::new(d.size()).split(&Imagined(labels.len()), &labels).map(drop)
        }),
        call("collate", |d| {
            let tensors: Vec<Tensor> = (0..4).map(|_| d.tensor()).collect();
            collate(&d.sizes(), |i| Ok(tensors[i % 4].clone()))
        }),
    ]
}

/// A transform on an image, and within a dataset.
fn applied(d: &mut Draw, transform: impl Transform + Clone + 'static) -> Result<Tensor> {
    let (channels, height, width) = (d.pick(&[3, 1, 0, 2]), d.small(), d.small());
    let image = d.tensor_like(&[channels, height, width], DType::F32).detach();
    transform.apply(&image, &mut SampleRandom::new(d.count()))
}

fn transforms() -> Vec<Call> {
    vec![
        call("Normalize", |d| {
            let numbers = |d: &mut Draw| d.numbers().into_iter().map(|x| x as f32).collect::<Vec<f32>>();
            let (mean, std) = (numbers(d), numbers(d));
            applied(d, Normalize::new(mean, std))
        }),
        call("Resize", |d| {
            let resize = if d.flag() { Resize::shorter_side(d.size()) } else { Resize::new(d.pair()) };
            applied(d, resize)
        }),
        call("CenterCrop", |d| {
            let crop = CenterCrop::new(d.pair());
            applied(d, crop)
        }),
        call("RandomCrop", |d| {
            let crop = RandomCrop::new(d.pair()).padding(d.pair()).pad_if_needed(d.flag());
            applied(d, crop)
        }),
        call("RandomResizedCrop", |d| {
            let crop = RandomResizedCrop::new(d.pair()).scale(d.number(), d.number());
            let crop = crop.ratio(d.number(), d.number());
            applied(d, crop)
        }),
        call("RandomRotation", |d| {
            let rotation = RandomRotation::between(d.number(), d.number());
            let rotation = rotation.interpolation(d.pick(&[Interpolation::Nearest, Interpolation::Bilinear]));
            applied(d, rotation)
        }),
        call("RandomErasing", |d| {
            let erasing = RandomErasing::new().p(d.number()).scale(d.number(), d.number());
            let erasing = erasing.ratio(d.number(), d.number());
            applied(d, erasing)
        }),
        call("ColorJitter", |d| {
            let jitter = ColorJitter::new().brightness(d.number()).contrast(d.number());
            let jitter = jitter.saturation(d.number()).hue(d.number());
            applied(d, jitter)
        }),
        call("RandomHorizontalFlip", |d| {
            let flip = RandomHorizontalFlip::new().p(d.number());
            applied(d, flip)
        }),
        call("Compose", |d| {
            let (crop, width) = (d.small(), d.small());
            let (channels, height) = (3, d.small());
            let image = d.tensor_like(&[channels, height, width], DType::F32).detach();
            let transform = Compose::new()
                .then(RandomApply::new(CenterCrop::new(crop)).p(d.number()))
                .then(Grayscale)
                .then(RandomVerticalFlip::new());
            transform.apply(&image, &mut SampleRandom::new(0))
        }),
        call("one_hot", |d| {
            let shape = d.shape();
            let dataset = TensorDataset::new((d.tensor(), d.index_tensor(&shape, 3)))?;
            let n = d.size();
            fetched(&DataLoader::new(&dataset.map(move |(x, y)| Ok((x, y.one_hot(n)?)))))
        }),
    ]
}

/// Bytes that begin like a file of some kind, with a part that is drawn.
fn bytes(d: &mut Draw, start: &[u8]) -> Vec<u8> {
    let mut bytes = start.to_vec();
    for _ in 0..d.small() {
        let number = d.size() as u64;
        let width = d.pick(&[1, 2, 4, 8]);
        let number = if d.flag() {
            number.to_be_bytes()[8 - width..].to_vec()
        } else {
            number.to_le_bytes()[..width].to_vec()
        };
        bytes.extend(number);
    }
    bytes
}

fn readers() -> Vec<Call> {
    vec![
        call("parse_npy", |d| {
            let descr = d.pick(&["<f4", "<f8", "<i8", "|b1", ">f4", "<c8", "O"]);
            let shape = d.sizes().iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            let fortran = d.pick(&["False", "True", "None"]);
            let header =
                format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({shape},), }}\n");
            let length = d.pick(&[header.len() as u16, header.len() as u16, 0, u16::MAX]);
            let start = [&b"\x93NUMPY\x01\x00"[..], &length.to_le_bytes(), header.as_bytes()].concat();
            parse_npy(&bytes(d, &start))
        }),
        call("parse_npz", |d| parse_npz(&bytes(d, b"PK\x03\x04")).map(drop)),
        call("IdxFile::parse", |d| {
            let start = [0, 0, d.pick(&[8, 13, 14, 9, 0, 255]), d.pick(&[1, 3, 0, 255])];
            IdxFile::parse(&bytes(d, &start))?.to_tensor()
        }),
        call("Cifar10::parse", |d| {
            let bytes = vec![1; (d.small() * 3073 + d.small()).saturating_sub(1)];
            Cifar10::parse(&bytes)?.to_tensors().map(drop)
        }),
        call("CsvFile::parse", |d| {
            let pieces =
                ["a,b\n", "1,2\n", "\n", "\"", ",", "\r\n", "nan,inf\n", "1e999", "\u{feff}", "x\n", "\0"];
            let text: String = (0..d.small()).map(|_| d.pick(&pieces)).collect();
            let options = CsvOptions::new().headers(d.flag()).missing_as_nan(d.flag());
            let options = options.delimiter(d.pick(b",;\t\n\"\0"));
            let file = options.parse(text.as_bytes())?;
            let names: Vec<&str> = file.column_names().iter().map(String::as_str).collect();
            for name in &names {
                _ = file.texts(name).map(drop).map_err(|e| e.to_string());
                _ = file.classes(name).map(drop).map_err(|e| e.to_string());
                _ = file.column::<i64>(name).map_err(|e| e.to_string());
            }
            file.columns::<f32>(&names)
        }),
        call("parse_image", |d| {
            let start = d.pick(&[
                &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..],
                &b"\xff\xd8\xff\xe0\0\x10JFIF"[..],
                &b"GIF89a"[..],
            ]);
            parse_image(&bytes(d, start), ImageOptions { max_pixels: d.count(), ..Default::default() })
        }),
        call("paths", |d| {
            let path = d.pick(&["", ".", "/", "/dev/null", "/dev/zero", "no such file", "/proc/self/mem"]);
            _ = read_npy(path).map_err(|e| e.to_string());
            _ = read_npz(path).map(drop).map_err(|e| e.to_string());
            _ = IdxFile::read(path).map(drop).map_err(|e| e.to_string());
            _ = CsvFile::read(path).map(drop).map_err(|e| e.to_string());
            _ = read_image(path, ImageOptions::default()).map_err(|e| e.to_string());
            _ = Mnist::load(path, true).map(drop).map_err(|e| e.to_string());
            _ = Cifar10::load(path, true).map(drop).map_err(|e| e.to_string());
            if Path::new(path) != Path::new("/") {
                _ = ImageFolder::open(path).map(drop).map_err(|e| e.to_string());
            }
            chainrule::StateDict::load(path).map(drop)
        }),
    ]
}

fn measures() -> Vec<Call> {
    vec![
        call("accuracy", |d| {
            let (n, c) = (d.small(), d.small());
            let targets = d.index_tensor(&[n], c);
            let logits = d.tensor_of(&[n, c]);
            _ = correct(&logits, &targets).map_err(|e| e.to_string());
            _ = accuracy(&d.tensor(), &d.tensor()).map_err(|e| e.to_string());
            let options = AccuracyOptions { ignore_index: d.index() as i64 };
            _ = num_targets(&d.tensor(), options).map_err(|e| e.to_string());
            _ = correct_with(&logits, &targets, options).map_err(|e| e.to_string());
            _ = accuracy_with(&logits, &targets, options).map_err(|e| e.to_string());
            accuracy(&logits, &targets).map(drop)
        }),
        call("Progress", |d| {
            let mut progress = Progress::new("", d.size());
            (0..d.small()).for_each(|_| progress.step("x"));
            Ok(_ = progress.steps_done())
        }),
        call("RunningMean", |d| {
            let mut mean = RunningMean::new();
            for number in d.numbers() {
                mean.update(number, d.size());
                mean.update_sum(number, d.size());
            }
            _ = (mean.mean(), mean.sum(), mean.samples());
            Ok(())
        }),
    ]
}

pub(crate) fn calls() -> Vec<Call> {
    datasets().into_iter().chain(transforms()).chain(readers()).chain(measures()).collect()
}
