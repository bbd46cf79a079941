//! Options and images at the ends of what there is: right values or errors, never a panic or a wrong image.

use chainrule_data::transforms::{
    CenterCrop, ColorJitter, Compose, Grayscale, Interpolation, Normalize, RandomApply, RandomCrop,
    RandomErasing, RandomHorizontalFlip, RandomResizedCrop, RandomRotation, RandomVerticalFlip, Resize,
    SampleRandom, Transform,
};
use chainrule_data::{Dataset, TensorDataset};
use chainrule_tensor::{ErrorKind, Result, Tensor};

const ODD: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

fn image() -> Tensor {
    Tensor::from_vec((1..=12).map(|x| x as f32 / 16.0).collect(), [3, 2, 2]).unwrap()
}

fn apply(transform: &impl Transform, image: &Tensor) -> Result<Tensor> {
    transform.apply(image, &mut SampleRandom::new(3))
}

#[track_caller]
fn refused(transform: &impl Transform, kind: ErrorKind) -> String {
    let error = apply(transform, &image()).unwrap_err();
    assert_eq!((error.kind(), error.location().unwrap().file()), (kind, file!()), "{error}");
    error.message().to_string()
}

#[test]
fn paddings_beyond_what_can_be_counted() {
    for padding in [usize::MAX, usize::MAX / 2, usize::MAX / 2 + 1, 1 << 63, 1 << 62] {
        assert!(refused(&RandomCrop::new(2).padding(padding), ErrorKind::Shape).contains("too large"));
        assert!(refused(&RandomCrop::new(2).padding((0, padding)), ErrorKind::Shape).contains("too large"));
    }
    refused(&RandomCrop::new(usize::MAX).pad_if_needed(true), ErrorKind::Shape);
    // An image in the middle of very much of the same: it is not met by chance.
    for padding in [1 << 32, 1 << 33, 1 << 60, (1 << 62) - 2] {
        let part = apply(&RandomCrop::new(2).padding(padding).fill(0.5), &image()).unwrap();
        assert_eq!(part.to_vec::<f32>().unwrap(), [0.5; 12], "{padding}");
    }
    for size in [1 << 32, 1 << 40] {
        refused(&RandomCrop::new(size).pad_if_needed(true), ErrorKind::Memory);
    }
}

#[test]
fn results_that_do_not_fit_in_memory() {
    for size in [1 << 32, 1 << 40, usize::MAX] {
        refused(&CenterCrop::new(size), ErrorKind::Memory);
        refused(&Resize::new(size), ErrorKind::Memory);
        refused(&Resize::new((size, 1)), ErrorKind::Memory);
        refused(&Resize::shorter_side(size), ErrorKind::Memory);
        refused(&RandomResizedCrop::new(size), ErrorKind::Memory);
        refused(&RandomCrop::new(size), ErrorKind::Shape);
    }
    // A side that is longer than can be counted: 2^63 × 3 / 2.
    let wide = Tensor::zeros([1, 2, 3]).unwrap();
    assert_eq!(apply(&Resize::shorter_side(1 << 63), &wide).unwrap_err().kind(), ErrorKind::Memory);
}

#[test]
fn images_between_two_steps_that_do_not_fit() {
    for size in [1 << 21, 1 << 32, usize::MAX] {
        let steps = [
            Compose::new().then(CenterCrop::new(size)).then(CenterCrop::new(1)),
            Compose::new().then(Resize::new(size)).then(CenterCrop::new(1)),
            Compose::new().then(RandomResizedCrop::new(size)).then(RandomCrop::new(1)),
            Compose::new()
                .then(Grayscale)
                .then(Compose::new().then(Resize::shorter_side(size)).then(Resize::new(1))),
            Compose::new()
                .then(
                    RandomApply::new(Compose::new().then(CenterCrop::new(size)).then(CenterCrop::new(2)))
                        .p(1.0),
                )
                .then(CenterCrop::new(1)),
        ];
        for steps in steps {
            // Some sizes are beyond the arithmetic of shapes before they are beyond memory.
            let refusals = [ErrorKind::Memory, ErrorKind::Shape];
            let error = apply(&steps, &image()).unwrap_err();
            assert!(refusals.contains(&error.kind()), "{error}");
            assert_eq!(error.location().unwrap().file(), file!());
            let rows = TensorDataset::new(Tensor::zeros([5, 3, 2, 2]).unwrap()).unwrap();
            let error = rows.transform(steps).get_all().unwrap_err();
            assert!(refusals.contains(&error.kind()), "{error}");
            assert_eq!(error.location().unwrap().file(), file!());
        }
    }
    // An image between the two directions of one step: one row of 2^40 columns, of two rows.
    let thin = Tensor::zeros([0, 2, 1 << 40]).unwrap();
    assert_eq!(apply(&Resize::new((1, 1)), &thin).unwrap().shape(), &[0, 1, 1]);
}

#[test]
fn angles() {
    for angle in ODD {
        refused(&RandomRotation::new(angle), ErrorKind::Value);
        refused(&RandomRotation::between(angle, angle), ErrorKind::Value);
    }
    assert!(refused(&RandomRotation::new(f64::MAX), ErrorKind::Value).contains("wider"));
    refused(&RandomRotation::new(f64::MAX / 1.5), ErrorKind::Value);
    refused(&RandomRotation::new(-10.0), ErrorKind::Value);
    refused(&RandomRotation::between(2.0, 1.0), ErrorKind::Value);
    // A whole turn is 360, and what is left of f64::MAX after turns is 128.
    let image = Tensor::from_vec((0..25).map(|x| x as f32).collect(), [1, 5, 5]).unwrap();
    for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
        let turn = |angle| {
            let turned = RandomRotation::between(angle, angle).interpolation(interpolation);
            apply(&turned, &image).unwrap().to_vec::<f32>().unwrap()
        };
        assert_eq!(turn(f64::MAX), turn(REST_OF_MAX));
        assert_eq!(turn(-f64::MAX), turn(-REST_OF_MAX));
        assert_eq!(turn(360.0 * (1u64 << 40) as f64 + 30.0), turn(30.0));
    }
    assert!(apply(&RandomRotation::new(f64::MAX / 2.0), &image).is_ok());
}

/// `int(sys.float_info.max) % 360` in Python.
const REST_OF_MAX: f64 = 128.0;

#[test]
fn factors_of_colours() {
    for bad in [ODD[0], ODD[1], ODD[2], -0.1, f64::MAX, 1e39] {
        refused(&ColorJitter::new().brightness(bad), ErrorKind::Value);
        refused(&ColorJitter::new().contrast(bad), ErrorKind::Value);
        refused(&ColorJitter::new().saturation(bad), ErrorKind::Value);
        refused(&ColorJitter::new().hue(bad), ErrorKind::Value);
    }
    // Factors as large as there are: black stays black, and all is between 0 and 1.
    let most = f64::from(f32::MAX);
    let image = Tensor::new([[[0.0, 0.5]], [[0.0, 0.25]], [[0.0, 1.0]]]);
    for seed in 0..20 {
        let jitter = ColorJitter::new().brightness(most).contrast(most).saturation(most).hue(0.5);
        let changed = jitter.apply(&image, &mut SampleRandom::new(seed)).unwrap().to_vec::<f32>().unwrap();
        assert!(changed.iter().all(|x| (0.0..=1.0).contains(x)), "{changed:?}");
        let bright = ColorJitter::new().brightness(most);
        let changed = bright.apply(&image, &mut SampleRandom::new(seed)).unwrap().to_vec::<f32>().unwrap();
        assert_eq!(changed, [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    }
}

#[test]
fn means_and_deviations() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert!(refused(&Normalize::new([bad], [1.0]), ErrorKind::Value).contains("means"));
        assert!(refused(&Normalize::new([0.0], [1.0, bad, 1.0]), ErrorKind::Value).contains("deviations"));
    }
    for bad in [0.0, -0.0, -1.0] {
        assert!(refused(&Normalize::new([0.0], [bad]), ErrorKind::Value).contains("above 0"));
    }
}

#[test]
fn rectangles_and_probabilities() {
    let scales = [(0.5, 0.1), (-0.1, 0.5), (0.1, 1.5), (ODD[0], 0.5), (0.1, ODD[0]), (0.1, ODD[1])];
    let ratios = [(2.0, 1.0), (0.0, 1.0), (-1.0, 1.0), (ODD[0], 1.0), (1.0, ODD[0]), (1.0, ODD[1])];
    for (low, high) in scales {
        refused(&RandomErasing::new().scale(low, high), ErrorKind::Value);
        refused(&RandomResizedCrop::new(2).scale(low, high), ErrorKind::Value);
    }
    for (low, high) in ratios {
        refused(&RandomErasing::new().ratio(low, high), ErrorKind::Value);
        refused(&RandomResizedCrop::new(2).ratio(low, high), ErrorKind::Value);
    }
    for p in [ODD[0], ODD[1], ODD[2], -0.1, 1.1] {
        refused(&RandomErasing::new().p(p), ErrorKind::Value);
        refused(&RandomHorizontalFlip::new().p(p), ErrorKind::Value);
        refused(&RandomVerticalFlip::new().p(p), ErrorKind::Value);
        refused(&RandomApply::new(RandomHorizontalFlip::new()).p(p), ErrorKind::Value);
    }
    // Shapes at the ends of the range: no rectangle is so thin, and the image stays.
    for (low, high) in [(5e-324, f64::MAX), (f64::MAX, f64::MAX), (5e-324, 5e-324)] {
        for seed in 0..20 {
            let random = &mut SampleRandom::new(seed);
            let part =
                RandomResizedCrop::new(2).scale(0.0, 1.0).ratio(low, high).apply(&image(), random).unwrap();
            assert!(part.to_vec::<f32>().unwrap().iter().all(|x| (0.0..=1.0).contains(x)));
            let erased = RandomErasing::new().p(1.0).ratio(low, high).apply(&image(), random).unwrap();
            if low == high {
                assert_eq!(erased.to_vec::<f32>().unwrap(), image().to_vec::<f32>().unwrap());
            }
        }
    }
}

/// No samples, no channels, no rows, no columns, and sizes beside a 0 whose product would not fit.
#[test]
fn images_without_pixels() {
    type Change<'a> = &'a dyn Fn(&Tensor) -> Result<Tensor>;
    fn all(check: &mut dyn FnMut(Change<'_>, &str)) {
        macro_rules! each {
            ($($transform:expr),+ $(,)?) => {$({
                let transform = $transform;
                check(&|image| transform.apply(image, &mut SampleRandom::new(1)), stringify!($transform));
            })+};
        }
        each!(
            CenterCrop::new(2),
            CenterCrop::new(0),
            RandomCrop::new(2).pad_if_needed(true),
            RandomCrop::new(0),
            RandomHorizontalFlip::new().p(1.0),
            RandomVerticalFlip::new().p(1.0),
            RandomRotation::new(45.0),
            RandomErasing::new().p(1.0),
            Normalize::new([0.5], [0.5]),
            ColorJitter::new().brightness(0.5).contrast(0.5).saturation(0.5).hue(0.5),
            Grayscale,
            Resize::new(2),
            Resize::shorter_side(2),
            RandomResizedCrop::new(2),
            RandomApply::new(RandomRotation::new(45.0)).p(1.0),
            Compose::new(),
            Compose::new()
                .then(CenterCrop::new(0))
                .then(RandomVerticalFlip::new().p(1.0))
                .then(CenterCrop::new(2)),
            Compose::new().then(CenterCrop::new((0, 1 << 40))).then(CenterCrop::new((1, 2))),
        );
    }
    for shape in [
        [0, 2, 2],
        [3, 0, 2],
        [3, 2, 0],
        [0, 0, 0],
        [1, 0, 1 << 40],
        [0, 1 << 40, 1 << 40],
        [0, usize::MAX, 2],
        [3, 0, usize::MAX],
    ] {
        let Ok(image) = Tensor::zeros(shape) else { continue };
        all(&mut |apply, name| match apply(&image) {
            Ok(changed) => {
                // What is padded to a size is all zeros.
                assert!(changed.to_vec::<f32>().unwrap().iter().all(|&x| x == 0.0), "{name} of {shape:?}");
            }
            Err(error) => assert!(matches!(error.kind(), ErrorKind::Shape | ErrorKind::Memory), "{error}"),
        });
    }
    let none = TensorDataset::new(Tensor::zeros([0, 3, 4, 4]).unwrap()).unwrap();
    assert_eq!(none.transform(CenterCrop::new(2)).get_all().unwrap().shape(), &[0, 3, 2, 2]);
}
