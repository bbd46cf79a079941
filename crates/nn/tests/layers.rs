//! Layers against numbers from PyTorch 2.15, in f64 except for initial values.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chainrule_nn::{
    AvgPool2d, BatchNorm2d, Buffer, Conv2d, Dropout, Flatten, Forward, GELU, Linear, LogSoftmax, MaxPool2d,
    Module, ReLU, Sequential, Tanh, sequential,
};
use chainrule_tensor::random::manual_seed;
use chainrule_tensor::{DType, ErrorKind, Parameter, Tensor};

/// The default generator is one for the whole process: the tests that draw from it take turns.
fn seed(seed: u64) -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    manual_seed(seed);
    turn
}

/// Quarters between -1.25 and 1.25, the same in PyTorch.
fn quarters(k: usize, shape: &[usize]) -> Tensor {
    let values = (0..shape.iter().product()).map(|i| (((i * 7 + k) % 11) as f64 - 5.0) / 4.0).collect();
    Tensor::from_vec(values, shape).unwrap()
}

#[track_caller]
fn assert_close(values: &Tensor, expected: &[f64]) {
    let values = values.to_vec::<f64>().unwrap();
    assert_eq!(values.len(), expected.len());
    for (&value, &expected) in values.iter().zip(expected) {
        assert!((value - expected).abs() < 1e-13 * (1.0 + expected.abs()), "{value:?} for {expected:?}");
    }
}

fn batch_norm(momentum: Option<f64>) -> BatchNorm2d {
    let norm = BatchNorm2d::builder(2).momentum(momentum).dtype(DType::F64).build().unwrap();
    norm.weight.as_ref().unwrap().set(&Tensor::from_vec(vec![1.5, -0.5], [2]).unwrap()).unwrap();
    norm.bias.as_ref().unwrap().set(&Tensor::from_vec(vec![0.25, 1.0], [2]).unwrap()).unwrap();
    norm
}

/// Two batches in training, one in evaluation; the running mean and variance, and the last output.
#[track_caller]
fn assert_running(momentum: Option<f64>, mean: [f64; 2], var: [f64; 2], evaluated: [f64; 4]) {
    let norm = batch_norm(momentum);
    norm.forward(&quarters(0, &[2, 2, 1, 3])).unwrap();
    let second = norm.forward(&quarters(3, &[2, 2, 1, 3])).unwrap();
    let expected = [
        -0.9025147322169529,
        2.5550294644339058,
        0.579289923490558,
        1.384171577405651,
        0.2316568451886981,
        0.890236692169814,
        -1.8903845026886268,
        1.5671596939622319,
        -0.40857984698111594,
        1.713461500896209,
        0.5609467686792561,
        1.2195266156603721,
    ];
    assert_close(&second, &expected);
    norm.eval();
    assert_close(&norm.forward(&quarters(1, &[1, 2, 1, 2])).unwrap(), &evaluated);
    let state = norm.state_dict().unwrap();
    let names: Vec<&str> = state.names().collect();
    assert_eq!(names, ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]);
    assert_close(state.get("running_mean").unwrap(), &mean);
    assert_close(state.get("running_var").unwrap(), &var);
    assert_eq!(state.get("num_batches_tracked").unwrap().to_scalar::<i64>().unwrap(), 2);
}

#[test]
fn batch_norm_keeps_running_statistics() {
    assert_running(
        Some(0.1),
        [-0.01041666666666667, -0.016666666666666666],
        [0.9476041666666668, 0.9579166666666667],
        [-1.274852580132194, 1.4217288247331594, 1.1192012083767013, 1.6300635299911355],
    );
    assert_running(
        Some(0.25),
        [-0.018229166666666668, -0.041666666666666664],
        [0.8779947916666666, 0.8994791666666666],
        [-1.321639523420155, 1.4797975050635166, 1.1098324821206025, 1.6370283962994947],
    );
}

#[test]
fn without_momentum_batch_norm_keeps_plain_averages() {
    assert_running(
        None,
        [-0.0625, -0.08333333333333333],
        [0.7260416666666667, 0.7833333333333333],
        [-1.4003603156794329, 1.6803122735888416, 1.094154846157877, 1.6590839231051389],
    );
}

#[test]
fn without_statistics_batch_norm_uses_the_batch_in_evaluation_too() {
    let norm =
        BatchNorm2d::builder(2).track_running_stats(false).affine(false).dtype(DType::F64).build().unwrap();
    assert!(norm.state_dict().unwrap().is_empty());
    norm.eval();
    let expected = [
        -1.308549481523099,
        0.8898136474357073,
        -0.3663938548264677,
        1.463840071696723,
        0.29276801433934463,
        -0.8783040430180339,
        1.5179173985667949,
        0.2617098963046198,
        -0.9944976059575552,
        0.8783040430180339,
        -0.29276801433934463,
        -1.463840071696723,
    ];
    assert_close(&norm.forward(&quarters(0, &[2, 2, 1, 3])).unwrap(), &expected);
}

#[test]
fn batch_norm_refuses_what_pytorch_refuses_and_learns_nothing_from_it() {
    let norm = BatchNorm2d::new(2).unwrap();
    let before = norm.state_dict().unwrap();
    for shape in [vec![1, 2, 1, 1], vec![2, 3, 1, 1], vec![2, 2, 3]] {
        let error = norm.forward(&Tensor::zeros(shape.as_slice()).unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Shape);
        assert!(error.to_string().contains(&format!("{shape:?}")), "{error}");
    }
    norm.forward(&Tensor::zeros([0, 2, 3, 3]).unwrap()).unwrap();
    let after = norm.state_dict().unwrap();
    for name in ["running_mean", "running_var"] {
        let values = |state: &chainrule_tensor::StateDict| state.get(name).unwrap().to_vec::<f32>().unwrap();
        assert_eq!(values(&after), values(&before));
    }
    norm.eval();
    norm.forward(&Tensor::zeros([1, 2, 1, 1]).unwrap()).unwrap();
    assert!(BatchNorm2d::builder(2).eps(0.0).build().is_err());
    assert!(BatchNorm2d::builder(2).momentum(1.5).build().is_err());
    assert!(BatchNorm2d::builder(2).dtype(DType::I64).build().is_err());
}

/// Whatever is wrong with an input or with what the averages were replaced by, no average and no count changes.
#[test]
fn batch_norm_changes_nothing_when_it_fails() {
    let numbers = |dtype| quarters(0, &[2, 2, 1, 3]).to_dtype(dtype).unwrap();
    let (f32, f64) = (numbers(DType::F32), numbers(DType::F64));
    let norm = |change: fn(&mut BatchNorm2d)| {
        let mut norm = BatchNorm2d::builder(2).affine(false).build().unwrap();
        change(&mut norm);
        norm
    };
    fn ones(shape: &[usize]) -> Option<Buffer> {
        Some(Buffer::new(&Tensor::ones(shape).unwrap()))
    }
    let wrong = [
        (norm(|_| {}), &f64, "float64"),
        (
            norm(|n| n.running_var = Some(Buffer::new(&Tensor::from_vec(vec![1f64; 2], [2]).unwrap()))),
            &f32,
            "running_var",
        ),
        (norm(|n| n.running_var = ones(&[3])), &f32, "[3]"),
        (norm(|n| n.running_mean = ones(&[1, 2])), &f32, "running_mean"),
        (norm(|n| n.num_batches_tracked = ones(&[])), &f32, "num_batches_tracked"),
        (
            norm(|n| n.num_batches_tracked = Some(Buffer::new(&Tensor::new([1, 2])))),
            &f32,
            "num_batches_tracked",
        ),
    ];
    for (norm, x, word) in wrong {
        let state = || norm.state_dict().unwrap().to_bytes().unwrap();
        let before = state();
        let error = norm.forward(x).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert!(error.location().unwrap().file().ends_with("tests/layers.rs"), "{error}");
        assert!(state() == before, "changed in spite of: {error}");
    }
}

fn cnn() -> Sequential {
    let f64 = DType::F64;
    let _turn = seed(3);
    sequential![
        Conv2d::builder(1, 2, 3).padding(1).dtype(f64).build().unwrap(),
        BatchNorm2d::builder(2).dtype(f64).build().unwrap(),
        ReLU::new(),
        MaxPool2d::new(2).unwrap(),
        Conv2d::builder(2, 3, 2).stride(2).bias(false).dtype(f64).build().unwrap(),
        AvgPool2d::new(1).unwrap(),
        Tanh::new(),
        Flatten::new(),
        Linear::builder(3, 4).dtype(f64).build().unwrap(),
        GELU::new(),
        Linear::builder(4, 3).dtype(f64).build().unwrap(),
        LogSoftmax::new(1),
    ]
}

#[test]
fn a_seeded_network_computes_what_pytorch_computes() {
    let model = cnn();
    let x = quarters(2, &[2, 1, 4, 4]);
    let y = model.forward(&x).unwrap();
    let trained = [
        -1.2948801593306882,
        -1.0428637465660142,
        -0.9845016297939018,
        -1.3206827833024493,
        -1.0314528364045237,
        -0.9766822189163331,
    ];
    assert_close(&y, &trained);

    y.slice(1, 0..1).unwrap().sum().unwrap().backward().unwrap();
    let parameters = model.named_parameters();
    assert_eq!(parameters[0].0, "0.weight");
    let grad = [
        -0.07197263301789243,
        0.036776228529312324,
        -0.05648389575675718,
        0.12282886716766589,
        -0.009202949171627443,
        0.03396314350809391,
        -0.06217315280358427,
        0.025091172943767184,
        -0.11842393322505672,
        0.07469876696829772,
        0.07619831537221712,
        -0.09096598044477334,
        -0.07646536133271493,
        -0.07448055653126953,
        0.06246878670673956,
        0.03440861810035101,
        0.04523997273272964,
        -0.05684627303765311,
    ];
    assert_close(&parameters[0].1.grad().unwrap(), &grad);

    model.eval();
    let evaluated = [
        -1.2892117743434097,
        -1.0281147110063602,
        -1.0028526667083428,
        -1.297031575659223,
        -1.0261239995645266,
        -0.9989535498610291,
    ];
    assert_close(&model.forward(&x).unwrap(), &evaluated);
}

#[test]
fn the_names_in_a_state_dict_are_pytorchs() {
    let state = cnn().state_dict().unwrap();
    let names: Vec<&str> = state.names().collect();
    assert_eq!(
        names,
        [
            "0.weight",
            "0.bias",
            "1.weight",
            "1.bias",
            "1.running_mean",
            "1.running_var",
            "1.num_batches_tracked",
            "4.weight",
            "8.weight",
            "8.bias",
            "10.weight",
            "10.bias",
        ]
    );
}

/// The same draws in the same order, bit for bit.
#[test]
fn layers_begin_as_pytorchs_do() {
    let f32s = |p: &Parameter| p.tensor().to_vec::<f32>().unwrap();
    let turn = seed(0);
    let conv = Conv2d::new(2, 3, [1, 2]).unwrap();
    let grouped = Conv2d::builder(4, 4, 3).groups(2).bias(false).build().unwrap();
    let linear = Linear::new(3, 2).unwrap();
    let expected = [
        -0.00374341,
        0.2682218,
        -0.41152257,
        -0.3679695,
        -0.19257718,
        0.13407868,
        -0.00990659,
        0.39644474,
        -0.044372022,
        0.13230628,
        -0.15110654,
        -0.098282695,
    ];
    assert_eq!(f32s(&conv.weight), expected);
    assert_eq!(f32s(&conv.bias.unwrap()), [-0.47767425, -0.33114105, -0.20611155]);
    let weight = f32s(&grouped.weight);
    assert_eq!((weight.len(), weight[0], weight[71]), (72, 0.008731253, -0.038787436));
    let expected = [-0.26428604, 0.2220236, -0.3419666, 0.21165161, 0.2919707, 0.41330865];
    assert_eq!(f32s(&linear.weight), expected);
    assert_eq!(f32s(&linear.bias.unwrap()), [0.2158777, -0.5714239]);

    drop(turn);
    let _turn = seed(0);
    let linear = Linear::builder(3, 2).dtype(DType::F64).build().unwrap();
    let expected = [
        0.5427704542528101,
        0.23996970930833816,
        -0.046900537438113156,
        0.48583757737745076,
        0.16745942958373372,
        0.3361886278485809,
    ];
    assert_eq!(linear.weight.tensor().to_vec::<f64>().unwrap(), expected);
    let expected = [-0.3711136225274598, -0.17192610627289664];
    assert_eq!(linear.bias.unwrap().tensor().to_vec::<f64>().unwrap(), expected);
}

#[test]
fn train_and_eval_flip_what_is_deep_inside() {
    let _turn = seed(0);
    let model =
        sequential![sequential![Dropout::new(0.5).unwrap()], sequential![BatchNorm2d::new(1).unwrap()]];
    let x = Tensor::ones([8, 1, 4, 4]).unwrap();
    let constant = |y: Tensor| {
        let y = y.to_vec::<f32>().unwrap();
        y.iter().all(|v| *v == y[0])
    };
    assert!(!constant(model.forward(&x).unwrap()));
    model.eval();
    assert!(constant(model.forward(&x).unwrap()));
    model.train();
    assert!(!constant(model.forward(&x).unwrap()));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let refused = [
        Dropout::new(1.5).map(drop),
        Dropout::new(f64::NAN).map(drop),
        Conv2d::new(0, 1, 3).map(drop),
        Conv2d::new(1, 1, 0).map(drop),
        Conv2d::builder(4, 4, 3).groups(3).build().map(drop),
        Conv2d::builder(4, 4, 3).groups(0).build().map(drop),
        Conv2d::builder(4, 4, 3).stride(0).build().map(drop),
        MaxPool2d::new(0).map(drop),
        MaxPool2d::builder(2).padding(2).build().map(drop),
        AvgPool2d::builder(2).divisor_override(0).build().map(drop),
        AvgPool2d::builder(2).stride([1, 0]).build().map(drop),
        Linear::builder(2, 2).dtype(DType::I64).build().map(drop),
        Linear::new(usize::MAX, 2).map(drop),
    ];
    for (i, outcome) in refused.into_iter().enumerate() {
        let error = outcome.expect_err(&format!("number {i}"));
        assert!(error.location().unwrap().file().ends_with("tests/layers.rs"), "{error}");
    }
}

#[test]
fn a_layer_can_have_no_inputs() {
    let _turn = seed(0);
    let layer = Linear::new(0, 2).unwrap();
    assert_eq!(layer.forward(&Tensor::zeros([3, 0]).unwrap()).unwrap().to_vec::<f32>().unwrap(), [0.0; 6]);
}
