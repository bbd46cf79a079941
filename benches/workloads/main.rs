//! Whole training steps and single operations on inputs that other engines can have bit for bit; see `pytorch.py`
//! beside this file for PyTorch's side and `compare.py` for both in turn.
//!
//! `cargo bench -p chainrule-benches --bench workloads -- [--threads N] [--only a,b] [--quick] [--check] [WORD]`
//!
//! Prints one JSON line for each workload: times, or with `--check` the losses of 20 steps or digests of results.

mod data;
mod kernels;
mod losses;
mod measure;
mod optimizers;
mod training;

use chainrule::{Result, Tensor};

/// One iteration. With `true` it gives what is to be compared: results, gradients, or the loss.
type Step = Box<dyn FnMut(bool) -> Result<Vec<Tensor>>>;

/// A workload by its name.
type Workload = (&'static str, fn() -> Result<Step>);

struct Options {
    only: Option<Vec<String>>,
    words: Vec<String>,
    quick: bool,
    check: bool,
}

fn main() {
    let mut options = Options { only: None, words: Vec::new(), quick: false, check: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--threads" => match arguments.next().and_then(|n| n.parse().ok()) {
                Some(threads) => chainrule::set_num_threads(threads),
                None => usage("--threads wants a number"),
            },
            "--only" => match arguments.next() {
                Some(names) => options.only = Some(names.split(',').map(str::to_string).collect()),
                None => usage("--only wants names"),
            },
            "--quick" => options.quick = true,
            "--check" => options.check = true,
            // What `cargo bench` passes to every bench.
            "--bench" => {}
            // A filter, as other benches have it.
            word if !word.starts_with('-') => options.words.push(word.to_string()),
            other => usage(&format!("unknown argument {other}")),
        }
    }
    let operations = [kernels::WORKLOADS, losses::WORKLOADS, optimizers::WORKLOADS].into_iter().flatten();
    let workloads = training::WORKLOADS.iter().map(|w| (w, true)).chain(operations.map(|w| (w, false)));
    for ((name, build), trains) in workloads {
        let excluded = options.only.as_ref().is_some_and(|only| !only.iter().any(|o| o == name));
        if excluded || !options.words.iter().all(|word| name.contains(word.as_str())) {
            continue;
        }
        let line = build().and_then(|step| run(step, trains, &options));
        let line = line.unwrap_or_else(|error| format!("\"error\": {:?}", error.to_string()));
        let bytes = optimizers::bytes(name).map_or(String::new(), |bytes| format!("\"bytes\": {bytes}, "));
        println!("{{\"engine\": \"chainrule\", \"workload\": \"{name}\", {bytes}{line}}}");
    }
}

fn usage(problem: &str) -> ! {
    eprintln!("{problem}\nusage: workloads [--threads N] [--only NAME,…] [--quick] [--check] [WORD]");
    std::process::exit(2)
}

fn run(mut step: Step, trains: bool, options: &Options) -> Result<String> {
    match (options.check, trains) {
        (false, _) => measure::times(&mut step, options.quick),
        (true, true) => {
            let losses = (0..20).map(|_| Ok(format!("{:e}", step(true)?[0].item()?)));
            Ok(format!("\"losses\": [{}]", losses.collect::<Result<Vec<_>>>()?.join(", ")))
        }
        (true, false) => {
            let digests = step(true)?.iter().map(measure::digest).collect::<Result<Vec<_>>>()?;
            Ok(format!("\"check\": [{}]", digests.join(", ")))
        }
    }
}
