//! Cells: what asks for a cell's value while it is being changed gets an error, and waits for nobody.

use std::sync::mpsc::channel;
use std::time::Duration;

use chainrule::autograd::enable_grad;
use chainrule::prelude::*;
use chainrule::{ErrorKind, TensorCell};

use super::{leaf, values};

/// Fails, instead of hanging, where something waits for itself.
fn at_once(f: impl FnOnce() + Send + 'static) {
    let (done, end) = channel();
    let thread = std::thread::spawn(move || {
        f();
        done.send(()).unwrap();
    });
    match end.recv_timeout(Duration::from_secs(20)) {
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it waits for itself"),
        _ => thread.join().unwrap(),
    }
}

fn parameter() -> Parameter {
    Parameter::new(Tensor::new([1.0, 2.0])).unwrap()
}

fn numbers(p: &Parameter) -> Vec<f32> {
    p.tensor().to_vec().unwrap()
}

#[test]
fn reading_a_parameter_in_its_own_update_is_an_error() {
    at_once(|| {
        let p = parameter();
        let line = line!() + 1;
        let error = p.update(|_: &mut [f32]| drop(p.tensor())).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Value, "update"));
        let place = error.location().unwrap();
        assert_eq!((place.file(), place.line()), (file!(), line));
        assert!(error.message().contains(&format!("{}:{line}", file!())), "{error}");
        // What is known without the values can be asked for.
        let about = p
            .update(|v: &mut [f32]| {
                v[0] = 5.0;
                p.set_name("w");
                p.zero_grad();
                (p.shape(), p.dtype(), p.numel(), p.name(), p.requires_grad(), p.grad().is_none())
            })
            .unwrap();
        assert_eq!(about, ([2].into(), DType::F32, 2, Some("w".to_string()), true, true));
        assert_eq!(numbers(&p), [5.0, 2.0]);
        // A clone is the same cell.
        let tied = p.clone();
        assert!(p.update(|_: &mut [f32]| drop(format!("{tied:?}"))).is_err());
    });
}

/// The values that cannot be had are no numbers, so that nobody takes them for some.
#[test]
fn what_is_read_there_is_nan() {
    at_once(|| {
        let p = parameter();
        let mut read = Vec::new();
        let result = p.update(|_: &mut [f32]| {
            let x = p.tensor();
            assert!(x.requires_grad() && *x.shape() == [2]);
            read = x.to_vec::<f32>().unwrap();
        });
        assert!(result.is_err() && read.iter().all(|v| v.is_nan()), "{read:?}");
        assert_eq!(numbers(&p), [1.0, 2.0]);
    });
}

#[test]
fn changing_a_cell_in_its_own_update_is_an_error_and_changes_nothing() {
    at_once(|| {
        let p = parameter();
        let new = Tensor::new([7.0, 8.0]);
        let [set, update] = p
            .update(|v: &mut [f32]| {
                v[1] = 3.0;
                [p.set(&new), p.update(|v: &mut [f32]| v.fill(9.0))].map(Result::unwrap_err)
            })
            .unwrap();
        assert_eq!([set.operation(), update.operation()], ["set", "update"]);
        for error in [set, update] {
            assert_eq!((error.kind(), error.location().unwrap().file()), (ErrorKind::Value, file!()));
        }
        assert_eq!(numbers(&p), [1.0, 3.0]);

        let cell = TensorCell::new(&new);
        assert!(cell.update(|_: &mut [f32]| drop(cell.get())).is_err());
        cell.update(|_: &mut [f32]| cell.set(&new).unwrap_err()).unwrap();
        let buffer = Buffer::new(&new);
        let shape = buffer.update(|_: &mut [f32]| (buffer.shape(), buffer.dtype())).unwrap();
        assert_eq!(shape, ([2].into(), DType::F32));
        assert!(buffer.update(|_: &mut [f32]| drop(buffer.tensor())).is_err());
    });
}

#[test]
fn other_cells_and_other_threads_are_served() {
    at_once(|| {
        let (p, q) = (parameter(), parameter());
        // Another cell, read and changed within; a panic within, after which nothing is in the way.
        p.update(|p: &mut [f32]| {
            q.update(|q: &mut [f32]| q.copy_from_slice(&[p[0] * 10.0, 20.0])).unwrap();
            p.copy_from_slice(&numbers(&q));
        })
        .unwrap();
        let panicked = std::panic::catch_unwind(|| p.update(|_: &mut [f32]| panic!("inside")));
        assert!(panicked.is_err());
        assert_eq!(numbers(&p), [10.0, 20.0]);

        let (entered, inside) = channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                p.update(|v: &mut [f32]| {
                    entered.send(()).unwrap();
                    std::thread::sleep(Duration::from_millis(100));
                    v.fill(3.0);
                })
                .unwrap();
            });
            inside.recv().unwrap();
            assert_eq!(numbers(&p), [3.0, 3.0], "another thread waits for the update");
        });
    });
}

/// Loading takes all or nothing, wherever it is called.
#[test]
fn loading_within_an_update_changes_nothing() -> Result<()> {
    let model = sequential![Linear::new(2, 2)?, Linear::new(2, 2)?];
    let new = sequential![Linear::new(2, 2)?, Linear::new(2, 2)?].state_dict()?;
    let before = model.state_dict()?;
    let last = model.parameters().pop().unwrap();
    let inside = last.update(|_: &mut [f32]| model.load_state_dict(&new));
    assert!(inside.is_err() || inside.unwrap().is_err());
    for (name, value) in before.iter() {
        let now = model.state_dict()?;
        assert_eq!(now.get(name).unwrap().to_vec::<f32>()?, value.to_vec::<f32>()?, "{name}");
    }
    Ok(())
}

#[test]
fn hooks_may_use_their_own_leaf() {
    at_once(|| {
        let p = parameter();
        let x = p.tensor();
        let inner = p.clone();
        let handle = x.register_hook(move |g| {
            inner.zero_grad();
            inner.set_grad(Some(g.mul(10.0)?))?;
            assert!(inner.grad().is_some());
            inner.tensor().register_hook(|_| Ok(None))?.remove();
            inner.update(|v: &mut [f32]| v[0] = 4.0)?;
            Ok(None)
        });
        (&x * 3.0).sum().unwrap().backward().unwrap();
        assert_eq!(p.grad().unwrap().to_vec::<f32>().unwrap(), [33.0, 33.0]);
        assert_eq!(numbers(&p), [4.0, 2.0]);
        handle.unwrap().remove();

        // A hook that registers another, whose handle it takes away; and one that runs a pass of its own.
        let x = leaf(&[1.0]);
        let again = x.clone();
        x.register_hook(move |_| {
            again.register_hook(|_| Ok(None))?.remove();
            let other = leaf(&[2.0]);
            enable_grad(|| other.square()?.sum())?.backward()?;
            Ok(other.grad())
        })
        .unwrap();
        (&x * 3.0).sum().unwrap().backward().unwrap();
        assert_eq!(values(&x.grad().unwrap()), [4.0]);
    });
}
