//! The example `fashion_mnist` as its users meet it: options, output, errors.

#[allow(dead_code, reason = "the example's `main` is not called")]
#[path = "../examples/fashion_mnist/main.rs"]
mod example;

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use chainrule::prelude::*;
use clap::Parser;
use example::options::Options;

fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
    Options::try_parse_from([&["fashion_mnist"], arguments].concat())
}

/// Random numbers are the process's: tests that draw some take turns.
fn alone() -> MutexGuard<'static, ()> {
    static RANDOM_NUMBERS: Mutex<()> = Mutex::new(());
    RANDOM_NUMBERS.lock().unwrap_or_else(|e| e.into_inner())
}

/// The output, or the line after `error: `.
fn run(arguments: &[&str]) -> Result<String, String> {
    let options = parse(arguments).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    match example::run(&options, &mut out) {
        Ok(()) => Ok(String::from_utf8(out).expect("text")),
        Err(error) => Err(example::one_line(&*error)),
    }
}

/// A file of bytes in the format of MNIST.
fn write_idx(path: &Path, shape: &[usize], bytes: &[u8]) {
    let mut file = vec![0, 0, 8, shape.len() as u8];
    shape.iter().for_each(|&size| file.extend((size as u32).to_be_bytes()));
    file.extend(bytes);
    std::fs::write(path, file).expect("a file");
}

/// The first images of the sample, as a data set of its own.
fn small_data(directory: &Path) -> Result<()> {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/fashion-mnist-sample");
    for (prefix, train, count) in [("train", true, 320), ("t10k", false, 100)] {
        let images = FashionMnist::load(sample, train)?;
        let path = |kind: &str| directory.join(format!("{prefix}-{kind}-ubyte"));
        write_idx(&path("images-idx3"), &[count, 28, 28], &images.pixels()[..count * 784]);
        write_idx(&path("labels-idx1"), &[count], &images.labels()[..count]);
    }
    Ok(())
}

#[test]
fn trains_saves_and_reads_back() -> Result<()> {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("a temporary directory");
    small_data(directory.path())?;
    let data = directory.path().to_str().expect("a path of text");
    let file = directory.path().join("best.safetensors");
    let file = file.to_str().expect("a path of text");
    let train = ["--data", data, "--save", file, "--epochs", "3", "--batch-size", "32", "--lr", "2e-3"];
    let output = run(&train).expect("training");
    let lines: Vec<&str> = output.lines().collect();

    assert!(lines[0].contains(data) && lines[0].contains("320") && lines[0].contains("100"), "{output}");
    let values = |start: &str| -> Vec<f64> {
        let of_start = lines.iter().filter(|line| line.starts_with(start));
        of_start.map(|line| line.rsplit(' ').next().unwrap_or_default().parse().unwrap_or(f64::NAN)).collect()
    };
    let (train_acc, val_acc) = (values("train loss: "), values("val_loss: "));
    assert_eq!((train_acc.len(), val_acc.len()), (3, 4), "{output}");
    assert!(train_acc[2] > train_acc[0] && train_acc[2] > 0.4, "it did not learn: {output}");
    let best = val_acc[..3].iter().copied().fold(0.0, f64::max);
    assert_eq!(val_acc[3], best, "the weights in the end are not the best ones: {output}");

    // The very line, and for another number of workers too.
    let last = lines.last().copied();
    for workers in ["0", "2"] {
        let evaluate = ["--data", data, "--evaluate", file, "--batch-size", "32", "--workers", workers];
        assert_eq!(run(&evaluate).expect("evaluation").lines().last(), last);
    }
    // The same numbers again from the same seed; only the times differ.
    let untimed = |output: &str| -> Vec<String> {
        output.lines().filter(|line| !line.contains(" took ")).map(str::to_string).collect()
    };
    assert_eq!(untimed(&run(&train).expect("training again")), untimed(&output));
    Ok(())
}

#[test]
fn bad_input_is_one_line() -> Result<()> {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| directory.path().join(name).to_str().expect("a path of text").to_string();
    let (nothing, text, other) = (path("nothing"), path("text"), path("other.safetensors"));
    std::fs::write(&text, "no weights at all").expect("a file");
    Linear::new(3, 2)?.state_dict()?.save(&other)?;
    let within_nothing = format!("{nothing}/weights");
    let pipe = path("pipe");
    let has_pipe =
        std::process::Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success());
    let cases: [(&[&str], &[&str]); 8] = [
        (&["--data", &nothing], &[&nothing]),
        (&["--sample", "--evaluate", &nothing], &[&nothing]),
        (&["--sample", "--evaluate", &text], &[&text]),
        (&["--sample", "--evaluate", &other], &[&other, "conv1.weight"]),
        (&["--sample", "--save", &within_nothing], &[&within_nothing]),
        (&["--sample", "--lr", "nan"], &["lr"]),
        // Where nobody can make files there is no need to train first.
        (&["--sample", "--save", "/proc/weights"], &["/proc/weights: weights cannot be saved there"]),
        (&["--sample", "--save", if has_pipe { &pipe } else { &within_nothing }], &["saved", "weights"][1..]),
    ];
    for (arguments, parts) in cases {
        let error = run(arguments).expect_err("bad input");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(parts.iter().all(|part| error.contains(part)), "{arguments:?}: {error}");
    }
    Ok(())
}

#[test]
fn wrong_options_are_refused() {
    let cases: [&[&str]; 5] = [
        &["--batch-size", "0"],
        &["--epochs", "0"],
        &["--threads", "0"],
        &["--sample", "--data", "somewhere"],
        &["--evaluate", "file", "--epochs", "3"],
    ];
    for arguments in cases {
        // 2 is what clap ends the program with.
        assert_eq!(parse(arguments).expect_err("a wrong option").exit_code(), 2, "{arguments:?}");
    }
}

#[test]
fn a_state_dict_of_the_network_has_pytorch_names() -> Result<()> {
    let _alone = alone();
    let state: StateDict = example::model::Cnn::new()?.state_dict()?;
    let names: Vec<&str> = state.names().collect();
    let expected = ["conv1", "conv2", "fc1", "fc2"].map(|l| [format!("{l}.weight"), format!("{l}.bias")]);
    assert_eq!(names, expected.concat());
    Ok(())
}

#[test]
fn every_option_is_explained() {
    use clap::CommandFactory;
    for argument in Options::command().get_arguments() {
        assert!(argument.get_help().is_some(), "{} has no explanation", argument.get_id());
    }
}

#[test]
fn numbers_of_nothing_and_help() {
    use clap::CommandFactory;
    for option in ["--epochs", "--batch-size", "--threads"] {
        for bad in ["0", "-1", "x", "1.5"] {
            let error = parse(&[&format!("{option}={bad}")]).expect_err("no number").to_string();
            assert!(
                error.contains(option) && error.contains("a whole number of at least 1 is needed"),
                "{error}"
            );
        }
    }
    for help in [Options::command().render_help(), Options::command().render_long_help()] {
        let text = help.to_string();
        assert!(text.contains("--workers"));
        for line in text.lines() {
            assert!(line.chars().count() <= 110, "{line}");
        }
    }
}
