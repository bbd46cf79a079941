//! Transforms: values against PyTorch's and the definitions, what is drawn, and what is refused.

use std::sync::Arc;

use chainrule_data::transforms::{
    CenterCrop, ColorJitter, Compose, Erase, Grayscale, Image, ImageSize, Interpolation, Normalize,
    RandomApply, RandomCrop, RandomErasing, RandomHorizontalFlip, RandomResizedCrop, RandomRotation,
    RandomVerticalFlip, Resize, SampleRandom, Transform, one_hot,
};
use chainrule_data::{ConcatDataset, DataLoader, Dataset, Subset, TensorDataset};
use chainrule_tensor::random::Generator;
use chainrule_tensor::{ErrorKind, Tensor};
use serde_json::Value;

fn ramp(shape: [usize; 3]) -> Tensor {
    let n = shape.iter().product::<usize>();
    Tensor::from_vec((1..=n).map(|i| i as f32).collect(), shape).unwrap()
}

fn apply(transform: &impl Transform, image: &Tensor, seed: u64) -> Vec<f32> {
    transform.apply(image, &mut SampleRandom::new(seed)).unwrap().to_vec().unwrap()
}

fn recorded() -> Value {
    serde_json::from_str(include_str!("recorded/images.json")).unwrap()
}

fn tensor(value: &Value) -> Tensor {
    let shape: Vec<usize> = serde_json::from_value(value["shape"].clone()).unwrap();
    let values: Vec<f64> = serde_json::from_value(value["values"].clone()).unwrap();
    Tensor::from_vec(values.into_iter().map(|x| x as f32).collect(), shape).unwrap()
}

fn near(got: &Tensor, want: &Tensor, what: &str) {
    assert_eq!(got.shape(), want.shape(), "{what}");
    for (a, b) in got.to_vec::<f32>().unwrap().iter().zip(want.to_vec::<f32>().unwrap()) {
        assert!((a - b).abs() < 2e-6, "{what}: {a} and {b}");
    }
}

#[test]
fn rotations_are_those_of_a_turned_grid() {
    let recorded = recorded();
    let image = tensor(&recorded["image"]);
    for case in recorded["rotations"].as_array().unwrap() {
        let degrees = case["degrees"].as_f64().unwrap();
        let interpolation = match case["mode"].as_str().unwrap() {
            "nearest" => Interpolation::Nearest,
            _ => Interpolation::Bilinear,
        };
        let rotation = RandomRotation::between(degrees, degrees).interpolation(interpolation).fill(0.25);
        let turned = rotation.apply(&image, &mut SampleRandom::new(0)).unwrap();
        near(&turned, &tensor(&case["image"]), &format!("{degrees} degrees, {interpolation:?}"));
    }
}

#[test]
fn quarter_turns_are_exact() {
    let image = ramp([1, 4, 4]);
    let at = |y: usize, x: usize| (y * 4 + x + 1) as f32;
    for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
        let turned = |degrees| {
            apply(&RandomRotation::between(degrees, degrees).interpolation(interpolation), &image, 0)
        };
        let want =
            |from: &dyn Fn(usize, usize) -> f32| (0..16).map(|i| from(i / 4, i % 4)).collect::<Vec<_>>();
        assert_eq!(turned(90.0), want(&|y, x| at(x, 3 - y)));
        assert_eq!(turned(-180.0), want(&|y, x| at(3 - y, 3 - x)));
        assert_eq!(turned(270.0), want(&|y, x| at(3 - x, y)));
        assert_eq!(turned(-360.0), image.to_vec::<f32>().unwrap());
    }
}

#[test]
fn sizes_are_those_of_interpolate() {
    let recorded = recorded();
    let image = tensor(&recorded["image"]);
    for case in recorded["sizes"].as_array().unwrap() {
        let want = tensor(case);
        let size = (want.shape()[1], want.shape()[2]);
        near(
            &Resize::new(size).apply(&image, &mut SampleRandom::new(0)).unwrap(),
            &want,
            &format!("{size:?}"),
        );
        // The whole image, whatever is drawn.
        let part = RandomResizedCrop::new(size).scale(1.0, 1.0).ratio(10.0 / 7.0, 10.0 / 7.0);
        near(&part.apply(&image, &mut SampleRandom::new(5)).unwrap(), &want, &format!("a part in {size:?}"));
    }
}

#[test]
fn a_part_that_is_resized_is_that_part() {
    // No resizing: a crop of 4 × 4, somewhere.
    let image = ramp([2, 8, 8]);
    let mut corners = std::collections::HashSet::new();
    for seed in 0..100 {
        let got = apply(&RandomResizedCrop::new(4).scale(0.25, 0.25).ratio(1.0, 1.0), &image, seed);
        let corner = got[0];
        let want: Vec<f32> = (0..32).map(|i| corner + (i / 16 * 64 + i / 4 % 4 * 8 + i % 4) as f32).collect();
        assert_eq!(got, want);
        corners.insert(corner as i32);
    }
    assert!(corners.len() == 25, "every place comes up: {}", corners.len());
    // A share of the area that no shape allows: the largest part in the middle, of 8 × 4.
    let tall = RandomResizedCrop::new((8, 4)).scale(1.0, 1.0).ratio(0.5, 0.5);
    let want: Vec<f32> = (0..32).map(|i| (i / 4 * 8 + i % 4 + 3) as f32).collect();
    assert_eq!(apply(&tall, &ramp([1, 8, 8]), 0), want);
}

#[test]
fn crops_from_the_middle() {
    let image = ramp([1, 3, 5]);
    assert_eq!(apply(&CenterCrop::new((1, 3)), &image, 0), [7.0, 8.0, 9.0]);
    // (5 - 2) / 2 = 1.5 is rounded to 2, (3 - 2) / 2 = 0.5 to 0.
    assert_eq!(apply(&CenterCrop::new(2), &image, 0), [3.0, 4.0, 8.0, 9.0]);
    // Six rows of three: one above, two below.
    let padded = apply(&CenterCrop::new((6, 1)), &image, 0);
    assert_eq!(padded, [0.0, 3.0, 8.0, 13.0, 0.0, 0.0]);
    assert_eq!(apply(&CenterCrop::new((3, 5)), &image, 0), image.to_vec::<f32>().unwrap());
}

/// The reference pads first and cuts then.
#[test]
fn random_crops_are_places_in_the_padded_image() {
    let image = ramp([2, 4, 3]);
    let at = |c: i32, y: i32, x: i32| {
        let inside = (0..4).contains(&y) && (0..3).contains(&x);
        if inside { (c * 12 + y * 3 + x + 1) as f32 } else { -1.0 }
    };
    let crop = RandomCrop::new((4, 2)).padding((2, 1)).fill(-1.0);
    let mut seen = std::collections::HashSet::new();
    for seed in 0..200 {
        let got = apply(&crop, &image, seed);
        let place = (-2..=2).flat_map(|y| (-1..=2).map(move |x| (y, x))).find(|&(top, left)| {
            let want: Vec<f32> = (0..16).map(|i| at(i / 8, top + i / 2 % 4, left + i % 2)).collect();
            want == got
        });
        seen.insert(place.expect("a place in the padded image"));
    }
    assert_eq!(seen.len(), 20, "every place comes up");

    let needed = RandomCrop::new((6, 3)).pad_if_needed(true);
    assert_eq!(apply(&needed, &image, 1).len(), 36);
    let error = RandomCrop::new(5).apply(&image, &mut SampleRandom::new(0)).unwrap_err();
    assert!(error.message().contains("[5, 5]") && error.message().contains("[2, 4, 3]"), "{error}");
}

#[test]
fn flips() {
    let image = ramp([2, 2, 3]);
    let all = |p: f64| (RandomHorizontalFlip::new().p(p), RandomVerticalFlip::new().p(p));
    let (horizontal, vertical) = all(1.0);
    assert_eq!(
        apply(&horizontal, &image, 0),
        [3.0, 2.0, 1.0, 6.0, 5.0, 4.0, 9.0, 8.0, 7.0, 12.0, 11.0, 10.0]
    );
    assert_eq!(apply(&vertical, &image, 0), [4.0, 5.0, 6.0, 1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 7.0, 8.0, 9.0]);
    let (horizontal, vertical) = all(0.0);
    assert_eq!(apply(&horizontal, &image, 0), image.to_vec::<f32>().unwrap());
    assert_eq!(apply(&vertical, &image, 0), image.to_vec::<f32>().unwrap());
    let (horizontal, vertical) = all(0.3);
    for transform in [&horizontal as &dyn Transform, &vertical] {
        let changed =
            |seed| transform.apply(&image, &mut SampleRandom::new(seed)).unwrap().to_vec::<f32>().unwrap()[0];
        let count = (0..1000).filter(|&seed| changed(seed) != 1.0).count();
        // Five standard deviations.
        assert!((228..=372).contains(&count), "{count} of 1000");
    }
}

#[test]
fn normalised() {
    let image = ramp([2, 1, 2]);
    assert_eq!(apply(&Normalize::new([1.0, 2.0], [0.5, 4.0]), &image, 0), [0.0, 2.0, 0.25, 0.5]);
    assert_eq!(apply(&Normalize::new([1.0], [2.0]), &image, 0), [0.0, 0.5, 1.0, 1.5]);
    let refused = |mean: Vec<f32>, std: Vec<f32>| {
        Normalize::new(mean, std).apply(&image, &mut SampleRandom::new(0)).unwrap_err().message().to_string()
    };
    assert!(refused(vec![1.0; 3], vec![1.0]).contains("3 means"));
    assert!(refused(vec![1.0], vec![]).contains("0 standard deviations"));
    assert!(refused(vec![1.0], vec![1.0, 0.0]).contains("must be finite and above 0"));
}

#[test]
fn erased_rectangles() {
    let image = Tensor::ones([3, 20, 30]).unwrap();
    let (mut erased, mut areas) = (0, 0.0);
    for seed in 0..500 {
        let got = apply(&RandomErasing::new().p(0.8).scale(0.05, 0.2).ratio(0.5, 2.0), &image, seed);
        let zeros: Vec<usize> = (0..600).filter(|&i| got[i] == 0.0).collect();
        for channel in 1..3 {
            assert!((0..600).all(|i| got[channel * 600 + i] == got[i]));
        }
        let (Some(&first), Some(&last)) = (zeros.first(), zeros.last()) else { continue };
        let (rows, columns) = (last / 30 - first / 30 + 1, last % 30 - first % 30 + 1);
        assert_eq!(zeros.len(), rows * columns, "a rectangle");
        // 30 to 120 pixels, up to the rounding of both sides.
        assert!((20..=140).contains(&zeros.len()), "{rows} × {columns}");
        erased += 1;
        areas += zeros.len() as f64;
    }
    assert!((355..=445).contains(&erased), "{erased} of 500");
    assert!((70.0..80.0).contains(&(areas / f64::from(erased))));
    let noise = apply(&RandomErasing::new().p(1.0).value(Erase::Random), &image, 3);
    let mut written: Vec<f32> = noise.into_iter().filter(|&x| x != 1.0).collect();
    let count = written.len();
    written.sort_by(f32::total_cmp);
    written.dedup();
    assert!(count > 20 && written.len() == count, "every number is another");
    assert!(RandomErasing::new().scale(0.5, 0.1).apply(&image, &mut SampleRandom::new(0)).is_err());
    assert!(RandomErasing::new().ratio(0.0, 1.0).apply(&image, &mut SampleRandom::new(0)).is_err());
    assert!(RandomErasing::new().p(1.5).apply(&image, &mut SampleRandom::new(0)).is_err());
}

/// torchvision's definitions, written out in f64.
#[test]
fn colours() {
    let image = Tensor::new([[[0.2, 0.5]], [[0.4, 0.1]], [[0.3, 0.05]]]);
    let pixels: Vec<f64> = image.to_vec::<f32>().unwrap().into_iter().map(f64::from).collect();
    let grey: Vec<f64> =
        (0..2).map(|i| 0.2989 * pixels[i] + 0.587 * pixels[2 + i] + 0.114 * pixels[4 + i]).collect();
    let mean = (grey[0] + grey[1]) / 2.0;
    type Base<'a> = &'a dyn Fn(usize) -> f64;
    let cases: [(ColorJitter, Base<'_>); 3] = [
        (ColorJitter::new().brightness(0.5), &|_| 0.0),
        (ColorJitter::new().contrast(0.5), &|_| mean),
        (ColorJitter::new().saturation(0.5), &|i| grey[i % 2]),
    ];
    for (jitter, base) in cases {
        let mut factors = Vec::new();
        for seed in 0..200 {
            let got = apply(&jitter, &image, seed);
            // Every value says the same factor.
            let factor = (f64::from(got[2]) - base(0)) / (pixels[2] - base(0));
            for (i, &x) in got.iter().enumerate() {
                let want = (factor * pixels[i] + (1.0 - factor) * base(i)).clamp(0.0, 1.0);
                assert!((f64::from(x) - want).abs() < 1e-5, "{jitter:?}: {x} and {want}");
            }
            factors.push(factor);
        }
        factors.sort_by(f64::total_cmp);
        assert!((0.5..0.55).contains(&factors[0]) && (1.45..1.5).contains(&factors[199]), "{jitter:?}");
    }
    assert_eq!(apply(&ColorJitter::new(), &image, 0), image.to_vec::<f32>().unwrap());
    let grey_image = ramp([1, 2, 2]);
    let jitter = ColorJitter::new().saturation(1.0).hue(0.5);
    assert_eq!(apply(&jitter, &grey_image, 0), [1.0, 2.0, 3.0, 4.0]);
    for jitter in
        [ColorJitter::new().hue(0.6), ColorJitter::new().contrast(-0.1), ColorJitter::new().hue(f64::NAN)]
    {
        assert!(jitter.apply(&image, &mut SampleRandom::new(0)).is_err());
    }
    assert!(ColorJitter::new().apply(&ramp([2, 2, 2]), &mut SampleRandom::new(0)).is_err());
    let to_grey = Grayscale.apply(&image, &mut SampleRandom::new(0)).unwrap();
    assert_eq!(to_grey.shape(), &[1, 1, 2]);
    assert!((f64::from(to_grey.to_vec::<f32>().unwrap()[1]) - grey[1]).abs() < 1e-6);
}

/// A hue that turns keeps the lightest and the darkest channel, and grey.
#[test]
fn hues() {
    let image = Tensor::new([[[0.9, 0.5]], [[0.2, 0.5]], [[0.2, 0.5]]]);
    let mut seen = [false; 3];
    for seed in 0..100 {
        let got = apply(&ColorJitter::new().hue(0.5), &image, seed);
        assert!((got[1] - 0.5).abs() < 1e-6 && (got[3] - 0.5).abs() < 1e-6 && (got[5] - 0.5).abs() < 1e-6);
        let colour = [got[0], got[2], got[4]];
        let most = colour.iter().copied().fold(0.0, f32::max);
        let least = colour.iter().copied().fold(1.0, f32::min);
        assert!((most - 0.9).abs() < 1e-6 && (least - 0.2).abs() < 1e-6, "{colour:?}");
        (0..3).for_each(|i| seen[i] |= colour[i] == most);
    }
    assert_eq!(seen, [true; 3]);
}

#[test]
fn one_after_the_other() {
    let image = ramp([1, 4, 4]);
    let nothing = Compose::new();
    assert_eq!(apply(&nothing, &image, 0), image.to_vec::<f32>().unwrap());
    let several = Compose::new()
        .then(CenterCrop::new(2))
        .then(Resize::new((2, 4)))
        .then(Compose::new().then(RandomVerticalFlip::new().p(1.0)).then(Normalize::new([1.0], [1.0])))
        .then(RandomApply::new(RandomHorizontalFlip::new().p(1.0)).p(1.0));
    // The middle 6 7 / 10 11; wider: 6 6.25 6.75 7; upside down, less 1, mirrored.
    assert_eq!(apply(&several, &image, 0), [10.0, 9.75, 9.25, 9.0, 6.0, 5.75, 5.25, 5.0]);
    let error = RandomApply::new(CenterCrop::new(2)).apply(&image, &mut SampleRandom::new(0)).unwrap_err();
    assert!(error.message().contains("[1, 2, 2]"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Shape);
}

#[test]
fn what_is_no_image() {
    let transform = RandomHorizontalFlip::new();
    for tensor in [Tensor::zeros([3, 3]).unwrap(), Tensor::new([[[1]]]), Tensor::zeros([1, 2, 3, 4]).unwrap()]
    {
        let error = transform.apply(&tensor, &mut SampleRandom::new(0)).unwrap_err();
        assert!(error.message().contains("an image of float32"), "{error}");
        assert_eq!(error.location().unwrap().file(), file!());
    }
    let rows = TensorDataset::new(Tensor::zeros([4, 3]).unwrap()).unwrap();
    let said = rows.transform(transform).get_batch(&[0]).unwrap_err().message().to_string();
    assert!(said.contains("[batch, channels, height, width]") && said.contains("[1, 3]"), "{said}");
    assert!(Resize::new(0).apply(&ramp([1, 2, 2]), &mut SampleRandom::new(0)).is_err());
    assert!(RandomRotation::between(1.0, 0.0).apply(&ramp([1, 2, 2]), &mut SampleRandom::new(0)).is_err());
}

/// Images without rows, columns or channels are no reason to panic.
#[test]
fn empty_images() {
    let all: [Box<dyn Transform>; 8] = [
        Box::new(RandomHorizontalFlip::new().p(1.0)),
        Box::new(RandomVerticalFlip::new().p(1.0)),
        Box::new(RandomRotation::new(30.0)),
        Box::new(RandomErasing::new().p(1.0)),
        Box::new(ColorJitter::new().brightness(0.5).contrast(0.5).saturation(0.5).hue(0.5)),
        Box::new(CenterCrop::new(2)),
        Box::new(RandomCrop::new(2).pad_if_needed(true)),
        Box::new(Normalize::new([0.0], [1.0])),
    ];
    for shape in [[1, 0, 4], [3, 4, 0], [1, 0, 0], [0, 2, 2]] {
        for transform in &all {
            let _ = transform.apply(&Tensor::zeros(shape).unwrap(), &mut SampleRandom::new(0));
        }
        assert!(
            RandomResizedCrop::new(2)
                .apply(&Tensor::zeros(shape).unwrap(), &mut SampleRandom::new(0))
                .is_err()
                || shape[0] == 0
        );
    }
}

fn augment() -> Compose {
    Compose::new()
        .then(RandomCrop::new(12).padding(2))
        .then(RandomHorizontalFlip::new())
        .then(RandomRotation::new(20.0).interpolation(Interpolation::Bilinear))
        .then(ColorJitter::new().brightness(0.2).contrast(0.3).saturation(0.2).hue(0.1))
        .then(RandomErasing::new())
        .then(Normalize::new([0.5], [0.25]))
}

fn images(n: usize) -> TensorDataset<(Tensor, Tensor)> {
    let mut generator = Generator::new(9);
    let mut pixels = vec![0f32; n * 3 * 12 * 12];
    generator.uniform(&mut pixels, 0.0, 1.0).unwrap();
    TensorDataset::new((Tensor::from_vec(pixels, [n, 3, 12, 12]).unwrap(), Tensor::arange(n).unwrap()))
        .unwrap()
}

/// What an epoch makes of each sample, by label, as bits.
fn epoch<D: Dataset<Batch = (Tensor, Tensor)> + Clone + 'static>(
    loader: &DataLoader<D>,
) -> Vec<(i64, Vec<u32>)> {
    let mut all = Vec::new();
    for batch in loader {
        let (x, y) = batch.unwrap();
        let x = x.to_vec::<f32>().unwrap();
        let numel = x.len() / y.numel();
        for (i, label) in y.to_vec::<i64>().unwrap().into_iter().enumerate() {
            all.push((label, x[i * numel..][..numel].iter().map(|x| x.to_bits()).collect()));
        }
    }
    all
}

#[test]
fn what_happens_to_a_sample_depends_on_seed_and_epoch_alone() {
    let dataset = images(50).transform(augment());
    let loader = |size: usize| DataLoader::new(&dataset).batch_size(size).generator(Generator::new(1));
    let plain = loader(7);
    let (first, second) = (epoch(&plain), epoch(&plain));
    assert_ne!(first, second, "each epoch changes the samples in another way");
    assert_eq!(epoch(&loader(50).num_workers(2)), first, "another size of batches");
    let mut shuffled = epoch(&loader(13).shuffle(true));
    shuffled.sort();
    assert_eq!(shuffled, first, "another order");

    // Through views of the dataset too, as the seeds are those of the loader.
    let whole = Subset::new(&dataset, (0..50).collect::<Vec<_>>()).unwrap();
    let same = DataLoader::new(&whole).batch_size(9).generator(Generator::new(1));
    assert_eq!(epoch(&same), first);
    let half = |range: std::ops::Range<usize>| Subset::new(&dataset, range.collect::<Vec<_>>()).unwrap();
    let joined = ConcatDataset::new([half(0..20), half(20..50)]).unwrap();
    let same = DataLoader::new(&joined).batch_size(9).generator(Generator::new(1));
    assert_eq!(epoch(&same), first);

    // Asked directly, always the same.
    let once = dataset.get_batch(&[3, 4]).unwrap().0.to_vec::<f32>().unwrap();
    assert_eq!(dataset.get_batch(&[3, 4]).unwrap().0.to_vec::<f32>().unwrap(), once);
}

#[test]
fn maps_of_batches_and_samples() {
    let dataset = images(6);
    let doubled = dataset.map(|(x, y)| Ok((x.mul(2.0)?, y)));
    let (x, y) = doubled.get_batch(&[5, 0]).unwrap();
    let (plain, _) = dataset.get_batch(&[5, 0]).unwrap();
    assert_eq!(x.to_vec::<f32>().unwrap(), plain.mul(2.0).unwrap().to_vec::<f32>().unwrap());
    assert_eq!((y.to_vec::<i64>().unwrap(), doubled.len()), (vec![5, 0], 6));

    let single = dataset.map_samples(|(x, y), random| {
        assert_eq!(x.shape(), &[3, 12, 12]);
        if y.item()? == 4.0 {
            chainrule_tensor::bail!(Value, "test", "a bad sample");
        }
        Ok((y, Tensor::new(i64::from(random.random()))))
    });
    let loader = |size: usize, workers: usize| {
        let good = Subset::new(&single, [0, 1, 2, 3, 5]).unwrap();
        let loader =
            DataLoader::new(&good).batch_size(size).num_workers(workers).generator(Generator::new(2));
        let numbers: Vec<_> = loader.iter().map(|b| b.unwrap().1.to_vec::<i64>().unwrap()).collect();
        numbers.concat()
    };
    assert_eq!(loader(1, 0), loader(5, 2));
    let said = single.get_batch(&[1, 4]).unwrap_err().message().to_string();
    assert_eq!(said, "sample 4: a bad sample");
    let labels = dataset.map(one_hot(6)).get_batch(&[2]).unwrap().1;
    assert_eq!(labels.to_vec::<f32>().unwrap(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    assert!(dataset.map(one_hot(2)).get_batch(&[2]).is_err());
}

/// A transform of one's own sees what it says, and its length.
#[test]
fn ones_own() {
    struct Rows;
    impl Transform for Rows {
        fn output_size(&self, input: ImageSize) -> chainrule_tensor::Result<ImageSize> {
            Ok(ImageSize { height: 1, ..input })
        }

        fn write(&self, image: Image<'_>, out: &mut [f32], _: &mut SampleRandom) {
            let ImageSize { channels, width, height } = image.size();
            for channel in 0..channels {
                out[channel * width..][..width].copy_from_slice(image.row(channel, height - 1));
            }
        }
    }
    let (x, _) = images(3).transform(Arc::new(Rows)).get_batch(&[1]).unwrap();
    assert_eq!(x.shape(), &[1, 3, 1, 12]);
}
