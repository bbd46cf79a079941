//! Graphs of any depth are walked and dropped on a small stack.

use chainrule::autograd::{Backward, Context, GradOptions, record};
use chainrule::{Result, Tensor};

/// Runs on a thread with a stack of 2 MB.
fn on_a_small_stack(f: impl FnOnce() -> Result<()> + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(f).unwrap().join().unwrap().unwrap();
}

#[test]
fn a_million_operations_on_a_small_stack() {
    on_a_small_stack(|| {
        let x = Tensor::new([1.0]).requires_grad_(true)?;
        let a = Tensor::new([1e-6]);
        let mut y = &x * 1.0;
        for i in 0..1_000_000 {
            y = if i % 2 == 0 { &y + &a } else { y.mul(1.0)? };
        }
        GradOptions { retain_graph: true, ..Default::default() }.backward(&y.sum()?, None)?;
        assert_eq!(x.grad().unwrap().item()?, 1.0);
        drop(y);
        Ok(())
    });
}

/// Holds a tensor, and with it the tensor's graph, outside of what the engine knows.
struct Holds(#[allow(dead_code, reason = "held for its drop")] Tensor);

impl Backward for Holds {
    fn name(&self) -> &'static str {
        "holds"
    }
    fn backward(&self, ctx: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(ctx.grad()?.clone())])
    }
}

#[test]
fn graphs_held_by_operations_are_dropped_one_after_the_other() {
    on_a_small_stack(|| {
        let x = Tensor::new([1.0]).requires_grad_(true)?;
        let mut y = &x * 1.0;
        for _ in 0..100_000 {
            y = record(Holds(y), &[&x], &[], x.detach())?;
        }
        y.backward()?;
        assert_eq!(x.grad().unwrap().item()?, 1.0);
        drop(y);
        Ok(())
    });
}

#[test]
fn graphs_held_by_retained_gradients_are_dropped_one_after_the_other() {
    on_a_small_stack(|| {
        let x = Tensor::new([1.0]).requires_grad_(true)?;
        let create = GradOptions { create_graph: true, ..Default::default() };
        let mut y = &x * 1.0;
        for _ in 0..100_000 {
            // The gradient that `next` keeps is `y` with its graph.
            let next = &x * 1.0;
            next.retain_grad()?;
            create.backward(&next, Some(&y))?;
            x.zero_grad();
            y = next;
        }
        assert_eq!(y.grad().unwrap().item()?, 1.0);
        drop(y);
        Ok(())
    });
}

#[test]
fn graphs_held_by_hooks_are_dropped_one_after_the_other() {
    on_a_small_stack(|| {
        let x = Tensor::new([1.0]).requires_grad_(true)?;
        let mut y = &x * 1.0;
        for _ in 0..100_000 {
            let next = &x * 1.0;
            next.register_hook(move |_| {
                let _held = &y;
                Ok(None)
            })?;
            y = next;
        }
        drop(y);
        Ok(())
    });
}
