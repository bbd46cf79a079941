//! Containers in containers, to any depth, on a small stack.

use chainrule_nn::{Dropout, Forward, Layer, Linear, Module, ReLU, Sequential, sequential};
use chainrule_tensor::{ErrorKind, Result, Tensor};

const DEPTH: usize = 100_000;

/// Runs on a thread with a stack of 2 MB.
fn on_a_small_stack(f: impl FnOnce() -> Result<()> + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(f).unwrap().join().unwrap().unwrap();
}

/// A layer in as many containers; each second one is boxed.
fn nested(layer: impl Layer + 'static, depth: usize) -> Sequential {
    let mut model = Sequential::new().push(layer);
    for i in 1..depth {
        model = if i % 2 == 0 {
            Sequential::new().push(model)
        } else {
            Sequential::new().push(Box::new(model) as Box<dyn Layer>)
        };
    }
    model
}

#[test]
fn they_are_dropped_one_after_the_other() {
    on_a_small_stack(|| {
        drop(nested(ReLU::new(), DEPTH));
        drop(sequential![nested(ReLU::new(), DEPTH), nested(Linear::new(2, 2)?, DEPTH)]);
        Ok(())
    });
}

#[test]
fn they_run() {
    on_a_small_stack(|| {
        let model = nested(sequential![Linear::new(2, 2)?, ReLU::new()], DEPTH);
        let x = Tensor::new([[1.0, -2.0]]);
        let linear = model.parameters();
        let want = x.linear(&linear[0].tensor(), Some(&linear[1].tensor()))?.relu()?;
        assert_eq!(model.forward(&x)?.to_vec::<f32>()?, want.to_vec::<f32>()?);

        let error = model.forward(&Tensor::ones([5])?).unwrap_err();
        assert_eq!((error.kind(), error.location().unwrap().file()), (ErrorKind::Shape, file!()));
        Ok(())
    });
}

#[test]
fn their_parameters_are_found() {
    on_a_small_stack(|| {
        let model = nested(sequential![Linear::new(2, 2)?, Dropout::new(1.0)?], DEPTH);
        let state = model.state_dict()?;
        assert_eq!(state.names().next(), Some(&*("0.".repeat(DEPTH) + "0.weight")));
        model.load_state_dict(&state)?;
        let x = Tensor::ones([1, 2])?;
        assert_eq!(model.forward(&x)?.to_vec::<f32>()?, [0.0, 0.0]);
        model.eval();
        assert_ne!(model.forward(&x)?.to_vec::<f32>()?, [0.0, 0.0]);
        Ok(())
    });
}

#[test]
fn layers_come_in_order_from_containers_beside_and_inside_each_other() {
    let linear = |n: usize| Linear::builder(2, 2).bias(n.is_multiple_of(2)).build().unwrap();
    let model = sequential![
        linear(1),
        sequential![sequential![linear(2), ReLU::new()], Sequential::new(), linear(1)],
        vec_of(vec![linear(1), linear(2)]),
        linear(2),
    ];
    let names: Vec<String> = model.named_parameters().into_iter().map(|(name, _)| name).collect();
    let want = [
        "0.weight",
        "1.0.0.weight",
        "1.0.0.bias",
        "1.2.weight",
        "2.list.0.weight",
        "2.list.1.weight",
        "2.list.1.bias",
        "2.inner.0.weight",
        "2.inner.0.bias",
        "3.weight",
        "3.bias",
    ];
    assert_eq!(names, want);
    let x = Tensor::new([[1.0, 2.0]]);
    let mut y = x.clone();
    for name in ["0", "1.0.0", "ReLU", "1.2", "2.inner.0", "3"] {
        y = match name {
            "ReLU" => y.relu().unwrap(),
            _ => {
                let get = |what: &str| {
                    let parameters = model.named_parameters();
                    let found = parameters.iter().find(|(n, _)| *n == format!("{name}.{what}"));
                    found.map(|(_, parameter)| parameter.tensor())
                };
                y.linear(&get("weight").unwrap(), get("bias").as_ref()).unwrap()
            }
        };
    }
    assert_eq!(model.forward(&x).unwrap().to_vec::<f32>().unwrap(), y.to_vec::<f32>().unwrap());

    // The path of what goes wrong deep inside, whether the layer knows it or not.
    let model = sequential![ReLU::new(), sequential![sequential![Picky], ReLU::new()]];
    assert_eq!(model.forward(&x).unwrap_err().module(), Some("1.0.0"));
    let model = sequential![ReLU::new(), sequential![sequential![Linear::new(3, 2).unwrap()]]];
    assert_eq!(model.forward(&x).unwrap_err().module(), Some("1.0.0"));
    model.parameters();
    assert_eq!(model.forward(&x).unwrap_err().module(), Some("1.0.0"));
}

/// A layer that a list of layers and a container stand beside each other in.
#[derive(Module)]
struct Mixed {
    list: Vec<Linear>,
    inner: Sequential,
}

impl Forward for Mixed {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.inner.forward(x)
    }
}

fn vec_of(list: Vec<Linear>) -> Mixed {
    Mixed { list, inner: sequential![Linear::new(2, 2).unwrap()] }
}

/// Refuses whatever comes.
#[derive(Module)]
struct Picky;

impl Forward for Picky {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.reshape([7, 7])
    }
}
