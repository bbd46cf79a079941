//! Schedulers.

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
    let mut rates = vec![optimizer.lr(0)];
    for _ in 0..6 {
        scheduler.step(&mut optimizer).unwrap();
        rates.push(optimizer.lr(0));
        assert_eq!(scheduler.last_lr(), [optimizer.lr(0), optimizer.lr(1)]);
        assert_eq!(optimizer.lr(1), optimizer.lr(0) / 2.0);
    }
    assert_eq!(rates, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]);
    assert_eq!(scheduler.epoch(), 6);
    assert_eq!(optimizer.initial_lr(0), 1.0);
}

#[test]
fn a_learning_rate_that_was_set_from_outside_is_kept() {
    let mut optimizer = sgd(&[1.0]);
    let mut scheduler = StepLR::new(&mut optimizer, 2, 0.5).unwrap();
    scheduler.step(&mut optimizer).unwrap();
    optimizer.param_groups_mut()[0].options.lr = 10.0;
    scheduler.step(&mut optimizer).unwrap();
    assert_eq!(optimizer.lr(0), 5.0);
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
        optimizer.lr(0)
    };
    assert_eq!([step(), step(), step()], [0.5, 0.0625, 0.03125]);
}

#[test]
fn a_resumed_scheduler_goes_on_from_any_step() {
    for saved_at in 0..7 {
        let mut optimizer = sgd(&[1.0, 0.3]);
        let mut scheduler = StepLR::new(&mut optimizer, 3, 0.7).unwrap();
        (0..saved_at).for_each(|_| scheduler.step(&mut optimizer).unwrap());
        let mut resumed = sgd(&[9.0, 9.0]);
        let mut again = StepLR::new(&mut resumed, 1, 0.1).unwrap();
        resumed.load_state_dict(&optimizer.state_dict().unwrap()).unwrap();
        again.load_state_dict(&scheduler.state_dict().unwrap()).unwrap();
        assert_eq!(again.last_lr(), scheduler.last_lr());
        for _ in 0..8 {
            scheduler.step(&mut optimizer).unwrap();
            again.step(&mut resumed).unwrap();
            assert_eq!(again.last_lr(), scheduler.last_lr());
            assert_eq!([resumed.lr(0), resumed.lr(1)], [optimizer.lr(0), optimizer.lr(1)]);
            assert_eq!(resumed.initial_lr(1), 0.3);
        }
    }
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
