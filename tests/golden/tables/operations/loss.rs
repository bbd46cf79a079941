//! Losses.

use chainrule::Tensor;
use chainrule::loss::*;

use super::Entry;
use crate::call::Call;
use crate::output::give;
use crate::stop::Outcome;
use crate::tables::losses as options;

pub(crate) const ENTRIES: &[Entry] = &[
    ("binary_cross_entropy", |c| {
        give(binary_cross_entropy(c.input()?, target(c)?, &options::binary_cross_entropy(c)?))
    }),
    ("binary_cross_entropy_with_logits", |c| {
        let options = options::binary_cross_entropy_with_logits(c)?;
        give(binary_cross_entropy_with_logits(c.input()?, target(c)?, &options))
    }),
    ("cosine_embedding_loss", |c| {
        let options = options::cosine_embedding_loss(c)?;
        give(cosine_embedding_loss(c.get("input1")?, c.get("input2")?, target(c)?, &options))
    }),
    ("cross_entropy", |c| give(cross_entropy(c.input()?, target(c)?, &options::cross_entropy(c)?))),
    ("ctc_loss", |c| {
        let options = options::ctc_loss(c)?;
        let lengths = (c.integers("input_lengths")?, c.integers("target_lengths")?);
        give(ctc_loss(c.get("log_probs")?, c.get("targets")?, &lengths.0, &lengths.1, &options))
    }),
    ("gaussian_nll_loss", |c| {
        give(gaussian_nll_loss(c.input()?, target(c)?, c.get("var")?, &options::gaussian_nll_loss(c)?))
    }),
    ("hinge_embedding_loss", |c| {
        give(hinge_embedding_loss(c.input()?, target(c)?, &options::hinge_embedding_loss(c)?))
    }),
    ("huber_loss", |c| give(huber_loss(c.input()?, target(c)?, &options::huber_loss(c)?))),
    ("kl_div", |c| give(kl_div(c.input()?, target(c)?, &options::kl_div(c)?))),
    ("l1_loss", |c| give(l1_loss(c.input()?, target(c)?, &options::l1_loss(c)?))),
    ("margin_ranking_loss", |c| {
        let options = options::margin_ranking_loss(c)?;
        give(margin_ranking_loss(c.get("input1")?, c.get("input2")?, target(c)?, &options))
    }),
    ("mse_loss", |c| give(mse_loss(c.input()?, target(c)?, &options::mse_loss(c)?))),
    ("multi_margin_loss", |c| {
        give(multi_margin_loss(c.input()?, target(c)?, &options::multi_margin_loss(c)?))
    }),
    ("multilabel_margin_loss", |c| {
        give(multilabel_margin_loss(c.input()?, target(c)?, &options::multilabel_margin_loss(c)?))
    }),
    ("multilabel_soft_margin_loss", |c| {
        give(multilabel_soft_margin_loss(c.input()?, target(c)?, &options::multilabel_soft_margin_loss(c)?))
    }),
    ("nll_loss", |c| give(nll_loss(c.input()?, target(c)?, &options::nll_loss(c)?))),
    ("poisson_nll_loss", |c| give(poisson_nll_loss(c.input()?, target(c)?, &options::poisson_nll_loss(c)?))),
    ("smooth_l1_loss", |c| give(smooth_l1_loss(c.input()?, target(c)?, &options::smooth_l1_loss(c)?))),
    ("soft_margin_loss", |c| give(soft_margin_loss(c.input()?, target(c)?, &options::soft_margin_loss(c)?))),
    ("triplet_margin_loss", |c| {
        let options = options::triplet_margin_loss(c)?;
        give(triplet_margin_loss(c.get("anchor")?, c.get("positive")?, c.get("negative")?, &options))
    }),
];

fn target(c: &Call) -> Outcome<&Tensor> {
    c.get("target")
}
