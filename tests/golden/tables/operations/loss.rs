//! Losses.

use chainrule::loss::*;

use super::Entry;
use crate::output::give;
use crate::tables::losses;

pub(crate) const ENTRIES: &[Entry] = &[
    ("binary_cross_entropy", |c| {
        give(binary_cross_entropy(c.input()?, c.get("target")?, &losses::binary_cross_entropy(c)?))
    }),
    ("cross_entropy", |c| give(cross_entropy(c.input()?, c.get("target")?, &losses::cross_entropy(c)?))),
    ("l1_loss", |c| give(l1_loss(c.input()?, c.get("target")?, &losses::l1_loss(c)?))),
    ("mse_loss", |c| give(mse_loss(c.input()?, c.get("target")?, &losses::mse_loss(c)?))),
];
