//! What is stored as a gradient: values, and with `create_graph` their graph.

use chainrule::autograd::{Backward, Context, GradOptions, record};
use chainrule::{Parameter, Result, Tensor};

use super::{leaf, values};

const CREATE: GradOptions = GradOptions { create_graph: true, retain_graph: true, allow_unused: false };

/// Gives a tensor that it holds as the gradient.
struct Gives(Tensor);

impl Backward for Gives {
    fn name(&self) -> &'static str {
        "gives"
    }
    fn backward(&self, _: &Context<'_>) -> Result<Vec<Option<Tensor>>> {
        Ok(vec![Some(self.0.clone())])
    }
}

#[test]
fn without_create_graph_gradients_are_stored_without_a_graph() -> Result<()> {
    let (x, seed) = (leaf(&[2.0, 3.0]), leaf(&[5.0, 7.0]));
    x.backward_with(&x)?;
    assert_eq!(values(&x.grad().unwrap()), [2.0, 3.0]);
    assert!(!x.grad().unwrap().requires_grad());
    // Added to what is there, and through an operation that passes gradients on.
    (&x + 1.0).backward_with(&(&seed * 2.0))?;
    assert_eq!(values(&x.grad().unwrap()), [12.0, 17.0]);
    assert!(!x.grad().unwrap().requires_grad());

    // By a hook, by a formula, into a tensor that retains its gradient, and by `autograd::grad`.
    let x = leaf(&[1.0, 1.0]);
    let (middle, held) = (&x + 1.0, &seed * 1.0);
    middle.retain_grad()?;
    let given = held.clone();
    let handle = middle.register_hook(move |_| Ok(Some(given.clone())))?;
    (&middle + 1.0).sum()?.backward()?;
    handle.remove();
    assert!(!middle.grad().unwrap().requires_grad() && !x.grad().unwrap().requires_grad());
    assert_eq!(values(&middle.grad().unwrap()), [5.0, 7.0]);
    let w = leaf(&[1.0, 1.0]);
    let y = record(Gives(held), &[&w], &[], w.detach())?;
    let options = GradOptions { retain_graph: true, ..Default::default() };
    assert!(
        !chainrule::autograd::grad(&[&y.sum()?], &[&w], &[], options)?[0].as_ref().unwrap().requires_grad()
    );
    y.sum()?.backward()?;
    assert!(!w.grad().unwrap().requires_grad());

    let p = Parameter::new(Tensor::new([1.0]))?;
    p.set_grad(Some(p.tensor()))?;
    assert!(!p.grad().unwrap().requires_grad());
    Ok(())
}

#[test]
fn with_create_graph_they_can_be_differentiated() -> Result<()> {
    // y = x³: the gradient is 3x², its derivative 6x.
    let x = leaf(&[2.0]);
    let middle = &x * 1.0;
    middle.retain_grad()?;
    CREATE.backward(&middle.pow(3.0)?.sum()?, None)?;
    for gradient in [x.grad(), middle.grad()] {
        let gradient = gradient.unwrap();
        assert_eq!(values(&gradient), [12.0]);
        x.zero_grad();
        CREATE.backward(&gradient.sum()?, None)?;
        assert_eq!(values(&x.grad().unwrap()), [12.0]);
    }
    // A leaf as the seed: the gradient is no leaf, but leads to it.
    let (x, seed) = (leaf(&[2.0]), leaf(&[5.0]));
    CREATE.backward(&x, Some(&seed))?;
    let gradient = x.grad().unwrap();
    assert!(gradient.requires_grad() && !gradient.is_leaf());
    gradient.square()?.sum()?.backward()?;
    assert_eq!(values(&seed.grad().unwrap()), [10.0]);
    Ok(())
}

#[test]
fn a_gradient_can_be_asked_of_any_handle_while_one_lives() -> Result<()> {
    let p = Parameter::new(Tensor::new([3.0]))?;
    let x = p.tensor();
    let loss = x.square()?.sum()?;
    drop(x);
    CREATE.backward(&loss, None)?;
    let x = p.tensor();
    drop((p, loss));
    let copy = x.clone();
    drop(x);
    assert_eq!(copy.grad().unwrap().item()?, 6.0);
    copy.grad().unwrap().sum()?.backward()?;
    assert_eq!(copy.grad().unwrap().item()?, 8.0);
    // Nobody can ask for that of a tensor of which no handle is left; the pass goes on to the others.
    let (x, y) = (leaf(&[3.0]), leaf(&[2.0]));
    let loss = (&x * &y).sum()?;
    drop(x);
    loss.backward()?;
    assert_eq!(values(&y.grad().unwrap()), [3.0]);
    // And a tensor in the middle, of which the graph has the only other handles.
    let x = leaf(&[2.0]);
    let middle = x.square()?;
    middle.retain_grad()?;
    let loss = middle.square()?.sum()?;
    CREATE.backward(&loss, None)?;
    drop(loss);
    assert_eq!(values(&middle.grad().unwrap()), [8.0]);
    assert_eq!(values(&x.grad().unwrap()), [32.0]);
    Ok(())
}
