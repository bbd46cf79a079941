//! What can be set on the command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;

/// Trains a small convolutional network on Fashion-MNIST: ten classes of clothes, 28 × 28 pixels in grey.
#[derive(Clone, Debug, Parser)]
#[command(name = "fashion_mnist", next_line_help = true)]
pub struct Options {
    /// Directory with the four files of Fashion-MNIST (train-images-idx3-ubyte, …), packed (.gz) or
    /// not. Without this option the full data set is used where Debian's package
    /// dataset-fashion-mnist puts it, else the sample that comes with the examples.
    #[arg(long, value_name = "DIR", verbatim_doc_comment)]
    pub data: Option<PathBuf>,

    /// Use the sample of 12,000 images that comes with the examples, whatever else there is.
    #[arg(long, conflicts_with = "data")]
    pub sample: bool,

    /// How many times to go through the training images.
    #[arg(long, value_name = "N", default_value = "5", value_parser = count)]
    pub epochs: NonZeroUsize,

    /// How many images make a step.
    #[arg(long, value_name = "N", default_value = "64", value_parser = count)]
    pub batch_size: NonZeroUsize,

    /// Learning rate of Adam.
    #[arg(long, value_name = "RATE", default_value = "5e-4")]
    pub lr: f64,

    /// Seed of all random numbers: the first weights, and the order of the images.
    #[arg(long, value_name = "SEED", default_value = "0")]
    pub seed: u64,

    /// How many threads compute. The results are the same for any number.
    /// [default: the number of processors]
    #[arg(long, value_name = "N", value_parser = count, verbatim_doc_comment)]
    pub threads: Option<NonZeroUsize>,

    /// How many threads prepare batches in advance; 0 prepares each batch when it is its turn.
    #[arg(long, value_name = "N", default_value = "0")]
    pub workers: usize,

    /// Where the best weights are saved, as a safetensors file.
    #[arg(long, value_name = "FILE", default_value = "fashion_mnist.safetensors")]
    pub save: PathBuf,

    /// Do not train: read weights from this file and print their validation loss and accuracy.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["epochs", "lr", "save"])]
    pub evaluate: Option<PathBuf>,
}

/// A number of things of which at least one is needed.
fn count(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a whole number of at least 1 is needed")
}
