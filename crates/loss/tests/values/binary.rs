//! Losses of probabilities, of single elements.

use super::*;

#[test]
fn binary_cross_entropy_of_logits() {
    let case = |label, options: BCEWithLogitsLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [2, 3]), between(0.0, 1.0, 2.0, [2, 3])],
            |x| binary_cross_entropy_with_logits(&x[0], &x[1], &options),
            want,
        )
    };
    case(
        "none",
        BCEWithLogitsLoss { reduction: None, ..Default::default() },
        &[0.6276843994756915, -0.11867502953960057, -5.419692525216894],
    );
    case("mean", BCEWithLogitsLoss::new(), &[0.5836323244896463, -0.16654325922467952, -1.8457976570137162]);
    case(
        "sum",
        BCEWithLogitsLoss { reduction: Sum, ..Default::default() },
        &[3.5017939469378776, -0.999259555348077, -11.074785942082297],
    );
    case(
        "weight mean",
        BCEWithLogitsLoss { weight: Some(between(0.5, 2.0, 3.0, [3])), ..Default::default() },
        &[0.4839693602485787, -0.11292959667398883, -1.9831855250086088],
    );
    case(
        "pos_weight mean",
        BCEWithLogitsLoss { pos_weight: Some(between(0.5, 2.0, 3.0, [3])), ..Default::default() },
        &[0.5701103286737997, -0.11250724573360849, -1.9757728497028975],
    );
    case(
        "both weights mean",
        BCEWithLogitsLoss {
            weight: Some(between(0.5, 2.0, 4.0, [2, 1])),
            pos_weight: Some(between(0.5, 2.0, 3.0, [3])),
            ..Default::default()
        },
        &[0.37263219776410555, -0.07751147013513773, -1.2810494997986024],
    );
}

#[test]
fn kullback_leibler() {
    let case = |label, options: KLDivLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [2, 3]), between(0.1, 1.0, 2.0, [2, 3])],
            |x| kl_div(&x[0], &x[1], &options),
            want,
        )
    };
    case(
        "none",
        KLDivLoss { reduction: None, ..Default::default() },
        &[-7.736413868397485, -5.678393607999109, -1.5841534412615825],
    );
    case("mean", KLDivLoss::new(), &[-0.7019291668524757, -0.6883117177466122, -0.67424479517717]);
    case(
        "sum",
        KLDivLoss { reduction: Sum, ..Default::default() },
        &[-4.211575001114855, -4.129870306479672, -4.045468771063021],
    );
    case(
        "batchmean",
        KLDivLoss { reduction: BatchMean, ..Default::default() },
        &[-2.1057875005574274, -2.064935153239836, -2.0227343855315105],
    );
    let case = |label, options: KLDivLoss, want: &[f64]| {
        check(label, &[wave(1.0, [2, 3]), wave(2.0, [2, 3])], |x| kl_div(&x[0], &x[1], &options), want)
    };
    case(
        "log_target none",
        KLDivLoss { log_target: true, reduction: None },
        &[-10.733397643797852, -28.29889411635404, 19.78443361558328],
    );
    case(
        "log_target mean",
        KLDivLoss { log_target: true, ..Default::default() },
        &[1.1902114395823313, -4.4271674590539885, 5.8390926752184615],
    );
    case(
        "log_target sum",
        KLDivLoss { log_target: true, reduction: Sum },
        &[7.1412686374939875, -26.563004754323934, 35.03455605131077],
    );
    case(
        "log_target batchmean",
        KLDivLoss { log_target: true, reduction: BatchMean },
        &[3.5706343187469938, -13.281502377161967, 17.517278025655386],
    );
}

#[test]
fn binary_focal() {
    let case = |label, options: BinaryFocalLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [2, 3]), between(0.0, 1.0, 2.0, [2, 3])],
            |x| binary_focal_loss(&x[0], &x[1], &options),
            want,
        )
    };
    case(
        "none",
        BinaryFocalLoss { alpha: Some(0.25), gamma: 2.0, reduction: None },
        &[0.15553014852201094, 0.11314705490381233, 0.32774650280965556],
    );
    case(
        "alpha, gamma none",
        BinaryFocalLoss { alpha: Some(0.7), gamma: 1.5, reduction: None },
        &[0.13687140244915405, 0.13522591347805482, -0.24801983592868493],
    );
    case(
        "no alpha none",
        BinaryFocalLoss { alpha: Option::None, gamma: 0.5, reduction: None },
        &[0.45480294751698314, 0.06355966950934566, -2.166142435349019],
    );
    case(
        "mean",
        BinaryFocalLoss { alpha: Some(0.25), gamma: 2.0, ..Default::default() },
        &[0.05423558559310141, -0.031352834897195446, -0.1825537509110623],
    );
    case(
        "alpha, gamma mean",
        BinaryFocalLoss { alpha: Some(0.7), gamma: 1.5, ..Default::default() },
        &[0.0863864562838794, -0.05958249648636533, -0.22316633591770335],
    );
    case(
        "no alpha mean",
        BinaryFocalLoss { alpha: Option::None, gamma: 0.5, ..Default::default() },
        &[0.3734961073678069, -0.16295942832862384, -1.2144958433942352],
    );
    case(
        "sum",
        BinaryFocalLoss { alpha: Some(0.25), gamma: 2.0, reduction: Sum },
        &[0.3254135135586085, -0.18811700938317272, -1.095322505466374],
    );
    case(
        "alpha, gamma sum",
        BinaryFocalLoss { alpha: Some(0.7), gamma: 1.5, reduction: Sum },
        &[0.5183187377032764, -0.35749497891819193, -1.33899801550622],
    );
    case(
        "no alpha sum",
        BinaryFocalLoss { alpha: Option::None, gamma: 0.5, reduction: Sum },
        &[2.2409766442068415, -0.9777565699717429, -7.286975060365412],
    );
}

#[test]
fn multilabel_soft_margin() {
    let case = |label, options: MultiLabelSoftMarginLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [2, 3]), between(0.0, 1.0, 2.0, [2, 3])],
            |x| multilabel_soft_margin_loss(&x[0], &x[1], &options),
            want,
        )
    };
    case(
        "none",
        MultiLabelSoftMarginLoss { reduction: None, ..Default::default() },
        &[1.834582840061082, -0.4938880900696364, -5.788917069766012],
    );
    case(
        "mean",
        MultiLabelSoftMarginLoss::new(),
        &[0.5836323244896463, -0.1665432592246795, -1.8457976570137162],
    );
    case(
        "sum",
        MultiLabelSoftMarginLoss { reduction: Sum, ..Default::default() },
        &[1.1672646489792926, -0.333086518449359, -3.6915953140274325],
    );
    case(
        "weight mean",
        MultiLabelSoftMarginLoss { weight: Some(between(0.5, 2.0, 3.0, [3])), ..Default::default() },
        &[0.4839693602485786, -0.11292959667398883, -1.9831855250086088],
    );
}
