//! Schedulers that are saved and go on, and previews that change nothing.

use chainrule_optim::*;

use crate::{parameter, with_lr};

/// The most steps that one of them takes.
pub(crate) const STEPS: usize = 24;

pub(crate) type Make = fn(&mut dyn Hyperparameters) -> Box<dyn LrScheduler>;

/// Each scheduler, twice: with the options of the run, and with others that loading has to replace.
pub(crate) fn schedulers() -> Vec<(Make, Make)> {
    vec![
        (|o| Box::new(StepLR::new(o, 3, 0.7).unwrap()), |o| Box::new(StepLR::new(o, 1, 0.1).unwrap())),
        (
            |o| Box::new(MultiStepLR::new(o, [2, 5, 5], 0.3).unwrap()),
            |o| Box::new(MultiStepLR::new(o, [1], 0.1).unwrap()),
        ),
        (
            |o| Box::new(ConstantLR::new(o, 0.3, 7).unwrap()),
            |o| Box::new(ConstantLR::new(o, 0.5, 1).unwrap()),
        ),
        (
            |o| Box::new(LinearLR::new(o, 0.3, 0.9, 9).unwrap()),
            |o| Box::new(LinearLR::new(o, 0.5, 1.0, 1).unwrap()),
        ),
        (
            |o| Box::new(ExponentialLR::new(o, 0.9).unwrap()),
            |o| Box::new(ExponentialLR::new(o, 0.1).unwrap()),
        ),
        (
            |o| Box::new(PolynomialLR::new(o, 11, 0.9).unwrap()),
            |o| Box::new(PolynomialLR::new(o, 1, 1.0).unwrap()),
        ),
        (
            |o| Box::new(CosineAnnealingLR::new(o, 5, 0.01).unwrap()),
            |o| Box::new(CosineAnnealingLR::new(o, 1, 0.0).unwrap()),
        ),
        (
            |o| {
                let mut s = CosineAnnealingWarmRestarts::new(o, 2, 2, 0.01).unwrap();
                s.step_to(o, 0.3).unwrap();
                Box::new(s)
            },
            |o| Box::new(CosineAnnealingWarmRestarts::new(o, 1, 1, 0.0).unwrap()),
        ),
        (
            |o| Box::new(LambdaLR::new(o, |epoch| 0.97f64.powi(epoch as i32)).unwrap()),
            |o| Box::new(LambdaLR::new(o, |epoch| 0.97f64.powi(epoch as i32)).unwrap()),
        ),
        (
            |o| Box::new(MultiplicativeLR::new(o, |epoch| 1.0 / epoch as f64).unwrap()),
            |o| Box::new(MultiplicativeLR::new(o, |epoch| 1.0 / epoch as f64).unwrap()),
        ),
        (|o| cyclic(o, CyclicMode::Triangular2), |o| Box::new(CyclicLR::new(o, 0.1, 0.2).unwrap())),
        (
            |o| cyclic(o, CyclicMode::Iterations(LrLambda::new(|step| 1.0 / (step + 3) as f64))),
            |o| cyclic(o, CyclicMode::Iterations(LrLambda::new(|step| 1.0 / (step + 3) as f64))),
        ),
        (
            |o| Box::new(OneCycleLR::new(o, [0.3, 0.7], STEPS as u64).unwrap()),
            |o| Box::new(OneCycleLR::new(o, 0.1, 2).unwrap()),
        ),
        (
            |o| {
                let cosine = Box::new(CosineAnnealingLR::new(o, 5, 0.0).unwrap());
                Box::new(SequentialLR::with_warmup(o, 0.1, 4, cosine).unwrap())
            },
            |o| {
                let cosine = Box::new(CosineAnnealingLR::new(o, 1, 0.0).unwrap());
                Box::new(SequentialLR::with_warmup(o, 0.5, 1, cosine).unwrap())
            },
        ),
        (|o| chained(o, 0.7), |o| chained(o, 0.1)),
        (
            |o| {
                let schedule = SWALRSchedule { anneal_epochs: 7, ..SWALRSchedule::new([0.05, 0.02]) };
                Box::new(SWALR::with_schedule(o, schedule).unwrap())
            },
            |o| Box::new(SWALR::new(o, 0.3).unwrap()),
        ),
    ]
}

fn cyclic(optimizer: &mut dyn Hyperparameters, mode: CyclicMode) -> Box<dyn LrScheduler> {
    let schedule = CyclicLRSchedule {
        step_size_up: 3,
        step_size_down: Some(4),
        mode,
        ..CyclicLRSchedule::new([0.1, 0.3], 0.9)
    };
    Box::new(CyclicLR::with_schedule(optimizer, schedule).unwrap())
}

fn chained(optimizer: &mut dyn Hyperparameters, gamma: f64) -> Box<dyn LrScheduler> {
    let step = StepLR::new(optimizer, 2, gamma).unwrap();
    let linear = LinearLR::new(optimizer, gamma, 1.0, 9).unwrap();
    Box::new(ChainedScheduler::new(optimizer, vec![Box::new(step), Box::new(linear)]).unwrap())
}

/// Two groups.
pub(crate) fn optimizer<A: Algorithm>(options: &A) -> Optimizer<A> {
    let group = |lr| ParamGroup::new([parameter(1, 1)], with_lr(options, lr));
    Optimizer::with_groups([group(0.1), group(1.0 / 3.0)]).unwrap()
}

pub(crate) fn hyperparameters(optimizer: &dyn Hyperparameters) -> Vec<(f64, f64, Option<f64>)> {
    let of = |g| (optimizer.lr(g).unwrap(), optimizer.initial_lr(g).unwrap(), optimizer.momentum(g).unwrap());
    (0..optimizer.num_groups()).map(of).collect()
}

fn resumes<A: Algorithm + Default>() {
    for (make, other) in schedulers() {
        for saved_at in 0..STEPS {
            let mut whole = optimizer(&A::default());
            let mut scheduler = make(&mut whole);
            (0..saved_at).for_each(|_| scheduler.step(&mut whole).unwrap());

            let mut resumed = optimizer(&A::default());
            let mut again = other(&mut resumed);
            resumed.load_state_dict(&whole.state_dict().unwrap()).unwrap();
            again.load_state_dict(&scheduler.state_dict().unwrap()).unwrap();
            for _ in saved_at..STEPS {
                assert_eq!(hyperparameters(&resumed), hyperparameters(&whole), "{scheduler:?}");
                assert_eq!(again.last_lr(), scheduler.last_lr());
                assert_eq!(again.state_dict().unwrap(), scheduler.state_dict().unwrap());
                scheduler.step(&mut whole).unwrap();
                again.step(&mut resumed).unwrap();
            }
        }
    }
}

#[test]
fn a_resumed_scheduler_goes_on_from_any_step() {
    resumes::<SgdOptions>();
    resumes::<AdamWOptions>();
}

/// What the epochs of a plateau end with.
pub(crate) const METRICS: [f64; 14] =
    [1.0, 0.9, 0.9, 0.9, f64::NAN, 0.5, 0.5, 0.6, 0.7, 0.8, f64::NEG_INFINITY, 0.1, 0.1, 0.1];

/// Runs of a plateau: improving is to fall, or to rise.
pub(crate) fn plateaus() -> [ReduceLROnPlateauOptions; 2] {
    let falls = ReduceLROnPlateauOptions { factor: 0.3, patience: 1, cooldown: 1, ..Default::default() };
    let rises = ReduceLROnPlateauOptions {
        mode: PlateauMode::Max,
        factor: 1.0 / 3.0,
        patience: 2,
        threshold: 0.1,
        threshold_mode: ThresholdMode::Abs,
        min_lr: [0.01, 0.02].into(),
        ..Default::default()
    };
    [falls, rises]
}

#[test]
fn a_resumed_plateau_goes_on_from_any_step() {
    for (options, saved_at) in
        plateaus().into_iter().flat_map(|o| (0..METRICS.len()).map(move |at| (o.clone(), at)))
    {
        let mut whole = optimizer(&SgdOptions::default());
        let mut scheduler = ReduceLROnPlateau::new(&mut whole, options).unwrap();
        METRICS[..saved_at].iter().for_each(|&m| scheduler.step(&mut whole, m).unwrap());
        let mut resumed = optimizer(&SgdOptions::default());
        let mut again = ReduceLROnPlateau::new(&mut resumed, ReduceLROnPlateauOptions::default()).unwrap();
        resumed.load_state_dict(&whole.state_dict().unwrap()).unwrap();
        again.load_state_dict(&scheduler.state_dict().unwrap()).unwrap();
        for &metric in &METRICS[saved_at..] {
            scheduler.step(&mut whole, metric).unwrap();
            again.step(&mut resumed, metric).unwrap();
            assert_eq!(hyperparameters(&resumed), hyperparameters(&whole), "saved at {saved_at}");
            assert_eq!(again.state_dict().unwrap(), scheduler.state_dict().unwrap());
        }
    }
}

#[test]
fn a_preview_is_what_comes_and_changes_nothing() {
    for (make, _) in schedulers() {
        let mut optimizer = optimizer(&SgdOptions::default());
        let mut scheduler = make(&mut optimizer);
        for _ in 0..3 {
            let state = (scheduler.state_dict().unwrap(), hyperparameters(&optimizer));
            let curve = scheduler.preview(&optimizer, 4).unwrap();
            assert_eq!((scheduler.state_dict().unwrap(), hyperparameters(&optimizer)), state);
            for rates in curve {
                assert_eq!(rates, [optimizer.lr(0).unwrap(), optimizer.lr(1).unwrap()], "{scheduler:?}");
                scheduler.step(&mut optimizer).unwrap();
            }
        }
    }
}

#[test]
fn a_state_of_other_schedulers_is_refused_and_changes_nothing() {
    let mut optimizer = optimizer(&SgdOptions::default());
    for (i, (make, _)) in schedulers().into_iter().enumerate() {
        let mut scheduler = make(&mut optimizer);
        let state = scheduler.state_dict().unwrap();
        for (j, (make, _)) in schedulers().into_iter().enumerate() {
            let other = make(&mut optimizer).state_dict().unwrap();
            // The two cyclic ones differ only in the mode, whose function cannot be made up.
            let loads = i == j || (i, j) == (11, 10);
            let mut copy = scheduler.clone();
            assert_eq!(copy.load_state_dict(&other).is_ok(), loads, "{state} from {other}");
            if !loads {
                assert_eq!(copy.state_dict().unwrap(), state);
            }
        }
        assert!(scheduler.load_state_dict("{").is_err());
    }
    let mut chain = chained(&mut optimizer, 0.5);
    let state = chain.state_dict().unwrap();
    let step = StepLR::new(&mut optimizer, 2, 0.5).unwrap();
    let fewer = ChainedScheduler::new(&optimizer, vec![Box::new(step)]);
    let error = chain.load_state_dict(&fewer.unwrap().state_dict().unwrap()).unwrap_err().to_string();
    assert!(error.contains("1 schedulers instead of 2"), "{error}");
    assert_eq!(chain.state_dict().unwrap(), state);
}
