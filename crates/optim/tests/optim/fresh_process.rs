//! What one process has saved another goes on with, bit for bit: all state is in the files.
//!
//! The other process is this test's own program, told by an environment variable what to go on with.

use std::path::{Path, PathBuf};
use std::process::Command;

use chainrule_optim::*;
use chainrule_tensor::{Parameter, StateDict, Tensor};

use crate::resume::{Visit, bits, every_optimizer, model_of, optimizer, set_gradients, train};
use crate::resume_schedulers::{self, METRICS, Make, hyperparameters, plateaus, schedulers};
use crate::{numbers, tensor, values};

/// The folder with the files of a run, in the other process.
const FOLDER: &str = "CHAINRULE_TEST_GOES_ON_IN";
const STEPS: u64 = 9;

/// Runs the other process in a folder of its own that `prepare` has filled, and gives the folder to `check`.
fn go_on(run: &str, prepare: impl FnOnce(&Path), check: impl FnOnce(&Path)) {
    let folder = std::env::temp_dir().join(format!("chainrule-{}-{run}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    prepare(&folder);
    let mut other = Command::new(std::env::current_exe().unwrap());
    let output =
        other.args(["--exact", &format!("fresh_process::{run}")]).env(FOLDER, &folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    check(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The folder, where this is the other process.
fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

fn save_values(parameters: &[Parameter], path: &Path) {
    let mut dict = StateDict::new();
    for parameter in parameters {
        dict.insert(parameter.name().unwrap(), parameter.tensor().detach()).unwrap();
    }
    dict.save(path).unwrap();
}

fn load_values(parameters: &[Parameter], path: &Path) {
    let dict = StateDict::load(path).unwrap();
    parameters.iter().for_each(|p| p.set(dict.get(&p.name().unwrap()).unwrap()).unwrap());
}

/// Trains every optimizer up to each step, and saves.
struct Saves<'a>(&'a Path, usize);

impl Visit for Saves<'_> {
    fn visit<A: Algorithm + Default>(&mut self, options: A) {
        for steps in 0..STEPS {
            let parameters = model_of::<A>();
            let mut optimizer = optimizer(&parameters, &options, false);
            train(&mut optimizer, &parameters, 0..steps);
            save_values(&parameters, &self.0.join(format!("{}-{steps}-values", self.1)));
            optimizer.state_dict().unwrap().save(self.0.join(format!("{}-{steps}-state", self.1))).unwrap();
        }
        self.1 += 1;
    }
}

/// Loads, trains to the end, and saves the values.
struct Continues<'a>(&'a Path, usize);

impl Visit for Continues<'_> {
    fn visit<A: Algorithm + Default>(&mut self, _: A) {
        for steps in 0..STEPS {
            let parameters = model_of::<A>();
            load_values(&parameters, &self.0.join(format!("{}-{steps}-values", self.1)));
            let mut optimizer = optimizer(&parameters, &A::default(), true);
            let state = StateDict::load(self.0.join(format!("{}-{steps}-state", self.1))).unwrap();
            optimizer.load_state_dict(&state).unwrap();
            train(&mut optimizer, &parameters, steps..STEPS);
            save_values(&parameters, &self.0.join(format!("{}-{steps}-end", self.1)));
        }
        self.1 += 1;
    }
}

/// Compares with a run that nothing has interrupted.
struct Compares<'a>(&'a Path, usize);

impl Visit for Compares<'_> {
    fn visit<A: Algorithm + Default>(&mut self, options: A) {
        let whole = model_of::<A>();
        train(&mut optimizer(&whole, &options, false), &whole, 0..STEPS);
        for steps in 0..STEPS {
            let end = model_of::<A>();
            load_values(&end, &self.0.join(format!("{}-{steps}-end", self.1)));
            assert_eq!(bits(&end), bits(&whole), "{options:?} saved after {steps} steps");
        }
        self.1 += 1;
    }
}

#[test]
fn every_optimizer_goes_on() {
    if let Some(folder) = folder() {
        return every_optimizer(&mut Continues(&folder, 0));
    }
    go_on(
        "every_optimizer_goes_on",
        |folder| every_optimizer(&mut Saves(folder, 0)),
        |folder| every_optimizer(&mut Compares(folder, 0)),
    );
}

/// Rosenbrock's valley, in which LBFGS keeps all of its state.
fn valley(p: &Parameter) -> chainrule_tensor::Result<Tensor> {
    p.zero_grad();
    let w = p.tensor();
    let (a, b) = (w.narrow(0, 0, 5)?, w.narrow(0, 1, 5)?);
    let loss = b.sub(&a.square()?)?.square()?.mul(100.0)?.add(&a.sub(1.0)?.square()?)?.sum()?;
    loss.backward()?;
    Ok(loss)
}

#[test]
fn lbfgs_goes_on() {
    let options = |line_search_fn| LbfgsOptions {
        lr: 0.5,
        max_iter: 3,
        history_size: 4,
        line_search_fn,
        ..Default::default()
    };
    let searches = [None, Some(LineSearch::StrongWolfe)];
    let start = || {
        let p = Parameter::new(tensor(&numbers(1, 6), [6])).unwrap();
        p.set_name("w");
        p
    };
    let train = |p: &Parameter, lbfgs: &mut Lbfgs, steps: std::ops::Range<u64>| {
        steps.for_each(|_| drop(lbfgs.step(|| valley(p)).unwrap()));
    };
    let path = |folder: &Path, i: usize, steps: u64, what: &str| folder.join(format!("{i}-{steps}-{what}"));
    if let Some(folder) = folder() {
        for (i, _) in searches.into_iter().enumerate() {
            for steps in 0..STEPS {
                let p = start();
                load_values(std::slice::from_ref(&p), &path(&folder, i, steps, "values"));
                let mut lbfgs = Lbfgs::new([p.clone()], LbfgsOptions::default()).unwrap();
                lbfgs.load_state_dict(&StateDict::load(path(&folder, i, steps, "state")).unwrap()).unwrap();
                train(&p, &mut lbfgs, steps..STEPS);
                save_values(&[p], &path(&folder, i, steps, "end"));
            }
        }
        return;
    }
    let prepare = |folder: &Path| {
        for (i, search) in searches.into_iter().enumerate() {
            for steps in 0..STEPS {
                let p = start();
                let mut lbfgs = Lbfgs::new([p.clone()], options(search)).unwrap();
                train(&p, &mut lbfgs, 0..steps);
                save_values(&[p], &path(folder, i, steps, "values"));
                lbfgs.state_dict().unwrap().save(path(folder, i, steps, "state")).unwrap();
            }
        }
    };
    go_on("lbfgs_goes_on", prepare, |folder| {
        for (i, search) in searches.into_iter().enumerate() {
            let whole = start();
            train(&whole, &mut Lbfgs::new([whole.clone()], options(search)).unwrap(), 0..STEPS);
            for steps in 0..STEPS {
                let end = start();
                load_values(std::slice::from_ref(&end), &path(folder, i, steps, "end"));
                assert_eq!(values(&end), values(&whole), "{search:?} saved after {steps} steps");
            }
        }
    });
}

#[test]
fn every_scheduler_goes_on() {
    let steps = resume_schedulers::STEPS;
    let make = |make: Make| {
        let mut optimizer = resume_schedulers::optimizer(&SgdOptions::default());
        let scheduler = make(&mut optimizer);
        (optimizer, scheduler)
    };
    let path = |folder: &Path, i: usize, steps: usize, what: &str| folder.join(format!("{i}-{steps}-{what}"));
    if let Some(folder) = folder() {
        for (i, (_, other)) in schedulers().into_iter().enumerate() {
            for saved_at in 0..steps {
                let (mut optimizer, mut scheduler) = make(other);
                let state = StateDict::load(path(&folder, i, saved_at, "optimizer")).unwrap();
                optimizer.load_state_dict(&state).unwrap();
                let state = std::fs::read_to_string(path(&folder, i, saved_at, "scheduler")).unwrap();
                scheduler.load_state_dict(&state).unwrap();
                let mut curve = Vec::new();
                for _ in saved_at..steps {
                    curve.push(format!("{:?}", hyperparameters(&optimizer)));
                    scheduler.step(&mut optimizer).unwrap();
                }
                std::fs::write(path(&folder, i, saved_at, "curve"), curve.join("\n")).unwrap();
            }
        }
        return;
    }
    let prepare = |folder: &Path| {
        for (i, (run, _)) in schedulers().into_iter().enumerate() {
            let (mut optimizer, mut scheduler) = make(run);
            for saved_at in 0..steps {
                optimizer.state_dict().unwrap().save(path(folder, i, saved_at, "optimizer")).unwrap();
                let state = scheduler.state_dict().unwrap();
                std::fs::write(path(folder, i, saved_at, "scheduler"), state).unwrap();
                scheduler.step(&mut optimizer).unwrap();
            }
        }
    };
    go_on("every_scheduler_goes_on", prepare, |folder| {
        for (i, (run, _)) in schedulers().into_iter().enumerate() {
            let (mut optimizer, mut scheduler) = make(run);
            let mut curve = Vec::new();
            for _ in 0..steps {
                // The shortest decimals that give the same number again: equal where the bits are.
                curve.push(format!("{:?}", hyperparameters(&optimizer)));
                scheduler.step(&mut optimizer).unwrap();
            }
            for saved_at in 0..steps {
                let got = std::fs::read_to_string(path(folder, i, saved_at, "curve")).unwrap();
                assert_eq!(got, curve[saved_at..].join("\n"), "{scheduler:?} saved at {saved_at}");
            }
        }
    });
}

#[test]
fn a_plateau_goes_on() {
    let make = |options: &ReduceLROnPlateauOptions| {
        let mut optimizer = resume_schedulers::optimizer(&SgdOptions::default());
        let plateau = ReduceLROnPlateau::new(&mut optimizer, options.clone()).unwrap();
        (optimizer, plateau)
    };
    // The state at the end shows what the rates alone do not: the best metric and the counters.
    let end = |optimizer: &Sgd, plateau: &ReduceLROnPlateau| {
        format!("{:?} {}", hyperparameters(optimizer), plateau.state_dict().unwrap())
    };
    let path =
        |folder: &Path, i: usize, saved_at: usize, what: &str| folder.join(format!("{i}-{saved_at}-{what}"));
    if let Some(folder) = folder() {
        for (i, saved_at) in (0..plateaus().len()).flat_map(|i| (0..METRICS.len()).map(move |at| (i, at))) {
            let (mut optimizer, mut plateau) = make(&ReduceLROnPlateauOptions::default());
            let state = StateDict::load(path(&folder, i, saved_at, "optimizer")).unwrap();
            optimizer.load_state_dict(&state).unwrap();
            let state = std::fs::read_to_string(path(&folder, i, saved_at, "plateau")).unwrap();
            plateau.load_state_dict(&state).unwrap();
            let mut curve = Vec::new();
            for &metric in &METRICS[saved_at..] {
                plateau.step(&mut optimizer, metric).unwrap();
                curve.push(end(&optimizer, &plateau));
            }
            std::fs::write(path(&folder, i, saved_at, "curve"), curve.join("\n")).unwrap();
        }
        return;
    }
    let prepare = |folder: &Path| {
        for (i, options) in plateaus().iter().enumerate() {
            let (mut optimizer, mut plateau) = make(options);
            for (saved_at, &metric) in METRICS.iter().enumerate() {
                optimizer.state_dict().unwrap().save(path(folder, i, saved_at, "optimizer")).unwrap();
                std::fs::write(path(folder, i, saved_at, "plateau"), plateau.state_dict().unwrap()).unwrap();
                plateau.step(&mut optimizer, metric).unwrap();
            }
        }
    };
    go_on("a_plateau_goes_on", prepare, |folder| {
        for (i, options) in plateaus().iter().enumerate() {
            let (mut optimizer, mut plateau) = make(options);
            let mut curve = Vec::new();
            for &metric in &METRICS {
                plateau.step(&mut optimizer, metric).unwrap();
                curve.push(end(&optimizer, &plateau));
            }
            assert_ne!(
                hyperparameters(&optimizer),
                hyperparameters(&make(options).0),
                "nothing was ever reduced"
            );
            for saved_at in 0..METRICS.len() {
                let got = std::fs::read_to_string(path(folder, i, saved_at, "curve")).unwrap();
                assert_eq!(got, curve[saved_at..].join("\n"), "{options:?} saved at {saved_at}");
            }
        }
    });
}

/// That the other process does get gradients: a run without them would agree with itself.
#[test]
fn the_runs_have_gradients() {
    let parameters = model_of::<SgdOptions>();
    set_gradients(&parameters, 1);
    assert!(parameters.iter().all(|p| p.grad().is_some()));
}
