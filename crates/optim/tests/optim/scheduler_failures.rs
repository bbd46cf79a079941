//! Schedulers that fail change nothing; what they are given that does not fit, and damaged states.

use chainrule_optim::*;
use chainrule_tensor::{ErrorKind, Result};

use crate::parameter;
use crate::schedulers_at_limits::{sgd, step};

/// What makes something of an optimizer.
type Make<'a, T> = dyn Fn(&mut Sgd) -> T + 'a;

/// A function that has no value from epoch 3 on.
fn ends(o: &mut dyn Hyperparameters) -> Box<dyn LrScheduler> {
    Box::new(LambdaLR::new(o, |epoch| if epoch < 3 { 0.5 } else { f64::NAN }).unwrap())
}

#[test]
fn a_step_that_fails_changes_nothing_and_names_the_line() {
    let alone = |o: &mut Sgd| ends(o);
    let chained = |o: &mut Sgd| -> Box<dyn LrScheduler> {
        let inside: Vec<Box<dyn LrScheduler>> = vec![Box::new(ExponentialLR::new(o, 0.5).unwrap()), ends(o)];
        Box::new(ChainedScheduler::new(o, inside).unwrap())
    };
    let sequence = |o: &mut Sgd| -> Box<dyn LrScheduler> {
        let inside: Vec<Box<dyn LrScheduler>> = vec![chained(o), Box::new(StepLR::new(o, 1, 0.5).unwrap())];
        Box::new(SequentialLR::new(o, inside, [10]).unwrap())
    };
    let makes: [&Make<'_, Box<dyn LrScheduler>>; 3] = [&alone, &chained, &sequence];
    for make in makes {
        let (_p, mut optimizer) = sgd(1.0);
        let mut scheduler = make(&mut optimizer);
        (0..2).for_each(|_| step(&mut optimizer, &mut scheduler));
        let all = |o: &Sgd, s: &dyn LrScheduler| {
            let rates = (o.lr(0).unwrap(), o.initial_lr(0).unwrap(), o.momentum(0).unwrap());
            (rates, s.state_dict().unwrap(), s.last_lr().to_vec())
        };
        let before = all(&optimizer, &scheduler);
        for _ in 0..3 {
            let line = line!() + 1;
            let error = scheduler.step(&mut optimizer).unwrap_err();
            let at = error.location().unwrap();
            assert_eq!((at.file(), at.line()), (file!(), line), "{error}");
            assert!(error.to_string().contains("NaN"), "{error}");
            assert_eq!(all(&optimizer, &scheduler), before);
        }
        let line = line!() + 1;
        let error = scheduler.preview(&optimizer, 3).unwrap_err();
        assert_eq!((error.location().unwrap().file(), error.location().unwrap().line()), (file!(), line));
    }
    let (_p, mut optimizer) = sgd(1.0);
    let mut scheduler =
        LambdaLR::new(&mut optimizer, |epoch| if epoch == 0 { 1.0 } else { f64::INFINITY }).unwrap();
    optimizer.step().unwrap();
    let line = line!() + 1;
    let error = scheduler.step(&mut optimizer).unwrap_err();
    assert_eq!((error.location().unwrap().file(), error.location().unwrap().line()), (file!(), line));
}

#[test]
fn a_scheduler_that_is_not_made_changes_nothing() {
    let (_p, mut optimizer) = sgd(1.0);
    let infinite = OneCycleLRSchedule { div_factor: 1e-300, ..OneCycleLRSchedule::new(1e300, 5) };
    let infinite = |o: &mut Sgd| OneCycleLR::with_schedule(o, infinite.clone()).map(|_| ());
    let cyclic = CyclicLRSchedule {
        mode: CyclicMode::Cycle(LrLambda::new(|_| f64::NAN)),
        ..CyclicLRSchedule::new(0.5, 0.75)
    };
    let cyclic = |o: &mut Sgd| CyclicLR::with_schedule(o, cyclic.clone()).map(|_| ());
    let warmup = |o: &mut Sgd| {
        let mut other = sgd(1.0).1;
        let ends = Box::new(LambdaLR::new(&mut other, |_| 1.0)?);
        let inside: Vec<Box<dyn LrScheduler>> = vec![ends, Box::new(Fails)];
        SequentialLR::new(o, inside, [0]).map(|_| ())
    };
    let makes: [&Make<'_, Result<()>>; 3] = [&infinite, &cyclic, &warmup];
    for make in makes {
        assert!(make(&mut optimizer).is_err());
        let now =
            (optimizer.lr(0).unwrap(), optimizer.initial_lr(0).unwrap(), optimizer.momentum(0).unwrap());
        assert_eq!(now, (1.0, 1.0, Some(0.9)));
    }
}

/// A scheduler that cannot begin, after it has changed something.
#[derive(Clone, Debug)]
struct Fails;

impl LrScheduler for Fails {
    fn step(&mut self, o: &mut dyn Hyperparameters) -> Result<()> {
        self.restart(o)
    }
    fn restart(&mut self, o: &mut dyn Hyperparameters) -> Result<()> {
        o.set_lr(0, 7.0)?;
        o.set_lr(1, 7.0)
    }
    fn last_lr(&self) -> &[f64] {
        &[]
    }
    fn state_dict(&self) -> Result<String> {
        Ok(String::new())
    }
    fn load_state_dict(&mut self, _: &str) -> Result<()> {
        Ok(())
    }
    fn boxed(&self) -> Box<dyn LrScheduler> {
        Box::new(self.clone())
    }
}

#[test]
fn a_group_that_there_is_not_is_an_error() {
    let (p, mut sgd) = sgd(1.0);
    let mut lbfgs = Lbfgs::new([p], LbfgsOptions::default()).unwrap();
    let optimizers: [&mut dyn Hyperparameters; 2] = [&mut sgd, &mut lbfgs];
    for optimizer in optimizers {
        for group in [1, usize::MAX] {
            let errors = [
                optimizer.lr(group).unwrap_err(),
                optimizer.set_lr(group, 1.0).unwrap_err(),
                optimizer.initial_lr(group).unwrap_err(),
                optimizer.set_initial_lr(group, 1.0).unwrap_err(),
                optimizer.momentum(group).unwrap_err(),
                optimizer.set_momentum(group, 0.5).unwrap_err(),
            ];
            for error in errors {
                assert_eq!(error.kind(), ErrorKind::Index);
                assert!(error.message().contains(&group.to_string()), "{error}");
            }
        }
    }
    let line = line!() + 1;
    let error = sgd.lr(3).unwrap_err();
    assert_eq!((error.location().unwrap().file(), error.location().unwrap().line()), (file!(), line));
}

#[test]
fn a_momentum_that_the_algorithm_cannot_have_is_refused_at_the_beginning() {
    let mut adam = Adam::new([parameter(1, 1)], AdamOptions::default()).unwrap();
    let one_cycle = OneCycleLRSchedule { max_momentum: 1.0.into(), ..OneCycleLRSchedule::new(1.0, 5) };
    let error = OneCycleLR::with_schedule(&mut adam, one_cycle.clone()).unwrap_err();
    assert!(error.to_string().contains("max_momentum must lie in [0, 1), not be 1"), "{error}");
    assert_eq!(adam.momentum(0).unwrap(), Some(0.9));
    let cyclic = CyclicLRSchedule { max_momentum: 1.5.into(), ..CyclicLRSchedule::new(0.1, 0.2) };
    assert!(CyclicLR::with_schedule(&mut adam, cyclic).is_err());
    // A momentum of SGD may be as large.
    let (_p, mut sgd) = sgd(1.0);
    OneCycleLR::with_schedule(&mut sgd, one_cycle).unwrap();
}

#[test]
fn damaged_states_are_refused_or_go_on() {
    const FRACTION: &str = "\"fraction\":0.0";
    let (_p, mut optimizer) = sgd(1.0);
    let mut scheduler = CosineAnnealingLR::new(&mut optimizer, 7, 0.1).unwrap();
    (0..3).for_each(|_| step(&mut optimizer, &mut scheduler));
    let state = scheduler.state_dict().unwrap();
    assert!(state.contains("\"epoch\":3") && state.contains(FRACTION), "{state}");
    let refused = [
        state.replace("\"epoch\":3", "\"epoch\":-3"),
        state.replace("\"epoch\":3", "\"epoch\":null"),
        state.replace("\"epoch\":3", "\"epoch\":18446744073709551616"),
        state.replace(FRACTION, "\"fraction\":1.5"),
        state.replace(FRACTION, "\"fraction\":-0.5"),
        state.replace(FRACTION, "\"fraction\":1e999"),
        state.replace("\"t_max\":7", "\"t_max\":0"),
        state.replace("\"eta_min\":0.1", "\"eta_min\":null"),
        "[".repeat(100_000),
    ];
    for bad in refused {
        let line = line!() + 1;
        let error = scheduler.load_state_dict(&bad).unwrap_err();
        assert_eq!((error.location().unwrap().file(), error.location().unwrap().line()), (file!(), line));
        assert_eq!(scheduler.state_dict().unwrap(), state, "{bad}");
    }
    let far = state.replace("\"epoch\":3", "\"epoch\":18446744073709551615");
    scheduler.load_state_dict(&far).unwrap();
    (0..3).for_each(|_| step(&mut optimizer, &mut scheduler));
    assert!(optimizer.lr(0).unwrap().is_finite());

    let mut plateau = ReduceLROnPlateau::new(&mut optimizer, Default::default()).unwrap();
    plateau.step(&mut optimizer, 1.0).unwrap();
    let state = plateau.state_dict().unwrap();
    assert!(plateau.load_state_dict(&state.replace("\"best\":1.0", "\"best\":\"NaN\"")).is_err());
    let far = state.replace("\"num_bad_epochs\":0", "\"num_bad_epochs\":18446744073709551615");
    plateau.load_state_dict(&far.replace("\"epoch\":1", "\"epoch\":18446744073709551615")).unwrap();
    plateau.step(&mut optimizer, 2.0).unwrap();
    assert_eq!(plateau.num_bad_epochs(), 0, "more than the patience");

    let sequence = |o: &mut Sgd| {
        let inside: Vec<Box<dyn LrScheduler>> =
            vec![Box::new(StepLR::new(o, 1, 0.5).unwrap()), Box::new(StepLR::new(o, 1, 0.5).unwrap())];
        SequentialLR::new(o, inside, [2]).unwrap()
    };
    let mut scheduler = sequence(&mut optimizer);
    let state = scheduler.state_dict().unwrap();
    for bad in [state.replace("[2]", "[]"), state.replace("[2]", "[2,3]"), state.replace("StepLR", "StepsLR")]
    {
        assert!(scheduler.load_state_dict(&bad).is_err(), "{bad}");
        assert_eq!(scheduler.state_dict().unwrap(), state);
    }
    scheduler.load_state_dict(&state.replace("\"epoch\":0,", "\"epoch\":18446744073709551615,")).unwrap();
    step(&mut optimizer, &mut scheduler);
}

#[test]
fn warm_restarts_go_to_any_epoch() {
    let (_p, mut optimizer) = sgd(1.0);
    let mut scheduler = CosineAnnealingWarmRestarts::new(&mut optimizer, 3, 2, 0.1).unwrap();
    for epoch in [1e300, 1.8e19, f64::MAX, 0.0] {
        scheduler.step_to(&mut optimizer, epoch).unwrap();
        step(&mut optimizer, &mut scheduler);
        assert!((0.1..=1.0).contains(&optimizer.lr(0).unwrap()));
    }
    for epoch in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(scheduler.step_to(&mut optimizer, epoch).is_err());
    }
}

/// Set where this is the process that the next test looks at.
const CHILD: &str = "CHAINRULE_TEST_STEPS_TOO_EARLY";

#[test]
fn a_scheduler_that_is_stepped_first_says_so_once() {
    let said = |early: &str| {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let name = "scheduler_failures::steps_in_an_order";
        let output = child.args(["--exact", name, "--nocapture"]).env(CHILD, early).output().unwrap();
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).matches("before the optimizer").count()
    };
    assert_eq!((said("yes"), said("no")), (1, 0));
}

#[test]
fn steps_in_an_order() {
    let Some(early) = std::env::var_os(CHILD) else { return };
    for _ in 0..2 {
        let (_p, mut optimizer) = sgd(1.0);
        let plain = |o: &mut Sgd| -> Box<dyn LrScheduler> { Box::new(StepLR::new(o, 1, 0.5).unwrap()) };
        let schedulers = vec![plain(&mut optimizer), plain(&mut optimizer)];
        let mut scheduler = ChainedScheduler::new(&optimizer, schedulers).unwrap();
        scheduler.preview(&optimizer, 3).unwrap();
        if early == "yes" {
            scheduler.step(&mut optimizer).unwrap();
        }
        step(&mut optimizer, &mut scheduler);
    }
}
