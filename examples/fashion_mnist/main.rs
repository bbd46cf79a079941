//! A convolutional network on Fashion-MNIST, by a training loop that one can read.
//!
//!     cargo run --release --example fashion_mnist
//!     cargo run --release --example fashion_mnist -- --help
//!
//! It trains on a sample of the data that comes with the examples; with the full data set (Debian's package
//! `dataset-fashion-mnist`, or `--data DIR`) it reaches the accuracies that are published for such networks.
//! The weights are saved whenever the validation accuracy is the best so far, and `--evaluate FILE` reads them
//! back.

// `pub` reads better than `pub(crate)` in a program, where they mean the same.
#![allow(unreachable_pub)]

pub mod data;
pub mod evaluate;
pub mod model;
pub mod options;
pub mod train;

use std::io::{self, Write};
use std::process::ExitCode;

use chainrule::prelude::*;
use clap::Parser;

use self::data::Data;
use self::options::Options;

fn main() -> ExitCode {
    // Wrong options end the program here, with exit code 2.
    let options = Options::parse();
    match run(&options, &mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_line(&*error));
            ExitCode::FAILURE
        }
    }
}

/// What may go wrong: an error of chainrule, or the output that cannot be written any more.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Trains or evaluates, as the options say, and prints to `out`.
pub fn run(options: &Options, out: &mut impl Write) -> Outcome {
    if let Some(threads) = options.threads {
        set_num_threads(threads.get());
    }
    manual_seed(options.seed);
    let data = Data::load(options)?;
    writeln!(out, "{data}")?;
    match &options.evaluate {
        Some(file) => evaluate::from_file(file, &data, out),
        None => train::train(&data, options, out),
    }
}

/// An error for the terminal: without the place in the source, and without line breaks.
pub fn one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let text = match error.downcast_ref::<Error>() {
        Some(error) => error.message().to_string(),
        None => error.to_string(),
    };
    let mut line = String::new();
    for part in text.lines().map(str::trim) {
        match line.chars().last() {
            None => {}
            Some(':') => line.push(' '),
            Some(_) => line.push_str("; "),
        }
        line.push_str(part);
    }
    line
}
