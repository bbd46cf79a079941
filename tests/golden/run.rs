//! Runs the cases of a family, on all cores, each shielded from the panics of the others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::check::Accuracy;
use crate::directory::{Case, Family};
use crate::divergences;
use crate::replay::Replay;
use crate::report::{Entry, Verdict};
use crate::stop::{Outcome, Stop};

/// Runs the cases whose id or subject contains one of the words; all, where there is none.
pub(crate) fn run(family: &Family, replay: &Replay, words: &[String]) -> std::io::Result<Vec<Entry>> {
    family.with_cases(|cases| {
        let wanted = |case: &&Case<'_>| {
            let subject = (replay.subject)(case);
            words.is_empty() || words.iter().any(|word| case.id.contains(word) || subject.contains(word))
        };
        let cases: Vec<&Case<'_>> = cases.iter().filter(wanted).collect();
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some(case) = cases.get(next.fetch_add(1, Relaxed)) {
                let subject = (replay.subject)(case);
                let verdict = divergences::pardon(family.name, &subject, &case.id, judge(case, replay));
                let entry = Entry { family: family.name, subject, id: case.id.clone(), verdict };
                done.lock().expect("no panic while it is held").push((case.id.as_str(), entry));
            }
        };
        // What draws from the default generator runs alone.
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let threads = if replay.draws { 1 } else { cores };
        std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        let done = done.into_inner().expect("no panic while it is held");
        let mut entries: std::collections::HashMap<&str, Entry> = done.into_iter().collect();
        cases.iter().filter_map(|case| entries.remove(case.id.as_str())).collect()
    })
}

fn judge(case: &Case<'_>, replay: &Replay) -> Verdict {
    match catch_unwind(AssertUnwindSafe(|| (replay.case)(case))) {
        Ok(outcome) => verdict(outcome),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Verdict::Failed(format!("panicked: {}", text.unwrap_or("(no message)")))
        }
    }
}

fn verdict(outcome: Outcome<Accuracy>) -> Verdict {
    match outcome {
        Ok(accuracy) => Verdict::Passed(accuracy),
        Err(Stop::NotBuilt(what)) => Verdict::Unsupported(what),
        Err(Stop::Inexpressible(what)) => Verdict::Unsupported(format!("not expressible: {what}")),
        Err(Stop::Refused(error)) => Verdict::Failed(format!("refused: {error}")),
        Err(Stop::Mismatch(what)) => Verdict::Failed(what),
    }
}
