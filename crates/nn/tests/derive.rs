//! What `#[derive(Module)]` makes of every kind of field.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use chainrule_nn::{Buffer, Forward, Layer, Linear, Module, ReLU, Sequential, Training, Visitor, sequential};
use chainrule_tensor::{DType, Parameter, Result, Shape, Tensor};

fn parameter(values: &[f32]) -> Parameter {
    Parameter::new(Tensor::from_slice(values, [values.len()]).unwrap()).unwrap()
}

fn linear() -> Linear {
    Linear::builder(2, 2).bias(false).build().unwrap()
}

fn names(module: &dyn Module) -> Vec<String> {
    module.state_dict().unwrap().names().map(str::to_string).collect()
}

#[derive(Module)]
struct Everything<M, T> {
    // Configuration, of which nothing is saved.
    width: usize,
    rate: f64,
    verbose: bool,
    label: String,
    title: &'static str,
    kernel: [usize; 2],
    limit: Option<usize>,
    sizes: Vec<usize>,
    pair: (usize, f32),
    dtype: DType,
    shape: Shape,
    activation: fn(&Tensor) -> Result<Tensor>,
    marker: PhantomData<T>,
    nothing: (),
    mode: Training,
    #[module(skip)]
    closure: Box<dyn Fn(f64) -> f64>,
    // Modules.
    first: Linear,
    child: M,
    some: Option<Linear>,
    none: Option<Linear>,
    list: Vec<Linear>,
    fixed: [Linear; 2],
    tuple: (Linear, ReLU, Parameter),
    map: BTreeMap<String, Linear>,
    boxed: Box<Linear>,
    dynamic: Box<dyn Layer>,
    shared: Arc<Linear>,
    layers: Sequential,
    deep: Vec<Option<(Linear, Linear)>>,
    #[module(rename = "renamed")]
    other: Linear,
    r#type: Linear,
    // The module's own.
    weight: Parameter,
    bias: Option<Parameter>,
    no_bias: Option<Parameter>,
    table: Vec<Parameter>,
    count: Buffer,
}

fn everything() -> Everything<Linear, Box<dyn Fn()>> {
    Everything {
        width: 1,
        rate: 0.5,
        verbose: false,
        label: "label".into(),
        title: "title",
        kernel: [3, 3],
        limit: None,
        sizes: vec![1, 2],
        pair: (1, 2.0),
        dtype: DType::F32,
        shape: [1, 2].into(),
        activation: Tensor::relu,
        marker: PhantomData,
        nothing: (),
        mode: Training::new(),
        closure: Box::new(|x| x + 1.0),
        first: linear(),
        child: linear(),
        some: Some(linear()),
        none: None,
        list: vec![linear(), linear()],
        fixed: [linear(), linear()],
        tuple: (linear(), ReLU::new(), parameter(&[1.0])),
        map: [("b".to_string(), linear()), ("a".to_string(), linear())].into(),
        boxed: Box::new(linear()),
        dynamic: Box::new(linear()),
        shared: Arc::new(linear()),
        layers: sequential![ReLU::new(), linear()],
        deep: vec![None, Some((linear(), linear()))],
        other: linear(),
        r#type: linear(),
        weight: parameter(&[1.0]),
        bias: Some(parameter(&[2.0])),
        no_bias: None,
        table: vec![parameter(&[3.0]), parameter(&[4.0])],
        count: Buffer::new(&Tensor::new(0)),
    }
}

#[test]
fn every_kind_of_field_is_found_under_its_name() {
    let module = everything();
    assert_eq!(
        names(&module),
        [
            "weight",
            "bias",
            "count",
            "first.weight",
            "child.weight",
            "some.weight",
            "list.0.weight",
            "list.1.weight",
            "fixed.0.weight",
            "fixed.1.weight",
            "tuple.2",
            "tuple.0.weight",
            "map.a.weight",
            "map.b.weight",
            "boxed.weight",
            "dynamic.weight",
            "shared.weight",
            "layers.1.weight",
            "deep.1.0.weight",
            "deep.1.1.weight",
            "renamed.weight",
            "type.weight",
            "table.0",
            "table.1",
        ]
    );
    module.eval();
    assert!(!module.mode.get());
    assert_eq!((module.closure)(1.0), 2.0);
    let configuration = (module.width, module.rate, module.verbose, module.label.as_str(), module.title);
    assert_eq!(configuration, (1, 0.5, false, "label", "title"));
    assert_eq!((module.kernel, module.limit, module.sizes.len(), module.pair), ([3, 3], None, 2, (1, 2.0)));
    assert_eq!(
        (module.dtype, module.shape.len(), module.nothing, module.marker),
        (DType::F32, 2, (), PhantomData)
    );
    assert_eq!((module.activation)(&Tensor::new(-1.0)).unwrap().item().unwrap(), 0.0);
}

#[derive(Module)]
struct Pair(Linear, #[module(skip)] std::time::Duration, Parameter);

#[derive(Module)]
struct Unit;

#[derive(Module)]
struct Wrapper<'a, M: Forward + ?Sized, const N: usize>
where
    M: Send,
{
    inner: [Box<M>; N],
    name: &'static str,
    lifetime: PhantomData<&'a M>,
}

/// A generic type that contains itself.
#[derive(Module)]
struct Tree<T> {
    value: T,
    children: Vec<Tree<T>>,
}

/// A type made by a macro, where names have the macro's hygiene.
macro_rules! wrapper {
    ($name:ident, $field:ident: $t:ty) => {
        #[derive(Module)]
        struct $name {
            $field: $t,
        }
    };
}
wrapper!(Made, inner: Linear);

#[test]
fn structs_of_every_form_can_be_derived() {
    let pair = Pair(linear(), std::time::Duration::from_secs(1), parameter(&[1.0]));
    assert_eq!(names(&pair), ["2", "0.weight"]);
    assert_eq!(pair.1.as_secs(), 1);

    assert!(names(&Unit).is_empty());

    let boxed: [Box<dyn Layer>; 1] = [Box::new(linear())];
    let wrapper = Wrapper::<dyn Layer, 1> { inner: boxed, name: "x", lifetime: PhantomData };
    assert_eq!(
        (names(&wrapper), wrapper.name, wrapper.lifetime),
        (vec!["inner.0.weight".into()], "x", PhantomData)
    );

    let leaf = |children| Tree { value: linear(), children };
    let tree = leaf(vec![leaf(vec![]), leaf(vec![leaf(vec![])])]);
    assert_eq!(
        names(&tree),
        [
            "value.weight",
            "children.0.value.weight",
            "children.1.value.weight",
            "children.1.children.0.value.weight"
        ]
    );

    assert_eq!(names(&Made { inner: linear() }), ["inner.weight"]);
}

/// Containers are modules, so that a list of layers needs no struct around it.
#[test]
fn a_list_of_layers_is_a_module() {
    assert_eq!(names(&vec![linear(), linear()]), ["0.weight", "1.weight"]);
    assert_eq!(names(&(linear(), vec![linear()])), ["0.weight", "1.0.weight"]);
}

/// The order is PyTorch's even where a module comes before a parameter.
#[test]
fn a_modules_own_come_first_at_every_level() {
    #[derive(Module)]
    struct Inner {
        layer: Linear,
        count: Buffer,
        weight: Parameter,
    }
    #[derive(Module)]
    struct Outer {
        inner: Inner,
        last: Parameter,
    }
    let inner = Inner { layer: linear(), count: Buffer::new(&Tensor::new(0)), weight: parameter(&[1.0]) };
    let outer = Outer { inner, last: parameter(&[1.0]) };
    assert_eq!(names(&outer), ["last", "inner.weight", "inner.count", "inner.layer.weight"]);
}

/// An implementation by hand, for what the derive cannot do.
#[test]
fn an_enum_can_implement_it_by_hand() {
    enum Either {
        Plain(Linear),
        Scaled(Linear, Parameter),
    }
    impl Module for Either {
        fn visit(&self, visitor: &mut dyn Visitor) {
            match self {
                Either::Plain(layer) => visitor.module("layer", layer),
                Either::Scaled(layer, scale) => {
                    visitor.module("layer", layer);
                    visitor.parameter("scale", scale);
                }
            }
        }
    }
    assert_eq!(names(&Either::Plain(linear())), ["layer.weight"]);
    assert_eq!(names(&Either::Scaled(linear(), parameter(&[1.0]))), ["scale", "layer.weight"]);
}
