//! State dicts, names, tied weights, modes and errors.

use chainrule_nn::{BatchNorm2d, Buffer, Forward, Linear, LoadOptions, Module, ReLU, Sequential, sequential};
use chainrule_tensor::random::manual_seed;
use chainrule_tensor::{DType, ErrorKind, Parameter, Result, StateDict, Tensor, copies_on_write};

#[derive(Module)]
struct Net {
    encoder: Encoder,
    head: Linear,
    steps: Buffer,
}

#[derive(Module)]
struct Encoder {
    layers: Vec<Linear>,
    rest: Sequential,
}

fn net() -> Net {
    let rest = sequential![ReLU::new(), Linear::new(3, 3).unwrap()];
    let layers = vec![Linear::new(2, 3).unwrap(), Linear::new(3, 3).unwrap()];
    Net {
        encoder: Encoder { layers, rest },
        head: Linear::new(3, 1).unwrap(),
        steps: Buffer::new(&Tensor::new(0)),
    }
}

impl Forward for Net {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        for layer in &self.encoder.layers {
            x = layer.forward(&x)?;
        }
        self.head.forward(&self.encoder.rest.forward(&x)?)
    }
}

fn values(module: &dyn Module) -> Vec<Vec<f64>> {
    let state = module.state_dict().unwrap();
    state.iter().map(|(_, t)| t.to_dtype(DType::F64).unwrap().to_vec::<f64>().unwrap()).collect()
}

#[test]
fn a_state_dict_goes_to_a_file_and_into_another_model() {
    manual_seed(1);
    let (one, other) = (net(), net());
    one.steps.set(&Tensor::new(12)).unwrap();
    assert_ne!(values(&one), values(&other));

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("net.safetensors");
    one.state_dict().unwrap().save(&path).unwrap();
    other.load_state_dict(&StateDict::load(&path).unwrap()).unwrap();
    assert_eq!(values(&one), values(&other));
    assert_eq!(other.steps.tensor().to_scalar::<i64>().unwrap(), 12);
}

#[test]
fn a_state_dict_is_a_snapshot() {
    let net = net();
    let before = values(&net);
    let state = net.state_dict().unwrap();
    for parameter in net.parameters() {
        parameter.update(|values: &mut [f32]| values.fill(7.0)).unwrap();
    }
    assert_ne!(values(&net), before);
    net.load_state_dict(&state).unwrap();
    assert_eq!(values(&net), before);
    // And what was loaded is not changed by the model it was loaded into.
    net.head.bias.as_ref().unwrap().update(|values: &mut [f32]| values.fill(7.0)).unwrap();
    assert_ne!(state.get("head.bias").unwrap().item().unwrap(), 7.0);
    assert!(copies_on_write() > 0);
}

#[test]
fn a_state_dict_that_does_not_fit_changes_nothing_and_says_why() {
    let net = net();
    let before = values(&net);
    let mut state = StateDict::new();
    for (name, tensor) in net.state_dict().unwrap().iter() {
        let zeros = Tensor::zeros_like(tensor).unwrap();
        match name {
            "head.weight" => state.insert(name, Tensor::zeros([1, 4]).unwrap()),
            "head.bias" => state.insert(name, zeros.to_dtype(DType::F64).unwrap()),
            "steps" => state.insert("step", zeros),
            _ => state.insert(name, zeros),
        }
        .unwrap();
    }
    let error = net.load_state_dict(&state).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    let text = error.to_string();
    let expected = "load_state_dict: the state dict does not fit, nothing was loaded
  missing in the state dict:
    steps
  unexpected in the state dict:
    step
  of another shape or dtype:
    head.weight: float32 [1, 3] in the module, float32 [1, 4] in the state dict
    head.bias: float32 [1] in the module, float64 [1] in the state dict";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("tests/module.rs"), "{text}");
    assert_eq!(values(&net), before);

    // Names may be left open; shapes may not.
    let open = LoadOptions { strict: false, ..Default::default() };
    assert!(net.load_state_dict_with(&state, open).is_err());
    assert_eq!(values(&net), before);
    state.remove("head.weight");
    state.remove("head.bias");
    let report = net.load_state_dict_with(&state, open).unwrap();
    assert_eq!(report.missing, ["steps", "head.weight", "head.bias"]);
    assert_eq!(report.unexpected, ["step"]);
    assert!(values(&net.encoder).iter().flatten().all(|&v| v == 0.0));
    assert_eq!(values(&net.head), before[before.len() - 2..]);
}

#[test]
fn another_dtype_is_converted_where_that_is_asked_for() {
    let net = net();
    let mut state = StateDict::new();
    for (name, tensor) in net.state_dict().unwrap().iter() {
        state.insert(name, tensor.to_dtype(DType::F64).unwrap().add(1.0).unwrap()).unwrap();
    }
    assert!(net.load_state_dict(&state).unwrap_err().to_string().contains("float64"));
    let before = values(&net);
    let cast = LoadOptions { cast: true, ..Default::default() };
    assert!(net.load_state_dict_with(&state, cast).unwrap().is_complete());
    let shifted = |values: &Vec<f64>| values.iter().map(|x| f64::from((x + 1.0) as f32)).collect();
    let wanted: Vec<Vec<f64>> = before.iter().map(shifted).collect();
    assert_eq!(values(&net), wanted);
    assert_eq!(net.head.weight.dtype(), DType::F32);
    assert!(net.load_state_dict_with(&StateDict::new(), cast).is_err());
}

/// State dicts of PyTorch before 0.4.1 have no counts.
#[test]
fn a_batch_norm_without_a_count_loads() {
    let layer = BatchNorm2d::new(2).unwrap();
    let mut state = layer.state_dict().unwrap();
    state.remove("num_batches_tracked");
    layer.load_state_dict(&state).unwrap();
    assert_eq!(layer.num_batches_tracked.as_ref().unwrap().tensor().item().unwrap(), 0.0);
    state.remove("running_mean");
    assert!(layer.load_state_dict(&state).unwrap_err().to_string().contains("running_mean"));
}

#[derive(Module)]
struct Tied {
    encoder: Linear,
    decoder: Linear,
}

fn tied() -> Tied {
    let encoder = Linear::new(3, 3).unwrap();
    let weight = encoder.weight.clone();
    Tied { encoder, decoder: Linear { weight, bias: None } }
}

#[test]
fn tied_weights_are_one_parameter_of_two_names() {
    let model = tied();
    let names: Vec<String> = model.named_parameters().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["encoder.weight", "encoder.bias"]);
    assert_eq!(model.num_parameters(), 12);
    let state = model.state_dict().unwrap();
    assert_eq!(state.names().collect::<Vec<_>>(), ["encoder.weight", "encoder.bias", "decoder.weight"]);

    let other = tied();
    other.load_state_dict(&state).unwrap();
    assert!(other.encoder.weight.is_same(&other.decoder.weight));
    assert_eq!(values(&other), values(&model));
}

#[test]
fn parameters_learn_their_names() {
    let net = net();
    assert_eq!(net.head.weight.name(), None);
    assert_eq!(net.head.path(), None);
    net.parameters();
    assert_eq!(net.head.weight.name().as_deref(), Some("head.weight"));
    assert_eq!(net.head.path().as_deref(), Some("head"));
    assert_eq!(net.encoder.path().as_deref(), Some("encoder"));
    assert_eq!(net.encoder.rest.path().as_deref(), Some("encoder.rest"));
    assert_eq!(net.path(), None);
}

#[test]
fn gradients_are_forgotten_and_parameters_frozen() {
    let net = net();
    let loss = |net: &Net| net.forward(&Tensor::ones([1, 2])?)?.sum()?.backward();
    loss(&net).unwrap();
    assert!(net.parameters().iter().all(|p| p.grad().is_some()));
    net.zero_grad();
    assert!(net.parameters().iter().all(|p| p.grad().is_none()));
    net.encoder.requires_grad_(false);
    loss(&net).unwrap();
    assert_eq!(net.parameters().iter().filter(|p| p.grad().is_some()).count(), 2);
    net.requires_grad_(false);
    assert!(loss(&net).is_err());
}

#[test]
fn an_error_names_the_module_and_the_users_line() {
    let net = net();
    net.parameters();
    let x = Tensor::ones([1, 3]).unwrap();

    let error = net.forward(&x).unwrap_err();
    assert_eq!(error.module(), Some("encoder.layers.0"));
    let place = error.location().unwrap();
    assert!(place.file().ends_with("tests/module.rs"), "{error}");
    assert_eq!(place.line(), line_of("x = layer.forward(&x)?;"));

    // Through `dyn`, where the caller's place is lost and found again.
    let wide = Tensor::ones([1, 5]).unwrap();
    let error = net.encoder.rest.forward(&wide).unwrap_err();
    assert_eq!(error.module(), Some("encoder.rest.1"));
    assert!(error.location().unwrap().file().ends_with("tests/module.rs"), "{error}");
    assert_eq!(error.location().unwrap().line(), line_of("net.encoder.rest.forward(&wide)"));
}

/// The first line of this file that contains a text.
fn line_of(text: &str) -> u32 {
    include_str!("module.rs").lines().position(|line| line.contains(text)).unwrap() as u32 + 1
}

/// A layer without parameters cannot know its path.
#[derive(Module)]
struct Refusing;

impl Forward for Refusing {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.reshape([7, 7, 7])
    }
}

#[test]
fn a_layer_without_a_path_is_named_by_its_index() {
    let model = sequential![ReLU::new(), Refusing];
    let error = model.forward(&Tensor::ones([2]).unwrap()).unwrap_err();
    assert_eq!(error.module(), Some("1"));
    assert_eq!(
        error.location().unwrap().line(),
        line_of("x.reshape([7, 7, 7])"),
        "the user's own line stays"
    );

    #[derive(Module)]
    struct Model {
        body: Sequential,
    }
    let model = Model { body: sequential![Linear::new(2, 2).unwrap(), Refusing] };
    model.parameters();
    let error = model.body.forward(&Tensor::ones([2]).unwrap()).unwrap_err();
    assert_eq!(error.module(), Some("body.1"));
}

#[test]
fn a_file_written_by_pytorch_is_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pytorch.safetensors");
    let mut state = StateDict::load(path).unwrap();
    assert_eq!(state.metadata()["note"], "from PyTorch");
    assert_eq!(state.remove("extra.exact").unwrap().to_vec::<f64>().unwrap(), [0.1, 0.2]);
    assert_eq!(state.remove("extra.steps").unwrap().to_scalar::<i64>().unwrap(), 42);
    assert_eq!(state.remove("extra.mask").unwrap().to_vec::<bool>().unwrap(), [true, false, true]);
    assert_eq!(*state.remove("extra.none").unwrap().shape(), [0, 3]);

    // nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1, bias=False)), and what PyTorch computes.
    let last = Linear::builder(2, 1).bias(false).build().unwrap();
    let model = sequential![Linear::new(3, 2).unwrap(), ReLU::new(), last];
    model.load_state_dict(&state).unwrap();
    let x = Tensor::new([[1.0, -2.0, 3.0], [0.5, 0.25, -1.0]]);
    let y = model.forward(&x).unwrap().to_vec::<f32>().unwrap();
    for (y, expected) in y.iter().zip([0.161_244_78, 0.124_079_76]) {
        assert!((y - expected).abs() < 1e-7, "{y} for {expected}");
    }
}

#[test]
fn buffers_are_listed_once() {
    let net = net();
    let names: Vec<String> = net.named_buffers().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["steps"]);
    let twice = vec![net.steps.clone(), net.steps.clone()];
    assert_eq!(twice.named_buffers().len(), 1);
    assert_eq!(twice.state_dict().unwrap().len(), 2);
}

#[test]
fn parameters_outlive_their_module() {
    let parameters: Vec<Parameter> = net().parameters();
    assert_eq!(parameters[0].name().as_deref(), Some("encoder.layers.0.weight"));
}
