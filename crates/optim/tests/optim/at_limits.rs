//! Optimizers with gradients that are constant, zero, huge and tiny, and with counts and options from damaged files: what
//! is finite in mathematics is finite here.

use chainrule_optim::*;
use chainrule_tensor::{DType, FloatElement, Parameter, StateDict, Tensor};

use crate::resume::{Visit, every_optimizer};
use crate::{tensor, tensor_f32};

/// A matrix of one value.
fn matrix(value: f64, dtype: DType) -> Parameter {
    Parameter::new(Tensor::full([2, 3], value, dtype).unwrap()).unwrap()
}

fn wide(tensor: &Tensor) -> Vec<f64> {
    match tensor.dtype() {
        DType::F64 => tensor.to_vec::<f64>().unwrap(),
        _ => tensor.to_vec::<f32>().unwrap().into_iter().map(f64::from).collect(),
    }
}

/// A thousand steps by gradients in f32 and f64, after which everything is finite.
struct StaysFinite<'a>(&'a dyn Fn(usize) -> f64);

impl Visit for StaysFinite<'_> {
    fn visit<A: Algorithm + Default>(&mut self, options: A) {
        for dtype in [DType::F32, DType::F64] {
            let p = matrix(1.0, dtype);
            let mut optimizer = Optimizer::new([p.clone()], options.clone()).unwrap();
            for step in 0..1000 {
                p.set_grad(Some(Tensor::full([2, 3], self.0(step), dtype).unwrap())).unwrap();
                optimizer.step().unwrap();
                let values = wide(&p.tensor());
                assert!(
                    values.iter().all(|x| x.is_finite()),
                    "{options:?}, {dtype}, step {step}: {values:?} by gradients of {}",
                    self.0(step)
                );
            }
        }
    }
}

#[test]
fn gradients_that_are_finite_make_no_nan() {
    let gradients: [&dyn Fn(usize) -> f64; 8] = [
        &|_| 3.0,
        &|_| 0.0,
        &|_| 1e30,
        &|step| if step % 2 == 0 { 1e30 } else { -1e30 },
        &|_| 1e-30,
        &|step| if step == 0 { 1e30 } else { 1e-3 },
        &|step| if step < 500 { 0.0 } else { 1e19 },
        &|step| if step % 3 == 0 { 1e-30 } else { 0.0 },
    ];
    for gradient in gradients {
        every_optimizer(&mut StaysFinite(gradient));
        let mut visitor = StaysFinite(gradient);
        for momentum in [0.0, 0.5] {
            let centered = RmsPropOptions { alpha: 0.9, centered: true, momentum, ..Default::default() };
            visitor.visit(centered);
        }
        visitor.visit(AdamOptions::default());
        visitor.visit(NAdamOptions::default());
        visitor.visit(RAdamOptions::default());
    }
}

/// With a constant gradient the variance is (1 − αᵗ)·αᵗ·g²: the step is g/√(that) as long as f32 can tell.
#[test]
fn centered_rmsprop_divides_by_the_deviation_and_never_by_the_root_of_less_than_nothing() {
    let p = matrix(0.0, DType::F32);
    let options = RmsPropOptions { lr: 1.0, alpha: 0.9, centered: true, ..Default::default() };
    let mut optimizer = RmsProp::new([p.clone()], options).unwrap();
    let mut before = 0.0;
    for t in 1..=1000 {
        p.set_grad(Some(Tensor::full([2, 3], 3.0, DType::F32).unwrap())).unwrap();
        optimizer.step().unwrap();
        let x = wide(&p.tensor())[0];
        assert!(x.is_finite(), "step {t}");
        let kept = 0.9f64.powi(t);
        let want = 3.0 / ((1.0 - kept) * kept * 9.0).sqrt();
        if t <= 40 {
            assert!((before - x - want).abs() < 1e-2 * want, "step {t}: {} instead of {want}", before - x);
        }
        before = x;
    }
}

/// Where all gradients are the same, u is 1, and x = 1 falls by the relative rate.
#[test]
fn adafactor_is_right_where_products_of_mean_squares_overflow() {
    for dtype in [DType::F32, DType::F64] {
        for gradient in [5.0, 1e10, 1e15, 1e18, 1e30] {
            for shape in [&[3, 4][..], &[12]] {
                let p = Parameter::new(Tensor::full(shape, 1.0, dtype).unwrap()).unwrap();
                let mut optimizer = Adafactor::new([p.clone()], AdafactorOptions::default()).unwrap();
                let mut want = 1.0;
                for _ in 0..3 {
                    p.set_grad(Some(Tensor::full(shape, gradient, dtype).unwrap())).unwrap();
                    optimizer.step().unwrap();
                    want *= 0.99;
                    for x in wide(&p.tensor()) {
                        assert!((x - want).abs() < 2e-6, "{gradient:e} {shape:?}: {x} instead of {want}");
                    }
                }
            }
        }
    }
}

#[test]
fn rprop_sees_the_sign_of_small_gradients() {
    let p = matrix(1.0, DType::F32);
    let mut optimizer = Rprop::new([p.clone()], RpropOptions::default()).unwrap();
    for gradient in [1e-30, 2e-30, -1e-30, -1e-30] {
        p.set_grad(Some(Tensor::full([2, 3], gradient, DType::F32).unwrap())).unwrap();
        optimizer.step().unwrap();
    }
    // Steps of 0.01, of 1.2 times as much, of none at the turn, and back by half as much.
    let want = 1.0 - 0.01 - 0.012 + 0.006;
    assert!((wide(&p.tensor())[0] - want).abs() < 1e-6);
}

#[test]
fn muon_leaves_zeros_alone_also_without_eps() {
    let p = matrix(1.0, DType::F64);
    let options = MuonOptions { eps: 0.0, weight_decay: 0.0, ..Default::default() };
    let mut optimizer = Muon::new([p.clone()], options).unwrap();
    p.set_grad(Some(Tensor::zeros([2, 3]).unwrap().to_dtype(DType::F64).unwrap())).unwrap();
    optimizer.step().unwrap();
    assert_eq!(wide(&p.tensor()), [1.0; 6]);
}

/// The state dict with all counts of steps replaced.
fn with_steps(dict: &StateDict, from: u64, to: &str) -> StateDict {
    let mut dict = dict.clone();
    let groups = dict.metadata_mut().get_mut("param_groups").unwrap();
    let (from, to) = (format!("\"steps\":{from},"), format!("\"steps\":{to},"));
    assert!(groups.contains(&from), "{groups}");
    *groups = groups.replace(&from, &to);
    dict
}

/// After as many steps as can be counted a step is what it is after very many.
struct ManySteps;

impl Visit for ManySteps {
    fn visit<A: Algorithm + Default>(&mut self, options: A) {
        let p = matrix(1.0, DType::F64);
        let gradient = || Some(tensor(&[0.5, -0.25, 1.0, -1.0, 0.125, 2.0], [2, 3]));
        let mut optimizer = Optimizer::new([p.clone()], options.clone()).unwrap();
        p.set_grad(gradient()).unwrap();
        optimizer.step().unwrap();
        let (start, dict) = (p.tensor().detach(), optimizer.state_dict().unwrap());
        let after = |steps: &str| {
            p.set(&start).unwrap();
            let mut optimizer = Optimizer::new([p.clone()], options.clone()).unwrap();
            optimizer.load_state_dict(&with_steps(&dict, 1, steps)).unwrap();
            let mut values = Vec::new();
            for _ in 0..3 {
                optimizer.step().unwrap();
                values.extend(wide(&p.tensor()));
            }
            values
        };
        let (most, many) = (after("18446744073709551615"), after("1152921504606846976"));
        for (most, many) in most.into_iter().zip(many) {
            assert!((most - many).abs() <= 1e-6, "{options:?}: {most} instead of {many}");
        }
        for bad in ["-1", "null", "0.5", "18446744073709551616", "\"many\""] {
            let bad = with_steps(&dict, 1, bad);
            assert!(Optimizer::new([p.clone()], options.clone()).unwrap().load_state_dict(&bad).is_err());
        }
    }
}

#[test]
fn counts_of_steps_may_be_as_large_as_they_can() {
    every_optimizer(&mut ManySteps);
}

/// m = 0.9·0.05 + 0.1·0.5 and v = 0.999·0.00025 + 0.001·0.25, without corrections.
#[test]
fn adam_after_as_many_steps_as_can_be_counted_has_no_corrections() {
    let p = matrix(1.0, DType::F64);
    let mut optimizer = Adam::new([p.clone()], AdamOptions { lr: 0.1, ..Default::default() }).unwrap();
    p.set_grad(Some(Tensor::full([2, 3], 0.5, DType::F64).unwrap())).unwrap();
    optimizer.step().unwrap();
    let dict = with_steps(&optimizer.state_dict().unwrap(), 1, "18446744073709551615");
    p.set(&Tensor::full([2, 3], 1.0, DType::F64).unwrap()).unwrap();
    optimizer.load_state_dict(&dict).unwrap();
    optimizer.step().unwrap();
    let want = 1.0 - 0.1 * 0.095 / (0.00049975f64.sqrt() + 1e-8);
    assert!((wide(&p.tensor())[0] - want).abs() < 1e-12);
}

/// An algorithm by the one thing that it may not do.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
struct WithScratch {
    lr: f64,
}

impl Algorithm for WithScratch {
    const NAME: &'static str = "WithScratch";
    fn hyperparameters(&mut self) -> Vec<algorithm::Hyperparameter<'_>> {
        vec![algorithm::Hyperparameter::lr(&mut self.lr)]
    }
    fn scratch(&self, shape: &chainrule_tensor::Shape) -> algorithm::Scratch {
        algorithm::Scratch { values: 2 * shape.numel(), sums: 3 }
    }
    fn update<T: FloatElement>(&self, update: algorithm::Update<'_, T>) {
        assert_eq!((update.scratch.values.len(), update.scratch.sums.len()), (2 * update.grad.len(), 3));
        update.scratch.values.fill(T::ONE);
        let lr = T::of(self.lr);
        update.value.iter_mut().for_each(|x| *x -= lr);
    }
}

#[test]
fn memory_for_intermediate_results_is_as_large_as_asked_for() {
    let sizes = [1, 7, 40_000, 33_000, 100, 2];
    let parameters: Vec<Parameter> = sizes
        .iter()
        .enumerate()
        .map(|(i, &n)| {
            let ones = vec![1.0; n];
            Parameter::new(if i % 2 == 0 { tensor(&ones, [n]) } else { tensor_f32(&ones, [n]) }).unwrap()
        })
        .collect();
    parameters.iter().for_each(|p| p.set_grad(Some(p.tensor().detach())).unwrap());
    Optimizer::new(parameters.clone(), WithScratch { lr: 0.5 }).unwrap().step().unwrap();
    assert!(parameters.iter().all(|p| wide(&p.tensor()).iter().all(|&x| x == 0.5)));
}
