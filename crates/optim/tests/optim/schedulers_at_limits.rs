//! Schedulers with extreme options, and beyond their end.

use std::f64::consts::PI;

use chainrule_optim::*;
use chainrule_tensor::{Parameter, Result, Tensor};

use crate::parameter;

pub(crate) fn sgd(lr: f64) -> (Parameter, Sgd) {
    let p = parameter(1, 1);
    let options = SgdOptions { lr, momentum: 0.9, ..Default::default() };
    let optimizer = Sgd::new([p.clone()], options).unwrap();
    p.set_grad(Some(Tensor::full_of([1], 1e-3f64).unwrap())).unwrap();
    (p, optimizer)
}

/// A step of both.
pub(crate) fn step(optimizer: &mut Sgd, scheduler: &mut dyn LrScheduler) {
    optimizer.step().unwrap();
    scheduler.step(optimizer).unwrap();
}

/// Saves both and loads them into others, made anew, which then make a step.
fn resumes(optimizer: &Sgd, scheduler: &dyn LrScheduler, make: impl Fn(&mut Sgd) -> Box<dyn LrScheduler>) {
    let (_p, mut other) = sgd(1.0);
    let mut made = make(&mut other);
    made.load_state_dict(&scheduler.state_dict().unwrap()).unwrap();
    other.load_state_dict(&optimizer.state_dict().unwrap()).unwrap();
    assert_eq!(other.lr(0).unwrap(), optimizer.lr(0).unwrap());
    step(&mut other, &mut made);
}

#[test]
fn one_cycle_stays_at_its_last_rate() {
    for anneal_strategy in [AnnealStrategy::Cos, AnnealStrategy::Linear] {
        for three_phase in [false, true] {
            let make = |o: &mut Sgd| -> Box<dyn LrScheduler> {
                let options = OneCycleLRSchedule::new(1.0, 10);
                let options = OneCycleLRSchedule { anneal_strategy, three_phase, ..options };
                Box::new(OneCycleLR::with_schedule(o, options).unwrap())
            };
            let (_p, mut optimizer) = sgd(1.0);
            let mut scheduler = make(&mut optimizer);
            (0..9).for_each(|_| step(&mut optimizer, &mut scheduler));
            let last = optimizer.lr(0).unwrap();
            assert!((last - 4e-6).abs() < 1e-15, "{last}");
            for _ in 9..1000 {
                step(&mut optimizer, &mut scheduler);
                assert_eq!(optimizer.lr(0).unwrap(), last);
                assert_eq!(optimizer.momentum(0).unwrap(), Some(0.95));
            }
            resumes(&optimizer, &scheduler, make);
        }
    }
}

#[test]
fn a_line_to_zero_ends_at_zero_up_to_rounding_and_the_training_goes_on() {
    let make = |o: &mut Sgd| -> Box<dyn LrScheduler> { Box::new(LinearLR::new(o, 0.1, 0.0, 5).unwrap()) };
    let (p, mut optimizer) = sgd(1.0);
    let mut scheduler = make(&mut optimizer);
    (0..5).for_each(|_| step(&mut optimizer, &mut scheduler));
    assert!(optimizer.lr(0).unwrap().abs() < 1e-15);
    let before = crate::values(&p)[0];
    (0..100).for_each(|_| step(&mut optimizer, &mut scheduler));
    assert!((crate::values(&p)[0] - before).abs() < 1e-12);
    resumes(&optimizer, &scheduler, make);
}

/// The recursions of PyTorch, one after the other; after 35 steps they are below 0.
#[test]
fn a_chain_that_overshoots_zero_goes_on_as_in_pytorch() {
    let make = |o: &mut Sgd| -> Box<dyn LrScheduler> {
        let chained: Vec<Box<dyn LrScheduler>> = vec![
            Box::new(LinearLR::new(o, 1.0 / 3.0, 0.1, 40).unwrap()),
            Box::new(ConstantLR::new(o, 0.25, 5).unwrap()),
            Box::new(CosineAnnealingLR::new(o, 30, 0.01).unwrap()),
        ];
        Box::new(ChainedScheduler::new(o, chained).unwrap())
    };
    let (_p, mut optimizer) = sgd(0.1);
    let mut scheduler = make(&mut optimizer);
    let mut lr = 0.1 * (1.0 / 3.0) * 0.25;
    let mut lowest = lr;
    for epoch in 1..=60u32 {
        step(&mut optimizer, &mut scheduler);
        let e = f64::from(epoch);
        if epoch <= 40 {
            let rise = 0.1 - 1.0 / 3.0;
            lr *= 1.0 + rise / (40.0 / 3.0 + (e - 1.0) * rise);
        }
        if epoch == 5 {
            lr *= 4.0;
        }
        lr = if epoch == 31 {
            lr + (0.1 - 0.01) * (1.0 - (PI / 30.0).cos()) / 2.0
        } else {
            (1.0 + (PI * e / 30.0).cos()) / (1.0 + (PI * (e - 1.0) / 30.0).cos()) * (lr - 0.01) + 0.01
        };
        let got = optimizer.lr(0).unwrap();
        assert!((got - lr).abs() <= 1e-9 * lr.abs(), "epoch {epoch}: {got} instead of {lr}");
        lowest = got.min(lowest);
    }
    assert!((lowest + 0.17932660212111073).abs() < 1e-9, "{lowest}");
    resumes(&optimizer, &scheduler, make);
    let plateau = ReduceLROnPlateauOptions { patience: 0, ..Default::default() };
    let mut plateau = ReduceLROnPlateau::new(&mut optimizer, plateau).unwrap();
    (0..3).for_each(|_| plateau.step(&mut optimizer, 1.0).unwrap());
    optimizer.step().unwrap();
}

#[test]
fn only_schedulers_may_set_a_rate_below_zero() {
    let (_p, mut optimizer) = sgd(1.0);
    optimizer.set_lr(0, -1e-5).unwrap();
    optimizer.step().unwrap();
    optimizer.param_groups_mut()[0].options.lr = -2e-5;
    assert!(optimizer.step().unwrap_err().to_string().contains("-0.00002"));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(optimizer.set_lr(0, bad).is_err() && optimizer.set_initial_lr(0, bad).is_err());
        assert!(optimizer.set_momentum(0, bad).is_err());
    }
    assert!(optimizer.set_momentum(0, -0.5).is_err());
    assert_eq!(optimizer.momentum(0).unwrap(), Some(0.9));
}

type Make = Box<dyn Fn(&mut Sgd) -> Result<Box<dyn LrScheduler>>>;

/// A scheduler, with the learning rates that it begins with, as far as they are given, and that it has after 3000 steps.
macro_rules! extreme {
    ($($make:expr => $first:expr, $last:expr;)+) => {
        vec![$((Box::new(|o: &mut Sgd| Ok(Box::new($make(o)?) as Box<dyn LrScheduler>)) as Make,
            &$first as &[f64], $last, stringify!($make))),+]
    };
}

#[test]
fn extreme_options_give_finite_rates_for_ever() {
    const HUGE: u64 = u64::MAX;
    let cases = extreme! {
        |o| StepLR::new(o, HUGE, 0.5) => [1.0, 1.0], 1.0;
        |o| StepLR::new(o, 1, 0.0) => [1.0, 0.0], 0.0;
        |o| MultiStepLR::new(o, [], 0.5) => [1.0, 1.0], 1.0;
        |o| MultiStepLR::new(o, [3, 1, 3, HUGE, 1], 0.5) => [1.0, 0.25, 0.25, 0.0625], 0.0625;
        |o| MultiStepLR::new(o, [0], 0.5) => [0.5, 0.5], 0.5;
        |o| ConstantLR::new(o, 0.5, 0) => [0.5, 0.5], 0.5;
        |o| ConstantLR::new(o, 0.5, HUGE) => [0.5, 0.5], 0.5;
        |o| ConstantLR::new(o, 1e-320, 2) => [1e-320, 1e-320, 1.0], 1.0;
        |o| ConstantLR::new(o, 0.0, 2) => [0.0, 0.0, 1.0], 1.0;
        |o| LinearLR::new(o, 1e-320, 1.0, 2) => [1e-320, 0.5, 1.0], 1.0;
        |o| LinearLR::new(o, 0.5, 0.25, HUGE) => [0.5, 0.5], 0.5;
        |o| LinearLR::new(o, 0.5, 0.25, 1) => [0.5, 0.25], 0.25;
        |o| ExponentialLR::new(o, 0.0) => [1.0, 0.0], 0.0;
        |o| ExponentialLR::new(o, 1e-300) => [1.0, 1e-300, 0.0], 0.0;
        |o| PolynomialLR::new(o, 0, 2.0) => [1.0, 1.0], 1.0;
        |o| PolynomialLR::new(o, HUGE, 2.0) => [1.0, 1.0], 1.0;
        |o| PolynomialLR::new(o, 2, 1e300) => [1.0, 0.0, 0.0], 0.0;
        |o| PolynomialLR::new(o, 2, 0.0) => [1.0, 1.0, 1.0], 1.0;
        |o| CosineAnnealingLR::new(o, HUGE, 0.1) => [1.0, 1.0], 1.0;
        |o| CosineAnnealingLR::new(o, usize::MAX as u64 / 2, 0.1) => [1.0, 1.0], 1.0;
        |o| CosineAnnealingLR::new(o, 1, 0.25) => [1.0, 0.25, 1.0, 0.25], 1.0;
        |o| CosineAnnealingLR::new(o, 1, 4.0) => [1.0, 4.0, 1.0, 4.0], 1.0;
        |o| CosineAnnealingWarmRestarts::new(o, 1, HUGE, 0.0) => [1.0, 1.0], 1.0;
        |o| CosineAnnealingWarmRestarts::new(o, HUGE, 1, 0.0) => [1.0, 1.0], 1.0;
        |o| CosineAnnealingWarmRestarts::new(o, HUGE, HUGE, 5.0) => [1.0, 1.0], 1.0;
        |o| OneCycleLR::new(o, 25.0, HUGE) => [1.0, 1.0], 1.0;
        |o| OneCycleLR::new(o, 1.0, 1) => [4e-6, 4e-6], 4e-6;
        |o| OneCycleLR::with_schedule(o, OneCycleLRSchedule { pct_start: 1.0, ..OneCycleLRSchedule::new(1.0, 2) })
            => [0.04, 1.0, 1.0], 1.0;
        |o| OneCycleLR::with_schedule(o, OneCycleLRSchedule { pct_start: 0.0, ..OneCycleLRSchedule::new(1.0, 2) })
            => [0.5 + 2e-6, 4e-6], 4e-6;
        |o| CyclicLR::with_schedule(o, CyclicLRSchedule {
            step_size_up: HUGE, step_size_down: Some(HUGE), ..CyclicLRSchedule::new(1.0, 2.0)
        }) => [1.0, 1.0], 1.0;
        |o| CyclicLR::with_schedule(o, CyclicLRSchedule {
            step_size_up: 1, mode: CyclicMode::ExpRange, gamma: -1.0, ..CyclicLRSchedule::new(1.0, 2.0)
        }) => [1.0, 0.0, 1.0, 0.0], 1.0;
        |o| CyclicLR::with_schedule(o, CyclicLRSchedule {
            step_size_up: 1, mode: CyclicMode::Iterations(LrLambda::new(|_| 100.0)), ..CyclicLRSchedule::new(1.0, 2.0)
        }) => [1.0, 101.0, 1.0], 1.0;
        |o| SWALR::with_schedule(o, SWALRSchedule { anneal_epochs: 0, ..SWALRSchedule::new(0.5) }) => [0.5, 0.5], 0.5;
        |o| SWALR::with_schedule(o, SWALRSchedule { anneal_epochs: HUGE, ..SWALRSchedule::new(0.5) }) => [1.0], 1.0;
        |o| LambdaLR::new(o, |epoch| -(epoch as f64)) => [0.0, -1.0], -3000.0;
    };
    for (make, first, last, what) in cases {
        let (_p, mut optimizer) = sgd(1.0);
        let mut scheduler = make(&mut optimizer).unwrap();
        let close = |got: f64, want: f64| (got - want).abs() <= 1e-12 * want.abs().max(1e-300);
        for epoch in 0..=3000 {
            let lr = optimizer.lr(0).unwrap();
            if let Some(&want) = first.get(epoch) {
                assert!(close(lr, want), "{what}, epoch {epoch}: {lr} instead of {want}");
            }
            assert!(lr.is_finite(), "{what}, epoch {epoch}: {lr}");
            if epoch < 3000 {
                step(&mut optimizer, &mut scheduler);
            }
        }
        let lr = optimizer.lr(0).unwrap();
        assert!(close(lr, last), "{what}: {lr} instead of {last}");
        resumes(&optimizer, &scheduler, |o| make(o).unwrap());
    }
}

#[test]
fn a_plateau_takes_any_metric() {
    let rates = |options: ReduceLROnPlateauOptions, metrics: &[f64]| {
        let (_p, mut o) = sgd(1.0);
        let mut scheduler = ReduceLROnPlateau::new(&mut o, options).unwrap();
        let mut rates = Vec::new();
        for &metric in metrics {
            o.step().unwrap();
            scheduler.step(&mut o, metric).unwrap();
            rates.push(o.lr(0).unwrap());
        }
        let state = scheduler.state_dict().unwrap();
        scheduler.load_state_dict(&state).unwrap();
        rates
    };
    const INF: f64 = f64::INFINITY;
    let options =
        || ReduceLROnPlateauOptions { factor: 0.5, patience: 0, threshold: 0.0, ..Default::default() };
    assert_eq!(rates(options(), &[f64::NAN, INF, 1.0, -INF, -INF]), [0.5, 0.25, 0.25, 0.25, 0.125]);
    let max = ReduceLROnPlateauOptions { mode: PlateauMode::Max, ..options() };
    assert_eq!(rates(max, &[-INF, 1.0, INF, f64::NAN]), [0.5, 0.5, 0.5, 0.25]);
    // The first metric is better than none, whatever the threshold.
    for threshold in [1.0, 2.0] {
        let large = ReduceLROnPlateauOptions { threshold, ..options() };
        assert_eq!(rates(large, &[1.0, 1.0]), [1.0, 0.5]);
    }
    let forever = ReduceLROnPlateauOptions { patience: u64::MAX, cooldown: u64::MAX, ..options() };
    assert_eq!(rates(forever, &[1.0, 2.0, 3.0]), [1.0; 3]);
    let above = ReduceLROnPlateauOptions { min_lr: 5.0.into(), ..options() };
    assert_eq!(rates(above, &[1.0, 2.0, 3.0]), [1.0; 3]);
    let (_p, mut o) = sgd(1.0);
    for factor in [f64::NAN, INF, -0.5, 1.0] {
        assert!(ReduceLROnPlateau::new(&mut o, ReduceLROnPlateauOptions { factor, ..options() }).is_err());
    }
}
