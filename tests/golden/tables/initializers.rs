//! Initialisers by PyTorch's names: `torch.nn.init.NAME`.

use chainrule::{Parameter, Shape};

use crate::call::Call;
use crate::stop::{Outcome, not_built};

/// A PyTorch name and our call, which fills a parameter.
type Entry = (&'static str, fn(&Parameter, &Call) -> Outcome<()>);

const ENTRIES: &[Entry] = &[];

/// Fills a parameter.
pub(crate) fn fill(name: &str, parameter: &Parameter, options: &Call) -> Outcome<()> {
    match ENTRIES.iter().find(|(other, _)| *other == name) {
        Some((_, fill)) => fill(parameter, options).and_then(|()| options.all_taken(name)),
        None => not_built(format!("initialiser not built: {name}")),
    }
}

/// The gain of a nonlinearity.
pub(crate) fn gain(_nonlinearity: &str, _param: Option<f64>) -> Outcome<f64> {
    not_built("function not built: calculate_gain")
}

/// Fan-in and fan-out of a weight.
pub(crate) fn fans(_shape: &Shape) -> Outcome<[usize; 2]> {
    not_built("function not built: fan_in and fan_out")
}
