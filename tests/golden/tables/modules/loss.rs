//! Losses.

use super::{Entry, function};
use crate::output::give;
use crate::tables::losses;

pub(crate) const ENTRIES: &[Entry] = &[
    ("BCELoss(weight, size_average, reduce, reduction) on (input, target)", |c| {
        let loss = losses::binary_cross_entropy(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    (
        "CrossEntropyLoss(weight, size_average, ignore_index, reduce, reduction, label_smoothing) on (input, target)",
        |c| {
            let loss = losses::cross_entropy(c)?;
            function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
        },
    ),
    ("L1Loss(size_average, reduce, reduction) on (input, target)", |c| {
        let loss = losses::l1_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("MSELoss(size_average, reduce, reduction) on (input, target)", |c| {
        let loss = losses::mse_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
];
