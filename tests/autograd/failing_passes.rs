//! A pass that fails leaves every gradient as it was.

use chainrule::autograd::{Backward, Context, record};
use chainrule::{Result, Tensor};

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
