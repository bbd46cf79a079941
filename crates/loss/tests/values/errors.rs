//! Losses of errors, and likelihoods of numbers.

use super::*;

#[test]
fn mse() {
    let case = |label, options: MSELoss, want: &[f64]| {
        check(label, &[wave(1.0, [2, 3]), wave(2.0, [2, 3])], |x| mse_loss(&x[0], &x[1], &options), want)
    };
    case(
        "none",
        MSELoss { reduction: None, ..Default::default() },
        &[0.4642881144807731, 0.9975228794208917, -0.9975228794208917],
    );
    case("mean", MSELoss::new(), &[1.5220965207340573, -0.6343524331072503, 0.6343524331072503]);
    case(
        "sum",
        MSELoss { reduction: Sum, ..Default::default() },
        &[9.132579124404344, -3.8061145986435014, 3.8061145986435014],
    );
    case(
        "weight mean",
        MSELoss { weight: Some(between(0.5, 2.0, 3.0, [2, 3])), ..Default::default() },
        &[1.5151811923919376, -0.6893179856524608, 0.6893179856524608],
    );
}

#[test]
fn l1() {
    let case = |label, options: L1Loss, want: &[f64]| {
        check(label, &[wave(1.0, [2, 3]), wave(2.0, [2, 3])], |x| l1_loss(&x[0], &x[1], &options), want)
    };
    case(
        "none",
        L1Loss { reduction: None, ..Default::default() },
        &[-0.17678074212331296, -0.11446119834636681, 0.11446119834636681],
    );
    case("mean", L1Loss::new(), &[1.0490979957627868, -0.27557353055821115, 0.27557353055821115]);
    case(
        "sum",
        L1Loss { reduction: Sum, ..Default::default() },
        &[6.2945879745767215, -1.653441183349267, 1.653441183349267],
    );
    case(
        "weight mean",
        L1Loss { weight: Some(between(0.5, 2.0, 3.0, [2, 3])), ..Default::default() },
        &[1.045208360242457, -0.26274416709872334, 0.26274416709872334],
    );
}

#[test]
fn smooth_l1() {
    let case = |label, options: SmoothL1Loss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [2, 3]), wave(2.0, [2, 3])],
            |x| smooth_l1_loss(&x[0], &x[1], &options),
            want,
        )
    };
    case(
        "none",
        SmoothL1Loss { reduction: None, ..Default::default() },
        &[-0.10308898585672854, -0.03429185540299473, 0.03429185540299473],
    );
    case("mean", SmoothL1Loss::new(), &[0.6546729822066012, -0.21520230877353108, 0.21520230877353108]);
    case(
        "sum",
        SmoothL1Loss { reduction: Sum, ..Default::default() },
        &[3.928037893239607, -1.2912138526411863, 1.2912138526411863],
    );
    case(
        "beta 0.3 mean",
        SmoothL1Loss { beta: 0.3, ..Default::default() },
        &[0.9067229664847498, -0.11669638435270996, 0.11669638435270996],
    );
    case(
        "beta 0 mean",
        SmoothL1Loss { beta: 0.0, ..Default::default() },
        &[1.0490979957627868, -0.27557353055821115, 0.27557353055821115],
    );
}

#[test]
fn huber() {
    let case = |label, options: HuberLoss, want: &[f64]| {
        check(label, &[wave(1.0, [2, 3]), wave(2.0, [2, 3])], |x| huber_loss(&x[0], &x[1], &options), want)
    };
    case(
        "none",
        HuberLoss { reduction: None, ..Default::default() },
        &[-0.10308898585672854, -0.03429185540299473, 0.03429185540299473],
    );
    case("mean", HuberLoss::new(), &[0.6546729822066012, -0.21520230877353108, 0.21520230877353108]);
    case(
        "sum",
        HuberLoss { reduction: Sum, ..Default::default() },
        &[3.928037893239607, -1.2912138526411863, 1.2912138526411863],
    );
    case(
        "delta 0.3 mean",
        HuberLoss { delta: 0.3, ..Default::default() },
        &[0.2720168899454249, -0.03500891530581298, 0.03500891530581298],
    );
    case(
        "weight mean",
        HuberLoss { weight: Some(between(0.5, 2.0, 3.0, [2, 3])), ..Default::default() },
        &[0.8201968260659189, -0.21137129817044875, 0.21137129817044875],
    );
}

#[test]
fn gaussian_nll() {
    let case = |label, options: GaussianNLLLoss, want: &[f64]| {
        check(
            label,
            &[wave(1.0, [2, 3]), wave(2.0, [2, 3]), between(0.5, 2.0, 3.0, [2, 3])],
            |x| gaussian_nll_loss(&x[0], &x[1], &x[2], &options),
            want,
        )
    };
    case(
        "none",
        GaussianNLLLoss { reduction: None, ..Default::default() },
        &[2.6913735130440206, 1.7792713318500644, -1.7792713318500644, 0.18564913761288884],
    );
    case(
        "mean",
        GaussianNLLLoss::new(),
        &[0.8951449765556146, -0.2916429726015294, 0.2916429726015294, 0.14071923703492556],
    );
    case(
        "sum",
        GaussianNLLLoss { reduction: Sum, ..Default::default() },
        &[5.370869859333688, -1.749857835609176, 1.749857835609176, 0.8443154222095536],
    );
    case(
        "full mean",
        GaussianNLLLoss { full: true, ..Default::default() },
        &[1.8140835097602872, -0.2916429726015294, 0.2916429726015294, 0.14071923703492556],
    );
    case(
        "eps mean",
        GaussianNLLLoss { eps: 1.1, ..Default::default() },
        &[0.7056272204851468, -0.22827858533699474, 0.22827858533699474, 0.18328082060824474],
    );
    check(
        "one variance for a row",
        &[wave(1.0, [2, 3]), wave(2.0, [2, 3]), between(0.5, 2.0, 3.0, [2])],
        |x| gaussian_nll_loss(&x[0], &x[1], &x[2], &GaussianNLLLoss::new()),
        &[0.8949965927606288, -0.24258615092067787, 0.24258615092067787, -0.2314923269022313],
    );
    check(
        "one variance for a column",
        &[wave(1.0, [2, 3]), wave(2.0, [2, 3]), between(0.5, 2.0, 3.0, [1, 3])],
        |x| gaussian_nll_loss(&x[0], &x[1], &x[2], &GaussianNLLLoss::new()),
        &[1.082335458253023, -0.6543432590632674, 0.6543432590632674, -0.29898561791369904],
    );
    check(
        "one target for a row",
        &[wave(1.0, [2, 3]), wave(2.0, [2, 1]), between(0.5, 2.0, 3.0, [2, 3])],
        |x| gaussian_nll_loss(&x[0], &x[1], &x[2], &GaussianNLLLoss::new()),
        &[1.3427450164485173, 1.802854285384805, 1.3341782013923242, 1.5088688677578832],
    );
    check(
        "one target for a column",
        &[wave(1.0, [2, 3]), wave(2.0, [3]), between(0.5, 2.0, 3.0, [2, 1])],
        |x| gaussian_nll_loss(&x[0], &x[1], &x[2], &GaussianNLLLoss::new()),
        &[4.541267375742968, 3.348477356271216, 4.544724437309117, -1.843907470222231],
    );
}

#[test]
fn poisson_nll() {
    let case = |label, options: PoissonNLLLoss, want: &[f64]| {
        check(
            label,
            &[between(0.3, 3.0, 1.0, [2, 3]), between(0.2, 4.0, 2.0, [2, 3])],
            |x| poisson_nll_loss(&x[0], &x[1], &options),
            want,
        )
    };
    case(
        "none",
        PoissonNLLLoss { reduction: None, ..Default::default() },
        &[34.97752607658571, 83.25444145472703, -17.37184479580188],
    );
    case("mean", PoissonNLLLoss::new(), &[4.270492483873337, 8.623371039794964, -1.8508412070661389]);
    case(
        "sum",
        PoissonNLLLoss { reduction: Sum, ..Default::default() },
        &[25.62295490324002, 51.740226238769786, -11.105047242396834],
    );
    case(
        "full mean",
        PoissonNLLLoss { full: true, ..Default::default() },
        &[5.720404830480237, 8.623371039794964, -0.7468017405357851],
    );
    case(
        "counts mean",
        PoissonNLLLoss { log_input: false, ..Default::default() },
        &[0.28743466435923143, -0.01760727224329295, -1.0135615647935379],
    );
    case(
        "counts, full, eps mean",
        PoissonNLLLoss { log_input: false, full: true, eps: 0.1, ..Default::default() },
        &[1.5799958502623583, -0.17395701629984112, 0.13776204562602895],
    );
}
