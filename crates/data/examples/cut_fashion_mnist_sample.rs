//! Cuts a balanced sample out of the published Fashion-MNIST files, in the same format.
//!
//! `cargo run --release -p chainrule-data --example cut_fashion_mnist_sample -- FROM TO`
//!
//! reads the four files in FROM and writes four smaller ones to TO: 1,000 images of each class from the training
//! set and 200 of each from the test set. Which ones is decided by a random permutation (seed 0 for the training
//! set, 1 for the test set): the first so many of each class. They keep their published order.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use chainrule_data::FashionMnist;
use chainrule_tensor::random::Generator;
use flate2::{Compression, GzBuilder};

const PIXELS: usize = 28 * 28;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = &arguments[..] else {
        return Err("usage: cut_fashion_mnist_sample FROM TO".into());
    };
    std::fs::create_dir_all(to)?;
    for (train, prefix, of_each_class, seed) in [(true, "train", 1000, 0), (false, "t10k", 200, 1)] {
        let whole = FashionMnist::load(from, train)?;
        let chosen = choose(whole.labels(), of_each_class, seed)?;

        let pixels: Vec<u8> =
            chosen.iter().flat_map(|&i| &whole.pixels()[i * PIXELS..][..PIXELS]).copied().collect();
        let labels: Vec<u8> = chosen.iter().map(|&i| whole.labels()[i]).collect();
        let path = |name: &str| Path::new(to).join(format!("{prefix}-{name}-ubyte.gz"));
        write(&path("images-idx3"), &[chosen.len(), 28, 28], &pixels)?;
        write(&path("labels-idx1"), &[chosen.len()], &labels)?;
        println!("{prefix}: {} of {} images", chosen.len(), whole.labels().len());
    }
    Ok(())
}

/// So many samples of each class, in rising order of their indices.
fn choose(labels: &[u8], of_each_class: usize, seed: u64) -> Result<Vec<usize>, String> {
    let mut left = [of_each_class; 10];
    let mut chosen = Vec::new();
    for i in Generator::new(seed).permutation(labels.len()) {
        let left = &mut left[usize::from(labels[i as usize])];
        if *left > 0 {
            *left -= 1;
            chosen.push(i as usize);
        }
    }
    if left != [0; 10] {
        return Err(format!("fewer than {of_each_class} images in some class: {left:?} are missing"));
    }
    chosen.sort();
    Ok(chosen)
}

/// Writes an IDX file of bytes, compressed; the same bytes each time, as gzip's time stamp is left out.
fn write(path: &Path, shape: &[usize], data: &[u8]) -> Result<(), Box<dyn Error>> {
    let mut gzip = GzBuilder::new().mtime(0).write(File::create(path)?, Compression::best());
    gzip.write_all(&[0, 0, 0x08, shape.len() as u8])?;
    for &size in shape {
        gzip.write_all(&u32::try_from(size)?.to_be_bytes())?;
    }
    gzip.write_all(data)?;
    gzip.finish()?;
    Ok(())
}
