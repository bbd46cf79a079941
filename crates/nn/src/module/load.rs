//! Taking values from a state dict, all or nothing.

use std::collections::HashSet;
use std::fmt;

use chainrule_tensor::{Result, StateDict, bail};

use super::walk::{Leaf, Stored, Visit, parameters, walk};

/// The most lines listed under one heading of a report.
const LISTED: usize = 20;

/// The options of [`Module::load_state_dict_with`](super::Module::load_state_dict_with).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Refuse names that only the module or only the state dict has; else they are left alone, and reported. Default true.
    pub strict: bool,
    /// Convert values of another dtype to the module's (PyTorch always does), such as `f64` weights for an `f32` model.
    /// Default false: another dtype is an error.
    pub cast: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions { strict: true, cast: false }
    }
}

/// Names that a module and a state dict do not share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// What the module has and the state dict has not: these kept their values.
    pub missing: Vec<String>,
    /// What the state dict has and the module has not: these were left out.
    pub unexpected: Vec<String>,
}

impl LoadReport {
    /// Whether both have the same names.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty()
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, "missing in the state dict", &self.missing)?;
        list(f, "unexpected in the state dict", &self.unexpected)
    }
}

/// Everything with a value, in order; tied values under each of their names. Parameters learn their names.
pub(super) fn entries(visit: Visit<'_>) -> Vec<(String, Stored)> {
    parameters(visit);
    let mut entries = Vec::new();
    walk(visit, &mut |path, leaf| match leaf {
        Leaf::Parameter(parameter) => entries.push((path.to_string(), Stored::Parameter(parameter.clone()))),
        Leaf::Buffer(buffer) => entries.push((path.to_string(), Stored::Buffer(buffer.clone()))),
        Leaf::Training(_) => {}
    });
    entries
}

#[track_caller]
pub(super) fn load(visit: Visit<'_>, state: &StateDict, options: LoadOptions) -> Result<LoadReport> {
    let entries = entries(visit);
    let names: HashSet<&str> = entries.iter().map(|(path, _)| path.as_str()).collect();
    let mut report = LoadReport {
        missing: Vec::new(),
        unexpected: state.names().filter(|name| !names.contains(name)).map(str::to_string).collect(),
    };
    let mut mismatched = Vec::new();
    let mut changes = Vec::new();
    for (path, stored) in &entries {
        let Some(new) = state.get(path) else {
            if !matches!(stored, Stored::Buffer(buffer) if buffer.is_optional()) {
                report.missing.push(path.clone());
            }
            continue;
        };
        let old = stored.value();
        if new.shape() != old.shape() || !(options.cast || new.dtype() == old.dtype()) {
            mismatched.push(format!(
                "{path}: {} {} in the module, {} {} in the state dict",
                old.dtype(),
                old.shape(),
                new.dtype(),
                new.shape()
            ));
        }
        let new = new.contiguous()?.to_dtype(old.dtype())?;
        changes.push((stored, old, new));
    }

    let refused = LoadReport { ..if options.strict { report.clone() } else { LoadReport::default() } };
    if !mismatched.is_empty() || !refused.is_complete() {
        let mismatched = Listed("of another shape or dtype", &mismatched);
        bail!(
            Data,
            "load_state_dict",
            "the state dict does not fit, nothing was loaded{refused}{mismatched}"
        );
    }
    for (i, (stored, _, new)) in changes.iter().enumerate() {
        if let Err(error) = stored.set(new) {
            // One that is being updated: those before it get back what they had.
            for (stored, old, _) in changes[..i].iter().rev() {
                stored.set(old)?;
            }
            return Err(error);
        }
    }
    Ok(report)
}

struct Listed<'a>(&'a str, &'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.0, self.1)
    }
}

fn list(f: &mut fmt::Formatter<'_>, heading: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    write!(f, "\n  {heading}:")?;
    for line in lines.iter().take(LISTED) {
        write!(f, "\n    {line}")?;
    }
    match lines.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => write!(f, "\n    and {more} more"),
    }
}
