//! Initialisers by PyTorch's names: `torch.nn.init.NAME`.

use chainrule::nn::init::*;
use chainrule::{Parameter, Shape};

use crate::call::Call;
use crate::stop::{Outcome, not_built};

/// A PyTorch name and our call, which fills a parameter.
type Entry = (&'static str, fn(&Parameter, &Call) -> Outcome<()>);

const ENTRIES: &[Entry] = &[
    ("uniform_", |p, c| Ok(uniform_(p, c.or("a", 0.0)?, c.or("b", 1.0)?)?)),
    ("normal_", |p, c| Ok(normal_(p, c.or("mean", 0.0)?, c.or("std", 1.0)?)?)),
    ("trunc_normal_", |p, c| {
        let default = TruncNormal::default();
        let (mean, std) = (c.or("mean", default.mean)?, c.or("std", default.std)?);
        Ok(trunc_normal_(p, TruncNormal { mean, std, a: c.or("a", default.a)?, b: c.or("b", default.b)? })?)
    }),
    ("constant_", |p, c| Ok(constant_(p, c.number("val")?)?)),
    ("ones_", |p, _| Ok(ones_(p)?)),
    ("zeros_", |p, _| Ok(zeros_(p)?)),
    ("eye_", |p, _| Ok(eye_(p)?)),
    ("dirac_", |p, c| Ok(dirac_(p, c.or("groups", 1)?)?)),
    ("xavier_uniform_", |p, c| Ok(xavier_uniform_(p, c.or("gain", 1.0)?)?)),
    ("xavier_normal_", |p, c| Ok(xavier_normal_(p, c.or("gain", 1.0)?)?)),
    ("kaiming_uniform_", |p, c| Ok(kaiming_uniform_(p, kaiming(c)?)?)),
    ("kaiming_normal_", |p, c| Ok(kaiming_normal_(p, kaiming(c)?)?)),
    ("orthogonal_", |p, c| Ok(orthogonal_(p, c.or("gain", 1.0)?)?)),
    ("sparse_", |p, c| Ok(sparse_(p, c.get("sparsity")?, c.or("std", 0.01)?)?)),
];

fn kaiming(c: &Call) -> Outcome<Kaiming> {
    let default = Kaiming::default();
    Ok(Kaiming {
        a: c.or("a", default.a)?,
        mode: c.optional::<&str>("mode")?.map_or(Ok(default.mode), str::parse)?,
        nonlinearity: c.optional::<&str>("nonlinearity")?.map_or(Ok(default.nonlinearity), str::parse)?,
    })
}

/// Fills a parameter.
pub(crate) fn fill(name: &str, parameter: &Parameter, options: &Call) -> Outcome<()> {
    match ENTRIES.iter().find(|(other, _)| *other == name) {
        Some((_, fill)) => fill(parameter, options).and_then(|()| options.all_taken(name)),
        None => not_built(format!("initialiser not built: {name}")),
    }
}

/// The gain of a nonlinearity.
pub(crate) fn gain(nonlinearity: &str, param: Option<f64>) -> Outcome<f64> {
    Ok(calculate_gain(nonlinearity.parse()?, param))
}

/// Fan-in and fan-out of a weight.
pub(crate) fn fans(shape: &Shape) -> Outcome<[usize; 2]> {
    let (fan_in, fan_out) = calculate_fan_in_and_fan_out(shape)?;
    Ok([fan_in, fan_out])
}
