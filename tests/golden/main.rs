//! Replays cases recorded from PyTorch through the public functions of chainrule; see `README.md` beside this
//! file.
//!
//! `cargo test --release --test golden` runs all of them, `… --test golden -- conv2d` those with that in their
//! id or in the name of what they are about, with tables of them. The cases are the project's own unless `CHAINRULE_GOLDEN` names
//! another directory.

mod call;
mod check;
mod directory;
mod divergences;
mod output;
mod replay;
mod report;
mod run;
mod stop;
mod tables;
mod take;
mod value;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use directory::Family;
use report::Report;

const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/golden-report.json");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Test runners ask for a list of tests; this is one program without parts.
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let words: Vec<String> = arguments.into_iter().filter(|argument| !argument.starts_with('-')).collect();
    // A panic of a case is in the report.
    std::panic::set_hook(Box::new(|_| ()));
    match replay_all(&words) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("{failed} cases failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the cases cannot be read: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs every family of the directory; gives the number of cases that failed.
fn replay_all(words: &[String]) -> std::io::Result<usize> {
    let (start, directory) = (Instant::now(), directory::path());
    let mut report = Report::default();
    for replay in replay::FAMILIES {
        if let Some(family) = Family::read(&directory, replay.name)? {
            report.entries.extend(run::run(&family, replay, words)?);
        }
    }
    // Of all cases, over a thousand lines.
    if !words.is_empty() {
        println!("{}", report.details());
    }
    println!("{}", report.summary());
    println!(
        "{} cases of {} in {:.1} s",
        report.entries.len(),
        directory.display(),
        start.elapsed().as_secs_f64()
    );
    if report.entries.is_empty() && words.is_empty() {
        return Err(std::io::Error::other(format!("there are none in {}", directory.display())));
    }
    report.save(Path::new(REPORT))?;
    Ok(report.failed())
}
