//! Groups, reports, gradients that are missing or not contiguous, memory and threads.

use chainrule_optim::algorithm::{Hyperparameter, StateTensor, Update};
use chainrule_optim::*;
use chainrule_tensor::{FloatElement, Parameter, Shape, Tensor, set_num_threads};

use crate::{numbers, parameter, tensor, tensor_f32, values};

#[test]
fn groups_have_options_of_their_own_that_can_be_changed() {
    let (a, b) = (parameter(1, 4), parameter(2, 4));
    let slow = SgdOptions { lr: 0.5, ..Default::default() };
    let mut optimizer = Sgd::with_groups([
        ParamGroup::new([a.clone()], SgdOptions { lr: 1.0, ..slow.clone() }),
        ParamGroup::new([b.clone()], slow),
    ])
    .unwrap();
    let step = |optimizer: &mut Sgd| {
        for p in [&a, &b] {
            p.set_grad(Some(tensor(&[1.0; 4], [4]))).unwrap();
        }
        optimizer.step().unwrap();
    };
    let moved = |p: &Parameter, seed| numbers(seed, 4)[0] - values(p)[0];
    step(&mut optimizer);
    assert!((moved(&a, 1) - 1.0).abs() < 1e-12 && (moved(&b, 2) - 0.5).abs() < 1e-12);
    optimizer.param_groups_mut()[1].options.lr = 0.25;
    step(&mut optimizer);
    assert!((moved(&a, 1) - 2.0).abs() < 1e-12 && (moved(&b, 2) - 0.75).abs() < 1e-12);
    assert_eq!(optimizer.defaults().lr, 1.0);
    optimizer.zero_grad();
    assert!(a.grad().is_none() && b.grad().is_none());
}

#[test]
fn the_report_tells_what_was_not_updated() {
    let parameters: Vec<Parameter> = (0..4).map(|seed| parameter(seed, 3)).collect();
    parameters[1].set_name("head.bias");
    parameters[3].requires_grad_(false);
    let mut optimizer = Adam::new(parameters.clone(), AdamOptions::default()).unwrap();
    assert_eq!(optimizer.unused_parameters(), ["param.0", "head.bias", "param.2"]);
    parameters[0].set_grad(Some(tensor(&[1.0; 3], [3]))).unwrap();
    let report = optimizer.step().unwrap();
    assert_eq!((report.updated, report.without_gradient), (1, 2), "a frozen parameter is not missed");
    assert_eq!(optimizer.unused_parameters(), ["head.bias", "param.2"]);
    assert_eq!(values(&parameters[1]), numbers(1, 3));
}

#[test]
fn weight_decay_moves_a_parameter_whose_gradient_is_zero() {
    let p = parameter(1, 2);
    let options = SgdOptions { lr: 0.5, weight_decay: 0.5, ..Default::default() };
    p.set_grad(Some(tensor(&[0.0; 2], [2]))).unwrap();
    Sgd::new([p.clone()], options).unwrap().step().unwrap();
    assert_eq!(values(&p), numbers(1, 2).iter().map(|x| x - 0.25 * x).collect::<Vec<_>>());
}

#[test]
fn a_gradient_that_is_not_contiguous_is_read_in_order() {
    let p = Parameter::new(tensor(&[0.0; 6], [2, 3])).unwrap();
    let gradient = tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [3, 2]).t().unwrap();
    assert!(!gradient.is_contiguous());
    p.set_grad(Some(gradient)).unwrap();
    Sgd::new([p.clone()], SgdOptions { lr: 1.0, ..Default::default() }).unwrap().step().unwrap();
    assert_eq!(values(&p), [-1.0, -3.0, -5.0, -2.0, -4.0, -6.0]);
}

#[test]
fn every_number_of_threads_gives_the_same_bits() {
    let run = |threads| {
        set_num_threads(threads);
        let sizes = [70_001, 3, 17, 40_000, 1, 900, 12, 5, 33, 64, 8000];
        let parameters: Vec<Parameter> = sizes
            .iter()
            .zip(0..)
            .map(|(&n, i)| Parameter::new(tensor_f32(&numbers(i, n), [n])).unwrap())
            .collect();
        let mut optimizer = Adam::new(parameters.clone(), AdamOptions::default()).unwrap();
        for step in 0..3 {
            for p in &parameters {
                p.set_grad(Some(tensor_f32(&numbers(50 + step, p.numel()), p.shape()))).unwrap();
            }
            assert_eq!(optimizer.step().unwrap().updated, sizes.len());
        }
        parameters.iter().map(|p| p.tensor().to_vec::<f32>().unwrap()).collect::<Vec<_>>()
    };
    let one = run(1);
    assert!(one == run(2) && one == run(5));
}

#[test]
fn momentum_that_is_switched_on_later_starts_afresh_and_off_again_keeps_its_buffer() {
    let p = parameter(1, 1);
    let mut optimizer = Sgd::new([p.clone()], SgdOptions { lr: 1.0, ..Default::default() }).unwrap();
    let mut step = |momentum: f64| {
        optimizer.param_groups_mut()[0].options.momentum = momentum;
        p.set_grad(Some(tensor(&[1.0], [1]))).unwrap();
        let before = values(&p)[0];
        optimizer.step().unwrap();
        before - values(&p)[0]
    };
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} instead of {b}");
    close(step(0.0), 1.0);
    close(step(0.5), 1.0);
    close(step(0.5), 1.5);
    close(step(0.0), 1.0);
    close(step(0.5), 1.75);
}

/// Averages the square of the gradient over rows: state of another shape, and an update that is not element by
/// element.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
struct RowsOptions {
    lr: f64,
}

impl Algorithm for RowsOptions {
    const NAME: &'static str = "Rows";
    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![Hyperparameter::lr(&mut self.lr)]
    }
    fn state(&self) -> Vec<StateTensor> {
        vec![StateTensor::filled("row", 1.0).shape(|shape| Shape::from([shape[0]]))]
    }
    fn update<T: FloatElement>(&self, mut parameter: Update<'_, T>) {
        let (columns, lr) = (parameter.shape[1], T::of(self.lr));
        let rows: Vec<T> = parameter.grad.chunks(columns).map(|row| row.iter().copied().sum()).collect();
        for state in parameter.states() {
            state.iter_mut().zip(&rows).for_each(|(s, &row)| *s += row);
        }
        let state = parameter.states().next().unwrap().to_vec();
        for (row, s) in parameter.value.chunks_mut(columns).zip(state) {
            row.iter_mut().for_each(|x| *x -= lr * s);
        }
    }
}

#[test]
fn an_algorithm_may_keep_state_of_another_shape() {
    let p = Parameter::new(tensor(&[0.0; 4], [2, 2])).unwrap();
    let mut optimizer = Optimizer::new([p.clone()], RowsOptions { lr: 1.0 }).unwrap();
    p.set_grad(Some(tensor(&[1.0, 2.0, 3.0, 4.0], [2, 2]))).unwrap();
    optimizer.step().unwrap();
    assert_eq!(values(&p), [-4.0, -4.0, -8.0, -8.0]);
    let state = optimizer.state_dict().unwrap();
    assert_eq!(state.get("param.0.row").unwrap().to_vec::<f64>().unwrap(), [4.0, 8.0]);
    optimizer.load_state_dict(&state).unwrap();
}

#[test]
fn a_zero_dimensional_and_an_empty_parameter_are_updated_too() {
    let scalar = Parameter::new(Tensor::new(2.0)).unwrap();
    let empty = Parameter::new(tensor(&[], [0, 3])).unwrap();
    scalar.set_grad(Some(Tensor::new(1.0))).unwrap();
    empty.set_grad(Some(tensor(&[], [0, 3]))).unwrap();
    let mut optimizer =
        Adam::new([scalar.clone(), empty], AdamOptions { lr: 0.5, ..Default::default() }).unwrap();
    assert_eq!(optimizer.step().unwrap().updated, 2);
    assert!((scalar.tensor().item().unwrap() - 1.5).abs() < 1e-6);
}
