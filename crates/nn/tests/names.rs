//! Names of parameters and paths of modules: who is asked first does not matter.

use chainrule_nn::{Forward, Linear, Module, ReLU, Sequential, sequential};
use chainrule_tensor::{Result, Tensor};

/// Refuses everything, and has no parameters by which it could know its path.
#[derive(Module)]
struct Refusing;

impl Forward for Refusing {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.reshape([7, 7, 7])
    }
}

#[derive(Module)]
struct Outer {
    encoder: Inner,
    head: Linear,
}

#[derive(Module)]
struct Inner {
    first: Linear,
    rest: Sequential,
}

fn outer() -> Outer {
    let rest = sequential![ReLU::new(), Linear::new(2, 2).unwrap()];
    Outer { encoder: Inner { first: Linear::new(2, 2).unwrap(), rest }, head: Linear::new(2, 1).unwrap() }
}

fn names(module: &dyn Module) -> Vec<String> {
    module.parameters().iter().map(|p| p.name().unwrap().to_string()).collect()
}

const NAMES: [&str; 6] = [
    "encoder.first.weight",
    "encoder.first.bias",
    "encoder.rest.1.weight",
    "encoder.rest.1.bias",
    "head.weight",
    "head.bias",
];

#[test]
fn the_name_in_the_outermost_model_wins_whoever_is_asked_first() {
    let inside_out = outer();
    assert_eq!(names(&inside_out.encoder.rest), ["1.weight", "1.bias"]);
    assert_eq!(names(&inside_out.encoder)[2..], ["rest.1.weight", "rest.1.bias"]);
    inside_out.head.state_dict().unwrap();
    assert_eq!(names(&inside_out), NAMES);
    assert_eq!(inside_out.encoder.rest.path().as_deref(), Some("encoder.rest"));

    let outside_in = outer();
    assert_eq!(names(&outside_in), NAMES);
    assert_eq!(names(&outside_in.encoder.rest), NAMES[2..4], "a part does not take a name away");

    let asked_for_its_state = outer();
    asked_for_its_state.encoder.parameters();
    asked_for_its_state.state_dict().unwrap();
    assert_eq!(asked_for_its_state.head.path().as_deref(), Some("head"));
    assert_eq!(asked_for_its_state.encoder.first.path().as_deref(), Some("encoder.first"));
}

#[test]
fn an_error_in_a_part_that_was_asked_first_names_the_whole_path() {
    let model = outer();
    model.encoder.parameters();
    model.parameters();
    let error = model.encoder.first.forward(&Tensor::ones([3]).unwrap()).unwrap_err();
    assert_eq!(error.module(), Some("encoder.first"));
    assert!(error.to_string().starts_with("encoder.first: linear: "), "{error}");
}

/// An embedding whose weight is also that of the output layer, as in language models.
#[derive(Module)]
struct Tied {
    embedding: Linear,
    output: Linear,
}

fn tied() -> Tied {
    let embedding = Linear::builder(3, 3).bias(false).build().unwrap();
    let output = Linear { weight: embedding.weight.clone(), bias: Linear::new(3, 3).unwrap().bias };
    Tied { embedding, output }
}

#[test]
fn tied_weights_take_their_first_name_in_the_outermost_model() {
    #[derive(Module)]
    struct Model {
        body: Tied,
    }
    let first = ["body.embedding.weight", "body.output.bias"];
    for ask in [|_: &Tied| {}, |m: &Tied| drop(m.output.parameters()), |m: &Tied| drop(m.parameters())] {
        let model = Model { body: tied() };
        ask(&model.body);
        assert_eq!(names(&model), first);
        // The weight belongs to both; the bias says which of the two this is.
        assert_eq!(model.body.output.path().as_deref(), Some("body.output"));
        // What holds the shared weight only cannot be told apart, and is not called by another's name.
        assert_eq!(model.body.embedding.path(), None);
    }
}

#[test]
fn layers_without_parameters_are_named_by_the_sequentials_around_them() {
    let x = Tensor::ones([2]).unwrap();
    let model = sequential![ReLU::new(), sequential![ReLU::new(), sequential![Refusing]]];
    assert_eq!(model.forward(&x).unwrap_err().module(), Some("1.1.0"));

    // The part with parameters knows its path once the model was asked; the part inside it never does.
    let model = sequential![sequential![Linear::new(2, 2).unwrap(), sequential![ReLU::new(), Refusing]]];
    assert_eq!(model.forward(&x).unwrap_err().module(), Some("0.1.1"));
    model.parameters();
    assert_eq!(model.forward(&x).unwrap_err().module(), Some("0.1.1"));
    let part = sequential![ReLU::new(), Linear::new(2, 2).unwrap(), sequential![Refusing]];
    let model = Inner { first: Linear::new(2, 2).unwrap(), rest: part };
    assert_eq!(model.rest.forward(&x).unwrap_err().module(), Some("2.0"));
    model.parameters();
    assert_eq!(model.rest.forward(&x).unwrap_err().module(), Some("rest.2.0"));

    // A part that begins with its own number is not taken for a whole path.
    let model = sequential![sequential![sequential![ReLU::new(), Refusing]]];
    assert_eq!(model.forward(&x).unwrap_err().module(), Some("0.0.1"));
}

#[test]
fn integers_in_relu_say_which_layer() {
    let model = sequential![ReLU::new(), ReLU::new(), Refusing];
    let error = model.forward(&Tensor::new([true])).unwrap_err();
    assert_eq!(error.module(), Some("0"), "{error}");
}
