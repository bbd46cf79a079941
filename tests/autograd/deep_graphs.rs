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

const CREATE: GradOptions = GradOptions { create_graph: true, retain_graph: true, allow_unused: false };

#[test]
fn a_million_operations_and_the_graph_of_their_gradients() {
    on_a_small_stack(|| {
        let x = Tensor::new([1.0]).requires_grad_(true)?;
        let mut y = &x * 1.0;
        for _ in 0..500_000 {
            y = y.mul(1.0)?;
        }
        CREATE.backward(&y.sum()?, None)?;
        assert_eq!(x.grad().unwrap().item()?, 1.0);
        drop(y);
        x.zero_grad();
        Ok(())
    });
}

#[test]
fn leaves_chained_through_stored_gradients_are_dropped_one_after_the_other() {
    on_a_small_stack(|| {
        // Each leaf's gradient is the one before, or is computed from it.
        for scale in [false, true] {
            let mut leaves = vec![Tensor::new([1.0]).requires_grad_(true)?];
            for _ in 0..300_000 {
                let (x, last) = (Tensor::new([1.0]).requires_grad_(true)?, leaves.last().unwrap());
                let seed = if scale { last * 1.0 } else { last.clone() };
                CREATE.backward(&x, Some(&seed))?;
                leaves.push(x);
            }
            assert_eq!(leaves.last().unwrap().grad().unwrap().item()?, 1.0);
            let last = leaves.pop();
            drop(leaves);
            drop(last);
        }
        Ok(())
    });
}

#[test]
fn chains_of_which_only_the_last_leaf_is_kept_are_dropped_one_after_the_other() {
    on_a_small_stack(|| {
        let mut last = Tensor::new([1.0]).requires_grad_(true)?;
        for _ in 0..1_000_000 {
            let x = Tensor::new([1.0]).requires_grad_(true)?;
            CREATE.backward(&x, Some(&last))?;
            last = x;
        }
        assert_eq!(last.grad().unwrap().item()?, 1.0);
        drop(last);
        Ok(())
    });
}

#[test]
fn leaves_chained_through_operations_and_hooks_are_dropped_one_after_the_other() {
    on_a_small_stack(|| {
        let mut last = Tensor::new([1.0]).requires_grad_(true)?;
        for i in 0..500_000 {
            let x = Tensor::new([1.0]).requires_grad_(true)?;
            if i % 2 == 0 || i < 200_000 {
                x.register_hook(move |_| {
                    let _held = &last;
                    Ok(None)
                })?;
            } else {
                // The gradient of x has a graph whose operation holds the last leaf.
                let seed = record(Holds(last.clone()), &[&last], &[], last.detach())?;
                CREATE.backward(&x, Some(&seed))?;
            }
            last = x;
        }
        drop(last);
        Ok(())
    });
}
