//! Recurrent layers against numbers from PyTorch 2.15, in f64 except for initial values. (The golden cases have their
//! options.)

#![allow(clippy::excessive_precision, reason = "numbers as PyTorch prints them")]

use chainrule_nn::{GRU, LSTM, Module, RNN, RNNNonlinearity};
use chainrule_tensor::random::{Generator, with_generator};
use chainrule_tensor::{DType, ErrorKind, Result, StateDict, Tensor};

/// (i · factor mod modulus − shift) / 10
fn numbers(shape: &[usize], factor: usize, modulus: usize, shift: f64) -> Tensor {
    let values =
        (0..shape.iter().product()).map(|i| ((i * factor % modulus) as f64 - shift) / 10.0).collect();
    Tensor::from_vec(values, shape).unwrap()
}

/// Gives a layer of 2 inputs and 5 hidden units with `gates` gates its weights.
fn fill(layer: &impl Module, gates: usize) {
    let mut state = StateDict::new();
    let wide = gates * 5;
    state.insert("weight_ih_l0", numbers(&[wide, 2], 7919, 23, 11.0)).unwrap();
    state.insert("weight_hh_l0", numbers(&[wide, 5], 31, 11, 5.0)).unwrap();
    state.insert("bias_ih_l0", numbers(&[wide], 37, 19, 9.0)).unwrap();
    state.insert("bias_hh_l0", numbers(&[wide], 53, 13, 6.0)).unwrap();
    layer.load_state_dict(&state).unwrap();
}

/// 4 times of 3 sequences, first hidden states and first cells.
fn inputs() -> [Tensor; 3] {
    [numbers(&[4, 3, 2], 41, 17, 8.0), numbers(&[1, 3, 5], 29, 7, 3.0), numbers(&[1, 3, 5], 43, 11, 5.0)]
        .map(|t| t.requires_grad_(true).unwrap())
}

/// Compares Σ k·y_k and Σ k²·y_k over the elements in order, k = 1, 2, …: wrong values and right values in wrong places
/// both change these.
#[track_caller]
fn check(what: &str, got: &Tensor, want: [f64; 2]) {
    let values = got.to_vec::<f64>().unwrap();
    for (power, want) in (1..).zip(want) {
        let got = values.iter().zip(1..).map(|(y, k)| f64::from(k).powi(power) * y).sum::<f64>();
        assert!((got - want).abs() <= 1e-11 * want.abs().max(1000.0), "{what}: {got} instead of {want}");
    }
}

/// Results, and the gradients of Σ k·output_k + Σ last², of the inputs and then of the parameters.
#[track_caller]
fn check_all(layer: &impl Module, output: &Tensor, last: &[&Tensor], inputs: &[Tensor], want: &[[f64; 2]]) {
    let (results, gradients) = want.split_at(1 + last.len());
    for (i, (got, want)) in [output].iter().chain(last).zip(results).enumerate() {
        check(&format!("result {i}"), got, *want);
    }
    let weight = Tensor::from_vec((1..=output.numel()).map(|k| k as f64).collect(), output.shape()).unwrap();
    let mut loss = output.mul(&weight).unwrap().sum().unwrap();
    for last in last {
        loss = loss.add(&last.square().unwrap().sum().unwrap()).unwrap();
    }
    loss.backward().unwrap();
    let of_inputs = inputs.iter().map(|x| x.grad().unwrap());
    let got: Vec<Tensor> = of_inputs.chain(layer.parameters().iter().map(|p| p.grad().unwrap())).collect();
    assert_eq!(got.len(), gradients.len());
    for (i, (got, want)) in got.iter().zip(gradients).enumerate() {
        check(&format!("gradient {i}"), got, *want);
    }
}

#[test]
fn lstm() {
    let layer = LSTM::builder(2, 5).dtype(DType::F64).build().unwrap();
    fill(&layer, 4);
    let [x, h, c] = inputs();
    let (output, (hidden, cell)) = layer.forward(&x, Some((&h, &c))).unwrap();
    let want = [
        [-18.700866574419493, -899.3444775512137],
        [-2.069697823242141, -29.339816790443514],
        [-15.098817818899454, -210.81563677263966],
        [-2108.0641011056528, -41194.56255904096],
        [113.74393579899426, 1355.4422294340054],
        [817.9109543747186, 8638.4925440455],
        [-595.4817248853411, -14679.070176912868],
        [-177.91179878808737, -6023.316923493825],
        [2901.744206813205, 33541.76471703664],
        [2901.7442068132045, 33541.76471703664],
    ];
    check_all(&layer, &output, &[&hidden, &cell], &[x, h, c], &want);
}

#[test]
fn gru() {
    let layer = GRU::builder(2, 5).dtype(DType::F64).build().unwrap();
    fill(&layer, 3);
    let [x, h, _] = inputs();
    let (output, hidden) = layer.forward(&x, Some(&h)).unwrap();
    let want = [
        [-230.74271285298641, -9827.71703870265],
        [-18.14389678835576, -225.8250983928932],
        [-2482.228148368301, -38384.518779774604],
        [3598.571108069181, 37908.091821991446],
        [-3031.8106247968444, -71382.5899571273],
        [-13543.695227603137, -904598.8447135149],
        [13198.843516008528, 168368.77206800433],
        [7040.404208442219, 89902.4631396876],
    ];
    check_all(&layer, &output, &[&hidden], &[x, h], &want);
}

#[test]
fn rnn_of_both_kinds() {
    let tanh = [
        [519.7039210280911, 23009.36816077221],
        [51.58105026946507, 558.8742618894778],
        [-2599.1907430403135, -46991.55034414989],
        [-261.1045596135534, -1287.8343535018385],
        [-603.9811917593108, -5026.6585114676545],
        [18364.604861853575, 352805.81746839196],
        [4539.805200282201, 18504.303601427775],
        [4539.805200282201, 18504.303601427775],
    ];
    let relu = [
        [960.26134, 40307.67228],
        [73.85039, 813.9520299999999],
        [2341.621375996, 77258.736727196],
        [216.76387462000014, 6355.149083208002],
        [-1417.3100416040004, -10038.292490692005],
        [49225.402689380004, 871947.49878048],
        [5713.758918580001, 22501.869933100003],
        [5713.758918580001, 22501.8699331],
    ];
    for (nonlinearity, want) in [(RNNNonlinearity::Tanh, tanh), (RNNNonlinearity::ReLU, relu)] {
        let layer = RNN::builder(2, 5).nonlinearity(nonlinearity).dtype(DType::F64).build().unwrap();
        fill(&layer, 1);
        let [x, h, _] = inputs();
        let (output, hidden) = layer.forward(&x, Some(&h)).unwrap();
        check_all(&layer, &output, &[&hidden], &[x, h], &want);
    }
}

#[test]
fn initial_values_are_drawn_in_order() {
    // A generator of its own: other tests draw from the default one meanwhile.
    let build = || LSTM::builder(2, 3).num_layers(2).bidirectional(true).build();
    let layer = with_generator(&mut Generator::new(3), build).unwrap();
    let first: [(&str, &[usize], [f32; 2]); 16] = [
        ("weight_ih_l0", &[12, 2], [-0.572427154, -0.455449253]),
        ("weight_hh_l0", &[12, 3], [-0.368491262, -0.360595465]),
        ("bias_ih_l0", &[12], [0.409721851, 0.0411493294]),
        ("bias_hh_l0", &[12], [-0.261897683, 0.00860959012]),
        ("weight_ih_l0_reverse", &[12, 2], [0.489949286, -0.503844321]),
        ("weight_hh_l0_reverse", &[12, 3], [0.343981236, -0.403553039]),
        ("bias_ih_l0_reverse", &[12], [-0.198124707, -0.0843407139]),
        ("bias_hh_l0_reverse", &[12], [0.434645593, 0.0197503064]),
        ("weight_ih_l1", &[12, 6], [-0.00852624234, -0.149802029]),
        ("weight_hh_l1", &[12, 3], [0.114982173, 0.369776636]),
        ("bias_ih_l1", &[12], [-0.32764414, -0.52941072]),
        ("bias_hh_l1", &[12], [0.474166483, 0.308344781]),
        ("weight_ih_l1_reverse", &[12, 6], [-0.187416345, -0.241616234]),
        ("weight_hh_l1_reverse", &[12, 3], [0.170099705, 0.180743515]),
        ("bias_ih_l1_reverse", &[12], [-0.524565578, -0.359769344]),
        ("bias_hh_l1_reverse", &[12], [-0.119436011, 0.488495201]),
    ];
    let parameters = layer.named_parameters();
    assert_eq!(parameters.len(), first.len());
    for ((name, parameter), (want, shape, values)) in parameters.iter().zip(first) {
        assert_eq!((name.as_str(), &parameter.shape()[..]), (want, shape));
        assert_eq!(parameter.tensor().to_vec::<f32>().unwrap()[..2], values, "{name}");
    }
}

#[test]
fn one_sequence_is_a_batch_of_one_and_goes_on_where_it_ended() -> Result<()> {
    let layer = GRU::builder(2, 3).num_layers(2).bidirectional(true).dtype(DType::F64).build()?;
    let x = numbers(&[5, 2], 41, 17, 8.0);
    let (output, last) = layer.forward(&x, None)?;
    assert_eq!((&output.shape()[..], &last.shape()[..]), (&[5, 6][..], &[4, 3][..]));
    let (of_batch, last_of_batch) = layer.forward(&x.unsqueeze(1)?, None)?;
    assert_eq!(output.to_vec::<f64>()?, of_batch.to_vec::<f64>()?);
    assert_eq!(last.to_vec::<f64>()?, last_of_batch.to_vec::<f64>()?);
    // The way back of the last layer ends at the first time, the way forward at the last.
    assert_eq!(last.select(0, 3)?.to_vec::<f64>()?, output.select(0, 0)?.slice(0, 3..)?.to_vec::<f64>()?);
    assert_eq!(last.select(0, 2)?.to_vec::<f64>()?, output.select(0, 4)?.slice(0, ..3)?.to_vec::<f64>()?);

    let layer = LSTM::builder(2, 3).num_layers(2).dtype(DType::F64).build()?;
    let (whole, _) = layer.forward(&x, None)?;
    let (_, (hidden, cell)) = layer.forward(&x.slice(0, ..2)?, None)?;
    let (rest, _) = layer.forward(&x.slice(0, 2..)?, Some((&hidden, &cell)))?;
    assert_eq!(whole.slice(0, 2..)?.to_vec::<f64>()?, rest.to_vec::<f64>()?);
    Ok(())
}

#[test]
fn dropout_is_between_layers_in_training_only() -> Result<()> {
    let x = numbers(&[3, 4, 2], 41, 17, 8.0);
    let twice = |layer: &RNN| -> Result<bool> {
        let outputs = [layer.forward(&x, None)?.0, layer.forward(&x, None)?.0];
        Ok(outputs[0].to_vec::<f64>()? == outputs[1].to_vec::<f64>()?)
    };
    let one = RNN::builder(2, 8).dropout(0.5).dtype(DType::F64).build()?;
    assert!(twice(&one)?);
    let two = RNN::builder(2, 8).num_layers(2).dropout(0.5).dtype(DType::F64).build()?;
    assert!(!twice(&two)?);
    two.eval();
    assert!(twice(&two)?);
    Ok(())
}

#[test]
fn wrong_calls_are_refused() {
    assert_eq!(LSTM::new(0, 3).unwrap_err().kind(), ErrorKind::Value);
    assert_eq!(GRU::new(2, 0).unwrap_err().kind(), ErrorKind::Value);
    assert_eq!(RNN::builder(2, 3).num_layers(0).build().unwrap_err().kind(), ErrorKind::Value);
    assert_eq!(LSTM::builder(2, 3).dropout(1.5).build().unwrap_err().kind(), ErrorKind::Value);
    assert_eq!(LSTM::builder(2, 3).dtype(DType::I64).build().unwrap_err().kind(), ErrorKind::DType);
    let layer = LSTM::new(2, 3).unwrap();
    let x = Tensor::zeros([4, 5, 2]).unwrap();
    let error = layer.forward(&Tensor::zeros([4, 5, 7]).unwrap(), None).unwrap_err();
    assert!(error.to_string().contains("[4, 5, 7]") && error.to_string().contains("LSTM"), "{error}");
    let (h, c) = (Tensor::zeros([1, 5, 3]).unwrap(), Tensor::zeros([1, 4, 3]).unwrap());
    let error = layer.forward(&x, Some((&h, &c))).unwrap_err();
    assert!(error.to_string().contains("[1, 4, 3]") && error.to_string().contains("[1, 5, 3]"), "{error}");
    let error = layer.forward(&Tensor::zeros([0, 5, 2]).unwrap(), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Shape);
    let error = layer.forward(&x.to_dtype(DType::F64).unwrap(), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DType);
}

#[test]
fn sizes_that_have_no_room_are_refused_at_once() {
    for n in [1 << 40, 1 << 50, usize::MAX / 2, usize::MAX] {
        for error in [
            LSTM::builder(2, 3).num_layers(n).build().map(drop).unwrap_err(),
            GRU::builder(2, n).bidirectional(true).build().map(drop).unwrap_err(),
            RNN::builder(n, 3).build().map(drop).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Memory, "{error}");
        }
    }
}
