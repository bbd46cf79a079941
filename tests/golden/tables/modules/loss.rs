//! Losses.

use super::{Entry, function};
use crate::output::give;
use crate::tables::losses;

pub(crate) const ENTRIES: &[Entry] = &[
    ("BCELoss(weight, size_average, reduce, reduction) on (input, target)", |c| {
        let loss = losses::binary_cross_entropy(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("BCEWithLogitsLoss(weight, size_average, reduce, reduction, pos_weight) on (input, target)", |c| {
        let loss = losses::binary_cross_entropy_with_logits(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    (
        "CrossEntropyLoss(weight, size_average, ignore_index, reduce, reduction, label_smoothing) on (input, target)",
        |c| {
            let loss = losses::cross_entropy(c)?;
            function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
        },
    ),
    (
        "CTCLoss(blank, reduction, zero_infinity) on (log_probs, targets, input_lengths, target_lengths)",
        |c| {
            let loss = losses::ctc_loss(c)?;
            function(move |c| {
                let lengths = (c.integers("input_lengths")?, c.integers("target_lengths")?);
                give(loss.forward(c.get("log_probs")?, c.get("targets")?, &lengths.0, &lengths.1))
            })
        },
    ),
    ("GaussianNLLLoss(full, eps, reduction) on (input, target, var)", |c| {
        let loss = losses::gaussian_nll_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?, c.get("var")?)))
    }),
    ("HingeEmbeddingLoss(margin, size_average, reduce, reduction) on (input, target)", |c| {
        let loss = losses::hinge_embedding_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("HuberLoss(reduction, delta) on (input, target)", |c| {
        let loss = losses::huber_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("KLDivLoss(size_average, reduce, reduction, log_target) on (input, target)", |c| {
        let loss = losses::kl_div(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("L1Loss(size_average, reduce, reduction) on (input, target)", |c| {
        let loss = losses::l1_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("MarginRankingLoss(margin, size_average, reduce, reduction) on (input1, input2, target)", |c| {
        let loss = losses::margin_ranking_loss(c)?;
        function(move |c| give(loss.forward(c.get("input1")?, c.get("input2")?, c.get("target")?)))
    }),
    ("MSELoss(size_average, reduce, reduction) on (input, target)", |c| {
        let loss = losses::mse_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("NLLLoss(weight, size_average, ignore_index, reduce, reduction) on (input, target)", |c| {
        let loss = losses::nll_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("PoissonNLLLoss(log_input, full, size_average, eps, reduce, reduction) on (input, target)", |c| {
        let loss = losses::poisson_nll_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("SmoothL1Loss(size_average, reduce, reduction, beta) on (input, target)", |c| {
        let loss = losses::smooth_l1_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("SoftMarginLoss(size_average, reduce, reduction) on (input, target)", |c| {
        let loss = losses::soft_margin_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("CosineEmbeddingLoss(margin, size_average, reduce, reduction) on (input1, input2, target)", |c| {
        let loss = losses::cosine_embedding_loss(c)?;
        function(move |c| give(loss.forward(c.get("input1")?, c.get("input2")?, c.get("target")?)))
    }),
    ("MultiMarginLoss(p, margin, weight, size_average, reduce, reduction) on (input, target)", |c| {
        let loss = losses::multi_margin_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("MultiLabelMarginLoss(size_average, reduce, reduction) on (input, target)", |c| {
        let loss = losses::multilabel_margin_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    ("MultiLabelSoftMarginLoss(weight, size_average, reduce, reduction) on (input, target)", |c| {
        let loss = losses::multilabel_soft_margin_loss(c)?;
        function(move |c| give(loss.forward(c.input()?, c.get("target")?)))
    }),
    (
        "TripletMarginLoss(margin, p, eps, swap, size_average, reduce, reduction) on (anchor, positive, negative)",
        |c| {
            let loss = losses::triplet_margin_loss(c)?;
            function(move |c| give(loss.forward(c.get("anchor")?, c.get("positive")?, c.get("negative")?)))
        },
    ),
];
