//! The options of losses, which the functions and the modules share.

use chainrule::Tensor;
use chainrule::loss::*;

use crate::call::Call;
use crate::stop::Outcome;

pub(crate) fn binary_cross_entropy(c: &Call) -> Outcome<BCELoss> {
    Ok(BCELoss { weight: tensor(c, "weight")?, reduction: reduction(c)? })
}

pub(crate) fn binary_cross_entropy_with_logits(c: &Call) -> Outcome<BCEWithLogitsLoss> {
    Ok(BCEWithLogitsLoss {
        weight: tensor(c, "weight")?,
        reduction: reduction(c)?,
        pos_weight: tensor(c, "pos_weight")?,
    })
}

pub(crate) fn cosine_embedding_loss(c: &Call) -> Outcome<CosineEmbeddingLoss> {
    let d = CosineEmbeddingLoss::default();
    Ok(CosineEmbeddingLoss { margin: c.or("margin", d.margin)?, reduction: reduction(c)? })
}

pub(crate) fn cross_entropy(c: &Call) -> Outcome<CrossEntropyLoss> {
    let d = CrossEntropyLoss::default();
    Ok(CrossEntropyLoss {
        weight: tensor(c, "weight")?,
        ignore_index: c.or("ignore_index", d.ignore_index)?,
        reduction: reduction(c)?,
        label_smoothing: c.or("label_smoothing", d.label_smoothing)?,
    })
}

pub(crate) fn ctc_loss(c: &Call) -> Outcome<CTCLoss> {
    let d = CTCLoss::default();
    Ok(CTCLoss {
        blank: c.or("blank", d.blank)?,
        reduction: reduction(c)?,
        zero_infinity: c.or("zero_infinity", d.zero_infinity)?,
    })
}

pub(crate) fn gaussian_nll_loss(c: &Call) -> Outcome<GaussianNLLLoss> {
    let d = GaussianNLLLoss::default();
    Ok(GaussianNLLLoss { full: c.or("full", d.full)?, eps: c.or("eps", d.eps)?, reduction: reduction(c)? })
}

pub(crate) fn hinge_embedding_loss(c: &Call) -> Outcome<HingeEmbeddingLoss> {
    let d = HingeEmbeddingLoss::default();
    Ok(HingeEmbeddingLoss { margin: c.or("margin", d.margin)?, reduction: reduction(c)? })
}

pub(crate) fn huber_loss(c: &Call) -> Outcome<HuberLoss> {
    let d = HuberLoss::default();
    Ok(HuberLoss { reduction: reduction(c)?, delta: c.or("delta", d.delta)?, weight: tensor(c, "weight")? })
}

pub(crate) fn kl_div(c: &Call) -> Outcome<KLDivLoss> {
    let d = KLDivLoss::default();
    // The only one that has this reduction.
    let reduction = match c.optional::<&str>("reduction")? {
        Some("batchmean") => Reduction::BatchMean,
        _ => reduction(c)?,
    };
    Ok(KLDivLoss { reduction, log_target: c.or("log_target", d.log_target)? })
}

pub(crate) fn l1_loss(c: &Call) -> Outcome<L1Loss> {
    Ok(L1Loss { reduction: reduction(c)?, weight: tensor(c, "weight")? })
}

pub(crate) fn margin_ranking_loss(c: &Call) -> Outcome<MarginRankingLoss> {
    let d = MarginRankingLoss::default();
    Ok(MarginRankingLoss { margin: c.or("margin", d.margin)?, reduction: reduction(c)? })
}

pub(crate) fn mse_loss(c: &Call) -> Outcome<MSELoss> {
    Ok(MSELoss { reduction: reduction(c)?, weight: tensor(c, "weight")? })
}

pub(crate) fn multi_margin_loss(c: &Call) -> Outcome<MultiMarginLoss> {
    let d = MultiMarginLoss::default();
    Ok(MultiMarginLoss {
        p: c.or("p", d.p)?,
        margin: c.or("margin", d.margin)?,
        weight: tensor(c, "weight")?,
        reduction: reduction(c)?,
    })
}

pub(crate) fn multilabel_margin_loss(c: &Call) -> Outcome<MultiLabelMarginLoss> {
    Ok(MultiLabelMarginLoss { reduction: reduction(c)? })
}

pub(crate) fn multilabel_soft_margin_loss(c: &Call) -> Outcome<MultiLabelSoftMarginLoss> {
    Ok(MultiLabelSoftMarginLoss { weight: tensor(c, "weight")?, reduction: reduction(c)? })
}

pub(crate) fn nll_loss(c: &Call) -> Outcome<NLLLoss> {
    let d = NLLLoss::default();
    Ok(NLLLoss {
        weight: tensor(c, "weight")?,
        ignore_index: c.or("ignore_index", d.ignore_index)?,
        reduction: reduction(c)?,
    })
}

pub(crate) fn poisson_nll_loss(c: &Call) -> Outcome<PoissonNLLLoss> {
    let d = PoissonNLLLoss::default();
    Ok(PoissonNLLLoss {
        log_input: c.or("log_input", d.log_input)?,
        full: c.or("full", d.full)?,
        eps: c.or("eps", d.eps)?,
        reduction: reduction(c)?,
    })
}

pub(crate) fn smooth_l1_loss(c: &Call) -> Outcome<SmoothL1Loss> {
    let d = SmoothL1Loss::default();
    Ok(SmoothL1Loss { reduction: reduction(c)?, beta: c.or("beta", d.beta)? })
}

pub(crate) fn soft_margin_loss(c: &Call) -> Outcome<SoftMarginLoss> {
    Ok(SoftMarginLoss { reduction: reduction(c)? })
}

pub(crate) fn triplet_margin_loss(c: &Call) -> Outcome<TripletMarginLoss> {
    let d = TripletMarginLoss::default();
    Ok(TripletMarginLoss {
        margin: c.or("margin", d.margin)?,
        p: c.or("p", d.p)?,
        eps: c.or("eps", d.eps)?,
        swap: c.or("swap", d.swap)?,
        reduction: reduction(c)?,
    })
}

fn reduction(c: &Call) -> Outcome<Reduction> {
    c.or("reduction", Reduction::default())
}

fn tensor(c: &Call, name: &str) -> Outcome<Option<Tensor>> {
    Ok(c.optional::<&Tensor>(name)?.cloned())
}
