//! The engine: graphs, modes, higher orders; each of the rest in a file of its own.

mod anomaly;
mod cells;
mod deep_graphs;
mod failing_passes;
mod gradchecks;
mod guards;
mod hooks;
mod lines;
mod own_operations;
mod parts;
mod stored_gradients;

use std::sync::{Arc, Mutex};

use chainrule::autograd::{self, GradOptions, grad, no_grad};
use chainrule::{DType, ErrorKind, Parameter, Result, Tensor};

fn leaf(values: &[f64]) -> Tensor {
    Tensor::from_slice(values, [values.len()]).and_then(|x| x.requires_grad_(true)).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    x.to_vec::<f64>().unwrap()
}

#[test]
fn gradients_accumulate_until_they_are_zeroed() -> Result<()> {
    let x = leaf(&[1.0, 2.0]);
    for expected in [[2.0, 4.0], [4.0, 8.0]] {
        (&x * &x).sum()?.backward()?;
        assert_eq!(values(&x.grad().unwrap()), expected);
    }
    x.zero_grad();
    assert!(x.grad().is_none());
    Ok(())
}

#[test]
fn a_tensor_used_twice_gets_both_gradients_in_either_order() -> Result<()> {
    let x = leaf(&[3.0]);
    let (a, b) = (&x * 2.0, x.exp()?);
    let want = 2.0 + 3f64.exp();
    for y in [&a + &b, &b + &a] {
        let g = grad(&[&y.sum()?], &[&x], &[], GradOptions { retain_graph: true, ..Default::default() })?;
        assert!((g[0].as_ref().unwrap().item()? - want).abs() < 1e-12);
    }
    let y = &x + &x;
    let g = grad(&[&y], &[&x], &[], GradOptions::default())?;
    assert_eq!(g[0].as_ref().unwrap().item()?, 2.0);
    Ok(())
}

#[test]
fn a_gradient_given_for_a_vector_is_the_seed() -> Result<()> {
    let x = leaf(&[1.0, 2.0]);
    (&x * 3.0).backward_with(&Tensor::from_vec(vec![1.0, 10.0], [2])?)?;
    assert_eq!(values(&x.grad().unwrap()), [3.0, 30.0]);
    Ok(())
}

#[test]
fn the_collected_gradient_is_nobody_elses_memory() -> Result<()> {
    let (x, w) = (leaf(&[1.0]), leaf(&[2.0]));
    let seed = Tensor::from_vec(vec![1.0], [1])?;
    (&x + &w).backward_with(&seed)?;
    (&x * 1.0).backward_with(&seed)?;
    assert_eq!(values(&x.grad().unwrap()), [2.0]);
    assert_eq!(values(&w.grad().unwrap()), [1.0], "adding to one gradient must not change another");
    assert_eq!(values(&seed), [1.0]);
    Ok(())
}

#[test]
fn wrong_starts_are_refused_in_words() {
    let x = leaf(&[1.0, 2.0]);
    let says = |result: Result<()>, words: &[&str]| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Graph);
        let text = error.to_string();
        words.iter().for_each(|w| assert!(text.contains(w), "{text:?} does not mention {w:?}"));
        assert!(text.contains(file!()), "{text:?} does not name this file");
    };
    says((&x * 2.0).backward(), &["scalar", "[2]"]);
    says(Tensor::new(1.0).backward(), &["no graph"]);
    says(no_grad(|| x.sum().unwrap()).backward(), &["no graph"]);
    let y = (&x * &x).sum().unwrap();
    y.backward().unwrap();
    says(y.backward(), &["freed", "mul", "retain_graph"]);
    let wrong = Tensor::from_vec(vec![1.0], [1]).unwrap();
    let error = (&x * 2.0).backward_with(&wrong).unwrap_err().to_string();
    assert!(error.contains("[1]") && error.contains("[2]"), "{error}");
    assert!(Tensor::new([1, 2]).requires_grad_(true).is_err(), "integers carry no gradient");
    assert!((&x * 2.0).requires_grad_(false).is_err(), "only leaves can be changed");
}

#[test]
fn a_second_pass_needs_the_graph_only_where_something_was_saved() -> Result<()> {
    let x = leaf(&[1.0, 2.0]);
    let y = (&x + 1.0).sum()?;
    y.backward()?;
    y.backward()?;
    assert_eq!(values(&x.grad().unwrap()), [2.0, 2.0]);
    let z = (&x * &x).sum()?;
    GradOptions { retain_graph: true, ..Default::default() }.backward(&z, None)?;
    z.backward()?;
    assert_eq!(values(&x.grad().unwrap()), [6.0, 10.0]);
    Ok(())
}

#[test]
fn grad_refuses_what_takes_no_part_unless_allowed() -> Result<()> {
    let (x, unused) = (leaf(&[1.0]), leaf(&[1.0]));
    let y = (&x * 2.0).sum()?;
    let error = grad(&[&y], &[&x, &unused], &[], GradOptions { retain_graph: true, ..Default::default() });
    assert!(error.unwrap_err().to_string().contains("input 1"));
    let options = GradOptions { allow_unused: true, ..Default::default() };
    let grads = grad(&[&y], &[&x, &unused], &[], options)?;
    assert!(grads[0].is_some() && grads[1].is_none());
    assert!(x.grad().is_none(), "grad leaves the leaves alone");
    Ok(())
}

#[test]
fn grad_reaches_tensors_in_the_middle_and_prunes_the_rest() -> Result<()> {
    let x = leaf(&[2.0]);
    let middle = &x * 3.0;
    let below = Arc::new(Mutex::new(0));
    let seen = below.clone();
    x.register_hook(move |_| {
        *seen.lock().unwrap() += 1;
        Ok(None)
    })?;
    let y = (&middle * &middle).sum()?;
    let g = grad(&[&y], &[&middle], &[], GradOptions::default())?;
    assert_eq!(g[0].as_ref().unwrap().item()?, 12.0);
    assert_eq!(*below.lock().unwrap(), 0, "what lies below is not visited");
    Ok(())
}

#[test]
fn derivatives_of_any_order() -> Result<()> {
    // d/dx sin x, four times round.
    let x = leaf(&[0.7]);
    let create = GradOptions { create_graph: true, ..Default::default() };
    let mut y = x.sin()?;
    for want in [0.7f64.cos(), -0.7f64.sin(), -0.7f64.cos(), 0.7f64.sin()] {
        y = grad(&[&y], &[&x], &[], create)?[0].clone().unwrap();
        assert!((y.item()? - want).abs() < 1e-12);
    }
    Ok(())
}

#[test]
fn a_gradient_penalty_trains() -> Result<()> {
    // f = |∂(wx²)/∂x|² = 4w²x², so ∂f/∂w = 8wx².
    let (w, x) = (leaf(&[1.5]), leaf(&[2.0]));
    let y = (&w * (&x * &x)).sum()?;
    let create = GradOptions { create_graph: true, ..Default::default() };
    let dx = grad(&[&y], &[&x], &[], create)?[0].clone().unwrap();
    (&dx * &dx).sum()?.backward()?;
    assert_eq!(values(&w.grad().unwrap()), [8.0 * 1.5 * 4.0]);
    Ok(())
}

#[test]
fn no_grad_is_per_thread_and_survives_a_panic() {
    let x = leaf(&[1.0]);
    let caught = std::panic::catch_unwind(|| no_grad(|| panic!("inside")));
    assert!(caught.is_err());
    assert!((&x * 2.0).requires_grad(), "the mode is back after a panic");
    let _guard = autograd::no_grad_guard();
    assert!(!(&x * 2.0).requires_grad());
    std::thread::scope(|scope| {
        scope.spawn(|| assert!((&x * 2.0).requires_grad()));
    });
    autograd::enable_grad(|| assert!((&x * 2.0).requires_grad()));
}

#[test]
fn detached_values_are_shared_and_constant() -> Result<()> {
    let x = leaf(&[2.0]);
    let d = x.detach();
    assert!(d.shares_memory_with(&x) && !d.requires_grad());
    (&x * &d).sum()?.backward()?;
    assert_eq!(values(&x.grad().unwrap()), [2.0]);
    Ok(())
}

#[test]
fn parameters_are_updated_in_place_while_the_loss_lives() -> Result<()> {
    let w = Parameter::new(Tensor::new([1.0, 2.0]))?;
    let before = chainrule::copies_on_write();
    for _ in 0..3 {
        let w_now = w.tensor();
        let loss = (&w_now * &w_now).sum()?;
        drop(w_now);
        loss.backward()?;
        let g = w.grad().unwrap().to_vec::<f32>()?;
        w.update(|v: &mut [f32]| v.iter_mut().zip(&g).for_each(|(v, g)| *v -= 0.1 * g))?;
        w.zero_grad();
        assert!(loss.item()? > 0.0);
    }
    assert_eq!(chainrule::copies_on_write(), before);
    let kept = w.tensor();
    w.update(|v: &mut [f32]| v.fill(0.0))?;
    assert!(kept.to_vec::<f32>()?.iter().all(|&v| v != 0.0), "a tensor taken out keeps its values");
    assert_eq!(chainrule::copies_on_write(), before + 1);
    Ok(())
}

#[test]
fn promotion_follows_pytorch() -> Result<()> {
    use DType::*;
    let tensor = |dtype, rank: usize| Tensor::full(vec![2; rank], 1.0, dtype).unwrap();
    // (left, right, result) with PyTorch's results; rank 0 is a 0-d tensor.
    let cases = [
        ((F32, 1), (F64, 1), F64),
        ((F32, 1), (F64, 0), F32),
        ((F32, 0), (F64, 0), F64),
        ((I64, 1), (F32, 0), F32),
        ((I64, 1), (F64, 0), F64),
        ((Bool, 1), (I64, 0), I64),
        ((Bool, 1), (Bool, 1), Bool),
        ((I64, 0), (F32, 1), F32),
    ];
    for ((a, rank_a), (b, rank_b), want) in cases {
        assert_eq!(tensor(a, rank_a).mul(&tensor(b, rank_b))?.dtype(), want, "{a} {rank_a} · {b} {rank_b}");
        assert_eq!(tensor(b, rank_b).mul(&tensor(a, rank_a))?.dtype(), want, "{b} {rank_b} · {a} {rank_a}");
    }
    assert_eq!(tensor(I64, 1).add(1.5)?.dtype(), F32);
    assert_eq!(tensor(I64, 1).add(1)?.dtype(), I64);
    assert_eq!(tensor(F64, 1).add(1.5)?.dtype(), F64);
    assert_eq!(tensor(I64, 1).div(2)?.dtype(), F32);
    assert_eq!(tensor(Bool, 1).sum()?.dtype(), I64);
    Ok(())
}
