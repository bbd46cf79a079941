//! Hooks.

use std::sync::{Arc, Mutex};

use chainrule::autograd::{GradOptions, grad};
use chainrule::{DType, Error, ErrorKind, Result, Tensor};

use super::{leaf, values};

#[test]
fn hooks_see_the_complete_gradient_once_and_can_be_removed() -> Result<()> {
    let x = leaf(&[1.0]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let handle = x.register_hook(move |g| {
        log.lock().unwrap().push(g.item().unwrap());
        Ok(None)
    })?;
    (&x + &(&x * 2.0)).sum()?.backward()?;
    assert_eq!(*seen.lock().unwrap(), [3.0], "one call with the sum of both ways");
    handle.remove();
    (&x * 5.0).sum()?.backward()?;
    assert_eq!(seen.lock().unwrap().len(), 1);
    assert_eq!(values(&x.grad().unwrap()), [8.0]);
    // A hook in the middle replaces what goes on.
    let x = leaf(&[1.0]);
    let middle = &x * 2.0;
    middle.register_hook(|g| g.mul(100.0).map(Some))?;
    middle.retain_grad()?;
    (&middle * 3.0).sum()?.backward()?;
    assert_eq!(values(&x.grad().unwrap()), [600.0]);
    assert_eq!(values(&middle.grad().unwrap()), [300.0]);
    Ok(())
}

/// The error of a pass through `middle = x · 2` whose hook gives this, with the hook's line; nothing has changed.
fn refusal(
    on_leaf: bool,
    hook: impl Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync + 'static,
) -> Result<(Error, u32)> {
    let (x, other) = (leaf(&[1.0, 2.0]), leaf(&[1.0, 2.0]));
    (&x + &other).sum()?.backward()?;
    let middle = &x * 2.0;
    middle.retain_grad()?;
    let line = line!() + 1;
    let _handle = if on_leaf { &x } else { &middle }.register_hook(hook)?;
    let loss = (&middle * &other).sum()?;
    let error = loss.backward().expect_err("the hook's fault");
    assert!(middle.grad().is_none(), "a retained gradient was kept");
    assert_eq!([values(&x.grad().unwrap()), values(&other.grad().unwrap())], [[1.0, 1.0], [1.0, 1.0]]);
    Ok((error, line))
}

#[test]
fn the_error_of_a_hook_ends_the_pass() -> Result<()> {
    for (on_leaf, tensor) in [(false, "output 0 of mul"), (true, "a leaf of shape [2]")] {
        let (error, line) = refusal(on_leaf, |g| {
            if g.numel() > 1 {
                return Err(Error::new(ErrorKind::Value, "my_hook", "no more than one"));
            }
            Ok(None)
        })?;
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Value, "my_hook"));
        let text = error.to_string();
        for word in [tensor, "no more than one", &format!("{}:{line}", file!())] {
            assert!(text.contains(word), "{text} does not mention {word}");
        }
    }
    Ok(())
}

#[test]
fn a_replacement_must_have_the_gradients_shape_and_dtype() -> Result<()> {
    for (on_leaf, tensor) in [(false, "output 0 of mul"), (true, "a leaf of shape [2]")] {
        // [1] would broadcast, and [1, 2] has as many elements.
        for shape in [&[1][..], &[1, 2], &[3], &[]] {
            let (error, line) = refusal(on_leaf, move |_| Tensor::full(shape, 1.0, DType::F64).map(Some))?;
            assert_eq!((error.kind(), error.location().unwrap().line()), (ErrorKind::Shape, line));
            for word in [tensor, &format!("of shape {shape:?} for"), "[2]"] {
                assert!(error.message().contains(word), "{error} does not mention {word}");
            }
        }
        let (error, line) = refusal(on_leaf, |g| g.to_dtype(DType::F32).map(Some))?;
        assert_eq!((error.kind(), error.location().unwrap().line()), (ErrorKind::DType, line));
        for word in [tensor, "float32", "float64"] {
            assert!(error.message().contains(word), "{error} does not mention {word}");
        }
    }
    Ok(())
}

#[test]
fn hooks_run_and_fail_in_grad_too() -> Result<()> {
    let x = leaf(&[1.0]);
    let options = GradOptions { retain_graph: true, ..Default::default() };
    let y = (&x * 3.0).sum()?;
    let doubled = x.register_hook(|g| g.mul(2.0).map(Some))?;
    assert_eq!(values(grad(&[&y], &[&x], &[], options)?[0].as_ref().unwrap()), [6.0]);
    doubled.remove();
    x.register_hook(|_| Tensor::zeros([2]).map(Some))?;
    assert_eq!(grad(&[&y], &[&x], &[], options).unwrap_err().kind(), ErrorKind::Shape);
    Ok(())
}
