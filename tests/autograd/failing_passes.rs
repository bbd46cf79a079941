//! A pass that fails leaves every gradient and the graph as they were.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use chainrule::autograd::{Backward, Context, GradOptions, grad, is_grad_enabled, record};
use chainrule::{Error, ErrorKind, Result, Tensor};

use super::{leaf, values};

/// Passes its input on; on the way back it fails.
struct Fails;

impl Backward for Fails {
    fn name(&self) -> &'static str {
        "fails"
    }
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        // A gradient of a shape that cannot belong to the input.
        Ok(vec![Some(Tensor::zeros([7])?.to_dtype(ctx.grad()?.dtype())?)])
    }
}

fn fails(x: &Tensor) -> Result<Tensor> {
    record(Fails, &[x], &[], x.detach())
}

#[test]
fn leaves_without_a_gradient_get_none() -> Result<()> {
    let (x, y) = (leaf(&[1.0, 2.0]), leaf(&[1.0, 2.0]));
    let sum = (fails(&x)? + &y * 2.0).sum()?;
    let error = sum.backward().unwrap_err().to_string();
    assert!(error.contains("fails") && error.contains(file!()), "{error}");
    assert!(x.grad().is_none() && y.grad().is_none());
    Ok(())
}

#[test]
fn collected_gradients_stay_those_of_leaves_and_retained_ones() -> Result<()> {
    let (x, w) = (leaf(&[1.0, 2.0]), leaf(&[3.0, 4.0]));
    let middle = &x * &w;
    middle.retain_grad()?;
    (&middle * 3.0).sum()?.backward()?;
    let seen = || [&middle, &x, &w].map(|t| values(&t.grad().unwrap()));
    let before = seen();
    assert_eq!(before, [[3.0, 3.0], [9.0, 12.0], [3.0, 6.0]]);

    // The failing node is older than `later`, so that its gradient is complete and kept before the pass fails.
    let broken = fails(&x)?;
    let later = &broken * 2.0;
    later.retain_grad()?;
    let again = &middle + &w;
    assert!((&later + &again).sum()?.backward().is_err());
    assert!(later.grad().is_none(), "a gradient in the middle was kept");
    assert_eq!(seen(), before);
    Ok(())
}

#[test]
fn zero_grad_forgets_a_retained_gradient() -> Result<()> {
    let x = leaf(&[1.0, 2.0]);
    let middle = &x + 1.0;
    middle.retain_grad()?;
    for _ in 0..2 {
        (&middle * 3.0).sum()?.backward()?;
        assert_eq!(values(&middle.grad().unwrap()), [3.0, 3.0]);
        middle.zero_grad();
        assert!(middle.grad().is_none());
    }
    assert_eq!(values(&x.grad().unwrap()), [6.0, 6.0], "the leaf's own gradient is left alone");
    Ok(())
}

/// Passes its input on; on the way back it fails while the flag is up.
struct FailsOnce(Arc<AtomicBool>);

impl Backward for FailsOnce {
    fn name(&self) -> &'static str {
        "fails_once"
    }
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        assert!(!self.0.load(SeqCst), "on the way back");
        Ok(vec![Some(ctx.grad()?.clone())])
    }
}

/// Σ exp(x)·y², whose gradients are exp(x)·y² and 2·exp(x)·y, with something in between that goes wrong while the flag
/// is up, when all that is newer has been visited.
fn with_a_fault(x: &Tensor, y: &Tensor, fault: &str, flag: &Arc<AtomicBool>) -> Result<Tensor> {
    let middle = x.exp()?;
    let up = flag.clone();
    let middle = match fault {
        "error of a hook" => {
            middle.register_hook(move |_| match up.load(SeqCst) {
                true => Err(Error::new(ErrorKind::Value, "hook", "the flag is up")),
                false => Ok(None),
            })?;
            middle
        }
        "panic of a hook" => {
            middle.register_hook(move |_| {
                assert!(!up.load(SeqCst), "in a hook");
                Ok(None)
            })?;
            middle
        }
        _ => record(FailsOnce(up), &[&middle], &[], middle.detach())?,
    };
    (middle * y.square()?).sum()
}

#[test]
fn the_graph_stays_what_it_was() -> Result<()> {
    for fault in ["error of a hook", "panic of a hook", "panic of a formula"] {
        let (x, y) = (leaf(&[0.5]), leaf(&[3.0]));
        let flag = Arc::new(AtomicBool::new(true));
        let loss = with_a_fault(&x, &y, fault, &flag)?;
        for _ in 0..2 {
            let failed = catch_unwind(AssertUnwindSafe(|| loss.backward().is_err())).unwrap_or(true);
            assert!(failed, "{fault}");
            let options = GradOptions::default();
            let failed = catch_unwind(AssertUnwindSafe(|| grad(&[&loss], &[&x], &[], options).is_err()));
            assert!(failed.unwrap_or(true), "{fault}");
            assert!(is_grad_enabled() && x.grad().is_none() && y.grad().is_none(), "{fault}");
        }
        flag.store(false, SeqCst);
        loss.backward()?;
        assert_eq!(values(&x.grad().unwrap()), [0.5f64.exp() * 9.0], "{fault}");
        assert_eq!(values(&y.grad().unwrap()), [0.5f64.exp() * 6.0], "{fault}");
        // Once it has come to its end the graph is freed, as ever.
        assert_eq!(loss.backward().unwrap_err().kind(), ErrorKind::Graph);
        assert_eq!(values(&x.grad().unwrap()), [0.5f64.exp() * 9.0], "{fault}");
    }
    Ok(())
}

/// A pass that comes to a part that is freed gives back what it took before.
#[test]
fn a_pass_into_a_freed_part_leaves_the_rest() -> Result<()> {
    let x = leaf(&[3.0]);
    let shared = x.square()?;
    let (first, second) = (shared.square()?.sum()?, shared.exp()?.sum()?);
    first.backward()?;
    assert!(second.backward().is_err());
    // Down to the part that both share.
    let g = grad(&[&second], &[&shared], &[], GradOptions::default())?;
    assert_eq!(g[0].as_ref().unwrap().item()?, 9f64.exp());
    Ok(())
}

/// Only at its end does a pass know that an input got no gradient.
#[test]
fn an_input_that_takes_no_part_costs_no_graph() -> Result<()> {
    let (x, unused) = (leaf(&[3.0]), leaf(&[1.0]));
    let y = x.square()?.sum()?;
    assert!(grad(&[&y], &[&x, &unused], &[], GradOptions::default()).is_err());
    y.backward()?;
    assert_eq!(values(&x.grad().unwrap()), [6.0]);
    Ok(())
}

#[test]
fn passes_of_several_threads_each_succeed_or_change_nothing() -> Result<()> {
    for retain_graph in [false, true] {
        let x = leaf(&[1.0, 2.0]);
        let mut y = x.square()?;
        for _ in 0..200 {
            y = y.mul(&x)?.div(&x)?;
        }
        let y = y.sum()?;
        let options = GradOptions { retain_graph, ..Default::default() };
        let succeeded: usize = std::thread::scope(|scope| {
            let pass = || usize::from(options.backward(&y, None).is_ok());
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(pass)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(succeeded, if retain_graph { 4 } else { 1 });
        let g = values(&x.grad().unwrap());
        for (g, x) in g.into_iter().zip([1.0, 2.0]) {
            assert!((g - 2.0 * x * succeeded as f64).abs() < 1e-9, "{g} for x = {x}, {succeeded} passes");
        }
    }
    Ok(())
}
