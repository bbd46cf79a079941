//! Normalisation.

use chainrule::Tensor;

use super::Entry;
use crate::call::Call;
use crate::output::give;
use crate::stop::{Outcome, not_built};

pub(crate) const ENTRIES: &[Entry] = &[
    ("batch_norm", |c| {
        let (mean, var) = (c.optional::<&Tensor>("running_mean")?, c.optional::<&Tensor>("running_var")?);
        let (weight, bias, eps) = (c.optional("weight")?, c.optional("bias")?, eps(c)?);
        let running = match (c.or("training", false)?, mean.zip(var)) {
            (true, Some(_)) => {
                return not_built("option not built: batch_norm that follows statistics; the layers do");
            }
            (true, None) => None,
            (false, running) => {
                // Without training there is nothing to follow.
                c.or("momentum", 0.1)?;
                running
            }
        };
        give(c.input()?.batch_norm(running, weight, bias, eps).map(|result| result.output))
    }),
    ("group_norm", |c| {
        give(c.input()?.group_norm(c.get("num_groups")?, c.optional("weight")?, c.optional("bias")?, eps(c)?))
    }),
    ("instance_norm", |c| match (c.has("running_mean"), c.or("use_input_stats", true)?) {
        (false, true) => {
            c.or("momentum", 0.1)?;
            give(c.input()?.instance_norm(c.optional("weight")?, c.optional("bias")?, eps(c)?))
        }
        _ => not_built("option not built: instance_norm with running statistics"),
    }),
    ("layer_norm", |c| {
        let shape = c.get::<Vec<usize>>("normalized_shape")?;
        give(c.input()?.layer_norm(&shape, c.optional("weight")?, c.optional("bias")?, eps(c)?))
    }),
];

fn eps(c: &Call) -> Outcome<f64> {
    c.or("eps", 1e-5)
}
