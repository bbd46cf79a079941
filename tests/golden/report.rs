//! The report: tables to read, and a file for programs.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::check::Accuracy;

/// What became of a case.
#[derive(Debug)]
pub(crate) enum Verdict {
    Passed(Accuracy),
    Failed(String),
    Unsupported(String),
}

/// A case that was run.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) family: &'static str,
    /// The operation, module or algorithm that the case is about.
    pub(crate) subject: String,
    pub(crate) id: String,
    pub(crate) verdict: Verdict,
}

#[derive(Default)]
struct Tally {
    cases: usize,
    passed: usize,
    failed: usize,
    unsupported: usize,
}

impl Tally {
    fn add(&mut self, verdict: &Verdict) {
        self.cases += 1;
        match verdict {
            Verdict::Passed(_) => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Unsupported(_) => self.unsupported += 1,
        }
    }

    fn line(&self, name: &str) -> String {
        let Tally { cases, passed, failed, unsupported } = self;
        format!("{name:44} {cases:>6} {passed:>7} {failed:>7} {unsupported:>12}\n")
    }
}

/// All that was run.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) entries: Vec<Entry>,
}

impl Report {
    pub(crate) fn failed(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.verdict, Verdict::Failed(_))).count()
    }

    fn tally<'s, K: Ord>(&'s self, key: impl Fn(&'s Entry) -> Option<K>) -> BTreeMap<K, Tally> {
        let mut tallies = BTreeMap::<K, Tally>::new();
        for entry in &self.entries {
            if let Some(key) = key(entry) {
                tallies.entry(key).or_default().add(&entry.verdict);
            }
        }
        tallies
    }

    /// The `f32` cases with a reference, and how many of them are no worse than PyTorch.
    fn accuracy(&self) -> (usize, usize) {
        let judged = self.entries.iter().filter_map(|entry| match &entry.verdict {
            Verdict::Passed(accuracy) => accuracy.no_worse_than_torch(),
            _ => None,
        });
        judged.fold((0, 0), |(cases, good), no_worse| (cases + 1, good + usize::from(no_worse)))
    }

    fn heading() -> String {
        format!("{:44} {:>6} {:>7} {:>7} {:>12}\n", "", "cases", "passed", "failed", "unsupported")
    }

    /// The numbers by operation, module and algorithm, and what is missing.
    pub(crate) fn details(&self) -> String {
        let mut text = "By operation, module and algorithm\n".to_string() + &Self::heading();
        for ((family, subject), tally) in self.tally(|e| Some((e.family, e.subject.as_str()))) {
            text.push_str(&tally.line(&format!("{family} {subject}")));
        }
        text.push_str("\nUnsupported, by reason\n");
        let reasons = self.tally(|entry| match &entry.verdict {
            Verdict::Unsupported(reason) => Some(reason.as_str()),
            _ => None,
        });
        for (reason, tally) in reasons {
            let _ = writeln!(text, "{:>6}  {reason}", tally.cases);
        }
        text
    }

    /// What failed, and the numbers by family.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::new();
        if self.failed() > 0 {
            text.push_str("\nFailed\n");
        }
        for entry in &self.entries {
            if let Verdict::Failed(reason) = &entry.verdict {
                let _ = writeln!(text, "{} {}: {reason}", entry.family, entry.id);
            }
        }
        text.push_str("\nBy family\n");
        text.push_str(&Self::heading());
        for (family, tally) in self.tally(|e| Some(e.family)) {
            text.push_str(&tally.line(family));
        }
        let (cases, good) = self.accuracy();
        let _ = writeln!(
            text,
            "\nf32 cases with a reference: {cases}, of which {good} are no worse than PyTorch"
        );
        text
    }

    /// The same for programs: numbers by family, accuracy, and every case that did not pass.
    pub(crate) fn json(&self) -> Value {
        let families: BTreeMap<_, _> = self
            .tally(|e| Some(e.family))
            .into_iter()
            .map(|(name, t)| {
                let Tally { cases, passed, failed, unsupported } = t;
                (
                    name,
                    json!({"cases": cases, "passed": passed, "failed": failed, "unsupported": unsupported}),
                )
            })
            .collect();
        let (f32_cases, no_worse_than_torch) = self.accuracy();
        let cases = self.entries.iter().filter_map(|entry| {
            let (status, reason) = match &entry.verdict {
                Verdict::Passed(_) => return None,
                Verdict::Failed(reason) => ("failed", reason),
                Verdict::Unsupported(reason) => ("unsupported", reason),
            };
            Some(json!({"id": entry.id, "family": entry.family, "status": status, "reason": reason}))
        });
        json!({
            "families": families,
            "accuracy": {"f32_cases": f32_cases, "no_worse_than_torch": no_worse_than_torch},
            "cases": cases.collect::<Vec<_>>(),
        })
    }

    /// Writes the file.
    pub(crate) fn save(&self, path: &Path) -> std::io::Result<()> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(path, format!("{:#}\n", self.json()))
    }
}
