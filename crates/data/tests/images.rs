//! Images in files and folders.
#![cfg(feature = "image")]

use std::io::Cursor;
use std::path::Path;

use chainrule_data::transforms::{CenterCrop, Compose, RandomCrop, Resize};
use chainrule_data::{Channels, DataLoader, Dataset, ImageFolder, ImageOptions, parse_image, read_image};
use chainrule_tensor::random::Generator;
use chainrule_tensor::{ErrorKind, Result};
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, RgbaImage,
};

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    encoded(&image.into(), ImageFormat::Png)
}

const GREY: ImageOptions = ImageOptions { channels: Channels::Grey, max_pixels: 1000 };

fn refused<T>(result: Result<T>, rule: &str) {
    let error = result.err().expect("an error");
    assert_eq!(error.kind(), ErrorKind::Data, "{error}");
    assert!(error.message().contains(rule), "expected {rule:?}: {error}");
    assert_eq!(error.location().unwrap().file(), file!());
}

#[test]
fn png_files_of_every_kind() {
    let values = |bytes: &[u8], options| {
        let image = parse_image(bytes, options).unwrap();
        assert_eq!(image.shape()[1..], [1, 2]);
        image.to_vec::<f32>().unwrap().into_iter().map(|x| (x * 65535.0).round()).collect::<Vec<f32>>()
    };
    let of_bytes = |bytes: &[u8]| bytes.iter().map(|&x| f32::from(x) * 257.0).collect::<Vec<f32>>();
    let rgb = ImageOptions::default();

    let colour = png(RgbImage::from_raw(2, 1, vec![10, 20, 30, 40, 50, 60]).unwrap());
    assert_eq!(values(&colour, rgb), of_bytes(&[10, 40, 20, 50, 30, 60]));
    let want = |r: f32, g: f32, b: f32| ((0.2989 * r + 0.587 * g + 0.114 * b) * 257.0).round();
    assert_eq!(values(&colour, GREY), [want(10.0, 20.0, 30.0), want(40.0, 50.0, 60.0)]);
    let transparent = png(RgbaImage::from_raw(2, 1, vec![10, 20, 30, 0, 40, 50, 60, 7]).unwrap());
    assert_eq!(values(&transparent, rgb), of_bytes(&[10, 40, 20, 50, 30, 60]));
    let grey = png(GrayImage::from_raw(2, 1, vec![10, 255]).unwrap());
    assert_eq!(values(&grey, rgb), of_bytes(&[10, 255, 10, 255, 10, 255]));
    assert_eq!(values(&grey, GREY), of_bytes(&[10, 255]));
    let faint = png(GrayAlphaImage::from_raw(2, 1, vec![10, 3, 255, 0]).unwrap());
    assert_eq!(values(&faint, GREY), of_bytes(&[10, 255]));
    let deep = png(ImageBuffer::<Rgb<u16>, _>::from_raw(2, 1, vec![1, 500, 65535, 9, 8, 7]).unwrap());
    assert_eq!(values(&deep, rgb), [1.0, 9.0, 500.0, 8.0, 65535.0, 7.0]);
    let deep = png(ImageBuffer::<Luma<u16>, _>::from_raw(2, 1, vec![1, 500]).unwrap());
    assert_eq!(values(&deep, GREY), [1.0, 500.0]);
}

#[test]
fn jpeg_files() {
    let image = RgbImage::from_fn(40, 24, |x, y| Rgb([(x * 6) as u8, (y * 10) as u8, 100]));
    let bytes = encoded(&image.clone().into(), ImageFormat::Jpeg);
    let read = parse_image(&bytes, ImageOptions::default()).unwrap();
    assert_eq!(read.shape(), &[3, 24, 40]);
    let read = read.to_vec::<f32>().unwrap();
    for (i, pixel) in image.pixels().enumerate() {
        for (channel, &x) in pixel.0.iter().enumerate() {
            assert!((read[channel * 960 + i] - f32::from(x) / 255.0).abs() < 0.1);
        }
    }
}

#[test]
fn bad_files() {
    let noise =
        RgbImage::from_fn(30, 30, |x, y| Rgb([(x * 97 + y * 31) as u8, (x * y) as u8, (y * 7) as u8]));
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let good = encoded(&noise.clone().into(), format);
        parse_image(&good, ImageOptions::default()).unwrap();
        let small = ImageOptions { max_pixels: 899, ..ImageOptions::default() };
        refused(parse_image(&good, small), "30 × 30 pixels, where 899 are allowed");
        for length in [0, 1, 7, 20, 40] {
            refused(parse_image(&good[..length], ImageOptions::default()), "");
        }
    }
    let good = png(noise);
    for length in (0..good.len()).step_by(50) {
        refused(parse_image(&good[..length], ImageOptions::default()), "");
    }
    refused(parse_image(b"GIF89a......", ImageOptions::default()), "neither a PNG nor a JPEG");
    refused(parse_image(b"\xFF\xFE\x00text", ImageOptions::default()), "neither a PNG nor a JPEG");
    // The width in the header, with the checksum that belongs to it.
    let mut wide = good.clone();
    wide[16..24].copy_from_slice(&[0, 0, 0x20, 0, 0, 0, 0x20, 0]);
    let mut sum = flate2::Crc::new();
    sum.update(&wide[12..29]);
    wide[29..33].copy_from_slice(&sum.sum().to_be_bytes());
    refused(parse_image(&wide, ImageOptions::default()), "8192 × 8192 pixels do not go into");
    refused(parse_image(&vec![0x89; 3 << 20], GREY), "");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bad.png");
    std::fs::write(&path, &good[..100]).unwrap();
    refused(read_image(&path, ImageOptions::default()), path.to_str().unwrap());
}

/// Found by fuzzing: the JPEG decoder asks for more than there is of a row and panics.
#[test]
fn a_decoder_that_panics() {
    let bytes = include_bytes!("recorded/decoder_panic.jpg");
    refused(parse_image(bytes, ImageOptions::default()), "damaged");
}

fn write(path: &Path, width: u32, height: u32, value: u8) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, png(RgbImage::from_pixel(width, height, Rgb([value; 3])))).unwrap();
}

#[test]
fn folders() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write(&root.join("dog/b.PNG"), 6, 6, 51);
    write(&root.join("dog/a.png"), 6, 6, 0);
    write(&root.join("cat/deep/x.jpeg"), 6, 6, 102);
    write(&root.join("cat/c.jpg"), 6, 6, 255);
    std::fs::write(root.join("cat/notes.txt"), "no image").unwrap();
    std::fs::write(root.join("readme.png"), "not in a folder of a class").unwrap();
    // What is hidden: notebooks, file managers and archives leave such things behind.
    write(&root.join(".ipynb_checkpoints/cat-checkpoint.png"), 6, 6, 9);
    write(&root.join("cat/.ipynb_checkpoints/c-checkpoint.jpg"), 6, 6, 9);
    std::fs::write(root.join("dog/._a.png"), "no image").unwrap();
    std::fs::create_dir(root.join(".git")).unwrap();

    let folder = ImageFolder::open(root).unwrap();
    assert_eq!(folder.classes(), ["cat", "dog"]);
    assert_eq!(folder.labels(), [0, 0, 1, 1]);
    let names: Vec<_> =
        folder.samples().iter().map(|(path, _)| path.strip_prefix(root).unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["cat/c.jpg", "cat/deep/x.jpeg", "dog/a.png", "dog/b.PNG"]);
    let (images, labels) = folder.get_batch(&[3, 0]).unwrap();
    assert_eq!(images.shape(), &[2, 3, 6, 6]);
    let images = images.to_vec::<f32>().unwrap();
    assert!(images[..108].iter().all(|&x| x == 0.2) && images[108..].iter().all(|&x| x == 1.0));
    assert_eq!(labels.to_vec::<i64>().unwrap(), [1, 0]);

    // Unlike images are named, and made alike by a transform; workers do not matter.
    write(&root.join("dog/c.png"), 9, 12, 7);
    let unlike = ImageFolder::open(root)
        .unwrap()
        .options(ImageOptions { channels: Channels::Grey, ..Default::default() });
    let error = unlike.get_batch(&[0, 4]).unwrap_err();
    assert!(error.message().contains("[1, 6, 6]") && error.message().contains("sample 4"), "{error}");
    let alike = unlike
        .transform(Compose::new().then(Resize::shorter_side(6)).then(CenterCrop::new(6)))
        .transform(RandomCrop::new(5));
    let epoch = |workers| {
        let loader = DataLoader::new(&alike)
            .batch_size(2)
            .shuffle(true)
            .num_workers(workers)
            .generator(Generator::new(4));
        loader.iter().map(|batch| batch.unwrap().0.to_vec::<f32>().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(epoch(0), epoch(3));
    let augmented = Dataset::transform(&folder, RandomCrop::new(2)).get_batch(&[0]).unwrap().0;
    assert_eq!(augmented.shape(), &[1, 3, 2, 2]);

    std::fs::write(root.join("dog/a.png"), "damaged").unwrap();
    let said = folder.get_batch(&[0, 2]).unwrap_err().message().to_string();
    assert!(said.starts_with("sample 2: ") && said.contains("dog/a.png: neither a PNG"), "{said}");
}

#[test]
fn folders_that_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join(".hidden")).unwrap();
    refused(ImageFolder::open(directory.path()), "there are no folders");
    std::fs::create_dir(directory.path().join("cat")).unwrap();
    refused(ImageFolder::open(directory.path()), "cat: there are no images of the class");
    let missing = ImageFolder::open(directory.path().join("missing")).unwrap_err();
    assert_eq!((missing.kind(), missing.location().unwrap().file()), (ErrorKind::Io, file!()));
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let directory = tempfile::tempdir().unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"caf\xE9");
    if std::fs::create_dir(directory.path().join(odd)).is_ok() {
        write(&directory.path().join(odd).join("a.png"), 1, 1, 1);
        refused(ImageFolder::open(directory.path()), "must be UTF-8");
    }
    // Within a class only the ending matters.
    let directory = tempfile::tempdir().unwrap();
    let odd = directory.path().join("cat").join(std::ffi::OsStr::from_bytes(b"caf\xE9.png"));
    write(&odd, 1, 1, 51);
    assert_eq!(
        ImageFolder::open(directory.path()).unwrap().get_batch(&[0]).unwrap().0.to_vec::<f32>().unwrap(),
        [0.2; 3]
    );
}
