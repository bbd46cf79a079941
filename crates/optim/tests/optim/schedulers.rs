//! Each scheduler against its closed form and against numbers that PyTorch gives.

use std::f64::consts::PI;

use chainrule_optim::*;

use crate::parameter;

fn sgd(rates: &[f64]) -> Sgd {
    let group = |&lr: &f64| ParamGroup::new([parameter(1, 1)], SgdOptions { lr, ..Default::default() });
    Sgd::with_groups(rates.iter().map(group)).unwrap()
}

#[test]
fn step_lr_multiplies_every_few_epochs() {
    let mut optimizer = sgd(&[1.0, 0.5]);
    let mut scheduler = StepLR::new(&mut optimizer, 3, 0.5).unwrap();
    let mut rates = vec![optimizer.lr(0).unwrap()];
    for _ in 0..6 {
        scheduler.step(&mut optimizer).unwrap();
        rates.push(optimizer.lr(0).unwrap());
        assert_eq!(scheduler.last_lr(), [optimizer.lr(0).unwrap(), optimizer.lr(1).unwrap()]);
        assert_eq!(optimizer.lr(1).unwrap(), optimizer.lr(0).unwrap() / 2.0);
    }
    assert_eq!(rates, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]);
    assert_eq!(scheduler.epoch(), 6);
    assert_eq!(optimizer.initial_lr(0).unwrap(), 1.0);
}

#[test]
fn a_learning_rate_that_was_set_from_outside_is_kept() {
    let mut optimizer = sgd(&[1.0]);
    let mut scheduler = StepLR::new(&mut optimizer, 2, 0.5).unwrap();
    scheduler.step(&mut optimizer).unwrap();
    optimizer.param_groups_mut()[0].options.lr = 10.0;
    scheduler.step(&mut optimizer).unwrap();
    assert_eq!(optimizer.lr(0).unwrap(), 5.0);
}

#[test]
fn two_schedulers_multiply() {
    let mut optimizer = sgd(&[1.0]);
    let mut schedulers: Vec<Box<dyn LrScheduler>> = vec![
        Box::new(StepLR::new(&mut optimizer, 1, 0.5).unwrap()),
        Box::new(StepLR::new(&mut optimizer, 2, 0.25).unwrap()),
    ];
    let mut step = || {
        schedulers.iter_mut().for_each(|s| s.step(&mut optimizer).unwrap());
        optimizer.lr(0).unwrap()
    };
    assert_eq!([step(), step(), step()], [0.5, 0.0625, 0.03125]);
}

#[test]
fn bad_options_and_states_are_refused() {
    let mut optimizer = sgd(&[1.0]);
    assert!(StepLR::new(&mut optimizer, 0, 0.5).unwrap_err().to_string().contains("step_size"));
    assert!(StepLR::new(&mut optimizer, 1, f64::NAN).unwrap_err().to_string().contains("gamma"));
    let mut scheduler = StepLR::new(&mut optimizer, 2, 0.5).unwrap();
    let state = scheduler.state_dict().unwrap();
    for bad in [state.replace("StepLR", "CosineLR"), state.replace(":2", ":0"), "{".to_string()] {
        assert!(scheduler.load_state_dict(&bad).is_err(), "{bad}");
    }
    assert_eq!(scheduler.state_dict().unwrap(), state);
}

/// Compares the learning rates, after as many steps as there are numbers, with those numbers.
fn follows(optimizer: &mut dyn Hyperparameters, mut scheduler: impl LrScheduler, want: &[f64]) {
    for (epoch, &want) in want.iter().enumerate() {
        if epoch > 0 {
            scheduler.step(optimizer).unwrap();
        }
        let got = optimizer.lr(0).unwrap();
        assert!((got - want).abs() <= 1e-12 * want.abs().max(1e-3), "epoch {epoch}: {got} instead of {want}");
        assert_eq!(scheduler.last_lr()[0], got);
    }
}

/// The closed form at 40 epochs.
fn closed(form: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..40).map(|epoch| form(f64::from(epoch))).collect()
}

#[test]
fn schedulers_are_their_closed_forms() {
    let optimizer = || sgd(&[0.7, 0.1]);
    for gamma in [0.3, 1.1] {
        let mut o = optimizer();
        let s = MultiStepLR::new(&mut o, [20, 3, 3, 7], gamma).unwrap();
        let passed = |e: f64| [20.0, 3.0, 3.0, 7.0].iter().filter(|&&m| m <= e).count() as i32;
        follows(&mut o, s, &closed(|e| 0.7 * gamma.powi(passed(e))));
        let mut o = optimizer();
        let s = ExponentialLR::new(&mut o, gamma).unwrap();
        follows(&mut o, s, &closed(|e| 0.7 * gamma.powf(e)));
    }
    for total in [1, 13, 60] {
        let end = total as f64;
        let mut o = optimizer();
        let s = ConstantLR::new(&mut o, 0.2, total).unwrap();
        follows(&mut o, s, &closed(|e| if e < end { 0.7 * 0.2 } else { 0.7 }));
        for (first, last) in [(0.1, 1.0), (1.0, 0.0), (1.0, 0.25)] {
            let mut o = optimizer();
            let s = LinearLR::new(&mut o, first, last, total).unwrap();
            follows(&mut o, s, &closed(|e| 0.7 * (first + (last - first) * (e / end).min(1.0))));
        }
        for power in [1.0, 0.5, 2.0] {
            let mut o = optimizer();
            let s = PolynomialLR::new(&mut o, total, power).unwrap();
            follows(&mut o, s, &closed(|e| 0.7 * (1.0 - (e / end).min(1.0)).powf(power)));
        }
        // Beyond the minimum the cosine goes on.
        let mut o = optimizer();
        let s = CosineAnnealingLR::new(&mut o, total, 0.05).unwrap();
        follows(&mut o, s, &closed(|e| 0.05 + 0.65 * (1.0 + (PI * e / end).cos()) / 2.0));
    }
    let mut o = optimizer();
    let s = LambdaLR::new(&mut o, |epoch| 0.9f64.powi(epoch as i32) + 0.1).unwrap();
    follows(&mut o, s, &closed(|e| 0.7 * (0.9f64.powf(e) + 0.1)));
    let mut o = optimizer();
    let s = MultiplicativeLR::new(&mut o, |epoch| epoch as f64 / (epoch + 1) as f64).unwrap();
    follows(&mut o, s, &closed(|e| 0.7 / (e + 1.0)));
}

/// What `torch.optim.lr_scheduler` gives for SGD with a learning rate of 1.
#[test]
fn schedulers_give_the_numbers_of_pytorch() {
    let mut o = sgd(&[1.0]);
    let s = OneCycleLR::new(&mut o, 1.0, 10).unwrap();
    let curve = [
        0.04,
        0.52,
        1.0,
        0.9504846320134737,
        0.8117456539497631,
        0.6112620219362893,
        0.38874197806371075,
        0.18825834605023697,
        0.049519367986526286,
        4e-06,
    ];
    follows(&mut o, s, &curve);

    let mut o = sgd(&[1.0]);
    let schedule = OneCycleLRSchedule {
        three_phase: true,
        anneal_strategy: AnnealStrategy::Linear,
        ..OneCycleLRSchedule::new(1.0, 10)
    };
    let s = OneCycleLR::with_schedule(&mut o, schedule).unwrap();
    follows(&mut o, s, &[0.04, 0.52, 1.0, 0.52, 0.04, 0.0320008, 0.0240016, 0.0160024, 0.0080032, 4e-6]);

    let mut o = sgd(&[1.0]);
    let schedule = CyclicLRSchedule {
        step_size_up: 2,
        step_size_down: Some(3),
        mode: CyclicMode::Triangular2,
        ..CyclicLRSchedule::new(1.0, 3.0)
    };
    let s = CyclicLR::with_schedule(&mut o, schedule).unwrap();
    follows(&mut o, s, &[1.0, 2.0, 3.0, 7.0 / 3.0, 5.0 / 3.0, 1.0, 1.5, 2.0, 5.0 / 3.0, 4.0 / 3.0]);

    let mut o = sgd(&[1.0]);
    let schedule = CyclicLRSchedule {
        step_size_up: 2,
        step_size_down: Some(1),
        mode: CyclicMode::ExpRange,
        gamma: 0.9,
        ..CyclicLRSchedule::new(1.0, 3.0)
    };
    let s = CyclicLR::with_schedule(&mut o, schedule).unwrap();
    follows(&mut o, s, &[1.0, 1.9, 2.62, 1.0, 1.6561, 2.18098, 1.0]);

    let mut o = sgd(&[1.0]);
    let s = CosineAnnealingWarmRestarts::new(&mut o, 2, 2, 0.0).unwrap();
    let curve = [1.0, 0.5, 1.0, 0.8535533905932737, 0.5, 0.14644660940672627, 1.0, 0.9619397662556434];
    follows(&mut o, s, &curve);

    let mut o = sgd(&[1.0]);
    let exponential = ExponentialLR::new(&mut o, 0.9).unwrap();
    let s = SequentialLR::with_warmup(&mut o, 0.1, 3, Box::new(exponential)).unwrap();
    follows(&mut o, s, &[0.1, 0.4, 0.7, 1.0, 0.9, 0.81]);
}

#[test]
fn momentum_goes_the_other_way() {
    let momenta = |optimizer: &mut dyn Hyperparameters, mut scheduler: Box<dyn LrScheduler>, n: usize| {
        let mut momenta = vec![optimizer.momentum(0).unwrap().unwrap()];
        for _ in 1..n {
            scheduler.step(optimizer).unwrap();
            momenta.push(optimizer.momentum(0).unwrap().unwrap());
        }
        momenta
    };
    let close = |got: &[f64], want: &[f64]| {
        assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?} instead of {want:?}");
    };
    let mut o = sgd(&[1.0]);
    let one_cycle = OneCycleLR::new(&mut o, 1.0, 10).unwrap();
    close(&momenta(&mut o, Box::new(one_cycle), 4), &[0.95, 0.9, 0.85, 0.854951556604879]);

    // The first of the betas, the second stays.
    let mut adam = Adam::new([parameter(1, 1)], AdamOptions::default()).unwrap();
    let schedule = CyclicLRSchedule { step_size_up: 2, ..CyclicLRSchedule::new(0.1, 0.2) };
    let cyclic = CyclicLR::with_schedule(&mut adam, schedule).unwrap();
    close(&momenta(&mut adam, Box::new(cyclic), 5), &[0.9, 0.85, 0.8, 0.85, 0.9]);
    assert_eq!(adam.param_groups()[0].options.betas.1, 0.999);

    let schedule = OneCycleLRSchedule { cycle_momentum: false, ..OneCycleLRSchedule::new(1.0, 10) };
    let mut o = sgd(&[1.0]);
    let one_cycle = OneCycleLR::with_schedule(&mut o, schedule).unwrap();
    close(&momenta(&mut o, Box::new(one_cycle), 3), &[0.0; 3]);
}

#[test]
fn warm_restarts_go_to_a_part_of_an_epoch_and_on_from_there() {
    let mut o = sgd(&[1.0]);
    let mut s = CosineAnnealingWarmRestarts::new(&mut o, 2, 3, 0.1).unwrap();
    let want = |over: f64, period: f64| 0.1 + 0.9 * (1.0 + (PI * over / period).cos()) / 2.0;
    for (epoch, over, period) in
        [(0.5, 0.5, 2.0), (2.0, 0.0, 2.0), (7.75, 5.75, 6.0), (8.0, 0.0, 18.0), (1.25, 1.25, 2.0)]
    {
        s.step_to(&mut o, epoch).unwrap();
        assert!((o.lr(0).unwrap() - want(over, period)).abs() < 1e-12, "{epoch}");
    }
    s.step(&mut o).unwrap();
    assert!((o.lr(0).unwrap() - want(0.25, 6.0)).abs() < 1e-12);
    assert_eq!(s.epoch(), 2);
    assert!(s.step_to(&mut o, -1.0).unwrap_err().to_string().contains("-1"));
}

#[test]
fn a_plateau_is_more_bad_epochs_than_the_patience() {
    let rates = |options: ReduceLROnPlateauOptions, metrics: &[f64]| {
        let mut o = sgd(&[1.0]);
        let mut s = ReduceLROnPlateau::new(&mut o, options).unwrap();
        let curve = s.preview(&o, metrics).unwrap().concat();
        for (i, &metric) in metrics.iter().enumerate() {
            s.step(&mut o, metric).unwrap();
            assert_eq!(o.lr(0).unwrap(), curve[i + 1]);
            assert_eq!(s.last_lr(), [o.lr(0).unwrap()]);
        }
        curve[1..].to_vec()
    };
    let options =
        || ReduceLROnPlateauOptions { factor: 0.5, patience: 2, threshold: 0.1, ..Default::default() };
    // 0.95 is no improvement of a tenth; a NaN is none at all.
    assert_eq!(rates(options(), &[1.0, 0.95, f64::NAN, 1.0, 0.5, 1.0]), [1.0, 1.0, 1.0, 0.5, 0.5, 0.5]);
    let cooldown = ReduceLROnPlateauOptions { patience: 0, cooldown: 2, ..options() };
    assert_eq!(rates(cooldown, &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0]), [1.0, 0.5, 0.5, 0.5, 0.25, 0.25]);
    let lowest = ReduceLROnPlateauOptions { patience: 0, min_lr: 0.3.into(), ..options() };
    assert_eq!(rates(lowest, &[1.0, 1.0, 1.0, 1.0]), [1.0, 0.5, 0.3, 0.3]);
    let small = ReduceLROnPlateauOptions { patience: 0, eps: 0.6, ..options() };
    assert_eq!(rates(small, &[1.0, 1.0]), [1.0, 1.0]);

    let max = |threshold_mode| ReduceLROnPlateauOptions {
        mode: PlateauMode::Max,
        patience: 0,
        threshold_mode,
        ..options()
    };
    assert_eq!(rates(max(ThresholdMode::Abs), &[1.0, 1.05, 1.2]), [1.0, 0.5, 0.5]);
    // With negative metrics "10 % better" of the usual mode is a little worse; by magnitude it is better.
    assert_eq!(rates(max(ThresholdMode::Rel), &[-1.0, -1.05]), [1.0, 1.0]);
    assert_eq!(rates(max(ThresholdMode::RelMagnitude), &[-1.0, -1.05, -0.9, -0.8]), [1.0, 0.5, 0.25, 0.25]);
}

#[test]
fn a_sequence_within_a_sequence_begins_at_its_beginning() {
    let mut o = sgd(&[1.0]);
    let a = ExponentialLR::new(&mut o, 0.5).unwrap();
    let b = MultiplicativeLR::new(&mut o, |_| 0.25).unwrap();
    let inner = SequentialLR::new(&mut o, vec![Box::new(a), Box::new(b)], [2]).unwrap();
    let first = ConstantLR::new(&mut o, 0.5, 10).unwrap();
    let outer = SequentialLR::new(&mut o, vec![Box::new(first), Box::new(inner)], [1]).unwrap();
    follows(&mut o, outer, &[0.5, 1.0, 0.5, 1.0, 0.25]);
}

#[test]
fn one_cycle_ends() {
    let mut o = sgd(&[1.0]);
    let mut s = OneCycleLR::new(&mut o, 1.0, 3).unwrap();
    (0..3).for_each(|_| s.step(&mut o).unwrap());
    let before = (o.lr(0).unwrap(), o.momentum(0).unwrap());
    // Where PyTorch raises an error, the last rate stays.
    s.step(&mut o).unwrap();
    assert_eq!((o.lr(0).unwrap(), o.momentum(0).unwrap()), before);
    assert_eq!(s.preview(&o, 2).unwrap(), vec![vec![before.0]; 2]);
}

#[test]
fn options_out_of_range_are_refused_with_their_value() {
    fn refused<S>(result: chainrule_tensor::Result<S>, words: &[&str]) {
        let error = result.err().expect("options out of range");
        assert_eq!(error.location().unwrap().file(), file!(), "{error}");
        for word in words {
            assert!(error.to_string().contains(word), "{error}");
        }
    }
    let o = &mut sgd(&[1.0, 1.0]);
    refused(MultiStepLR::new(o, [1], -0.5), &["MultiStepLR", "gamma", "-0.5"]);
    refused(ConstantLR::new(o, 1.5, 2), &["factor", "1.5"]);
    refused(LinearLR::new(o, 0.0, 1.0, 2), &["start_factor", "0"]);
    refused(LinearLR::new(o, 0.5, -1.0, 2), &["end_factor", "-1"]);
    refused(LinearLR::new(o, 0.5, 1.0, 0), &["total_iters"]);
    refused(ExponentialLR::new(o, f64::NAN), &["gamma", "NaN"]);
    refused(PolynomialLR::new(o, 2, f64::INFINITY), &["power", "inf"]);
    refused(CosineAnnealingLR::new(o, 0, 0.0), &["t_max"]);
    refused(CosineAnnealingWarmRestarts::new(o, 0, 1, 0.0), &["t_0"]);
    refused(CosineAnnealingWarmRestarts::new(o, 1, 0, 0.0), &["t_mult"]);
    refused(CyclicLR::new(o, [1.0], 2.0), &["base_lr has 1 values for 2 parameter groups"]);
    refused(CyclicLR::new(o, -1.0, 2.0), &["base_lr", "-1"]);
    refused(OneCycleLR::new(o, 1.0, 0), &["total_steps"]);
    let bad = OneCycleLRSchedule { pct_start: 1.5, ..OneCycleLRSchedule::new(1.0, 5) };
    refused(OneCycleLR::with_schedule(o, bad), &["pct_start", "1.5"]);
    let bad = OneCycleLRSchedule { div_factor: 0.0, ..OneCycleLRSchedule::new(1.0, 5) };
    refused(OneCycleLR::with_schedule(o, bad), &["div_factor", "0"]);
    refused(LambdaLR::per_group(o, [LrLambda::new(|_| 1.0)]), &["lr_lambda has 1 values"]);
    refused(LambdaLR::new(o, |_| f64::NAN), &["group 0 in epoch 0 would be NaN"]);
    let bad = ReduceLROnPlateauOptions { factor: 1.0, ..Default::default() };
    refused(ReduceLROnPlateau::new(o, bad), &["factor", "1"]);
    refused(SequentialLR::new(o, vec![], []), &["no schedulers"]);
    let two = |o: &mut Sgd| -> Vec<Box<dyn LrScheduler>> {
        vec![Box::new(StepLR::new(o, 1, 0.5).unwrap()), Box::new(StepLR::new(o, 1, 0.5).unwrap())]
    };
    let schedulers = two(o);
    refused(SequentialLR::new(o, schedulers, [1, 2]), &["2 schedulers need 1 milestones, not 2"]);
    refused(ChainedScheduler::new(o, vec![]), &["no schedulers"]);
    let mut adagrad = Optimizer::new([parameter(1, 1)], NoMomentum { lr: 1.0 }).unwrap();
    refused(CyclicLR::new(&mut adagrad, 0.1, 0.2), &["cycle_momentum"]);
    refused(OneCycleLR::new(&mut adagrad, 0.1, 3), &["cycle_momentum"]);
}

/// An algorithm that has no momentum to cycle.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct NoMomentum {
    lr: f64,
}

impl Algorithm for NoMomentum {
    const NAME: &'static str = "NoMomentum";
    fn hyperparameters(&mut self) -> Vec<algorithm::Hyperparameter<'_>> {
        vec![algorithm::Hyperparameter::lr(&mut self.lr)]
    }
    fn update<T: chainrule_tensor::FloatElement>(&self, _: algorithm::Update<'_, T>) {}
}
