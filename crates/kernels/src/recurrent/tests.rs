use super::weight::Weight;
use super::*;
use crate::testing::{affordable, assert_close, numbers, numbers_f32, on_thread_counts};
use rnn::Activation;

/// Times, batch, inputs, hidden: around the sizes of blocks, tasks and stretches.
const SIZES: [(usize, usize, usize, usize); 7] = [
    (1, 1, 1, 1),
    (3, 2, 4, 5),
    (5, 9, 3, 17),
    (4, 70, 2, 16),
    (300, 1, 2, 3),
    (40, 13, 5, 8),
    (2, 300, 1, 4),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Lstm,
    Gru,
    Rnn(Activation),
}

const KINDS: [Kind; 4] = [Kind::Lstm, Kind::Gru, Kind::Rnn(Activation::Tanh), Kind::Rnn(Activation::Relu)];

impl Kind {
    fn gates(self) -> usize {
        match self {
            Kind::Lstm => lstm::GATES,
            Kind::Gru => gru::GATES,
            Kind::Rnn(_) => 1,
        }
    }
}

/// All that goes in: x, first state, first cell, ih, hh, both biases.
type Inputs<T> = [Vec<T>; 7];

fn lengths(kind: Kind, s: Sizes) -> [usize; 7] {
    let wide = kind.gates() * s.hidden;
    [s.times * s.batch * s.inputs, s.states(), s.states(), wide * s.inputs, wide * s.hidden, wide, wide]
}

/// What is kept for the way back: states, cells or n's part, gates.
struct Kept<T: crate::Element>([Buffer<T>; 3]);

fn forward<T: GemmNumber + Float>(kind: Kind, s: Sizes, inputs: &Inputs<T>) -> Kept<T> {
    let [x, state, cell, ih, hh, bias_ih, bias_hh] = inputs;
    let weights = Weights { ih, hh, bias: Some([bias_ih, bias_hh]) };
    let first = s.first_state() * s.states();
    let mut states = Buffer::recycled((s.times + 1) * s.states());
    states[first..][..s.states()].copy_from_slice(state);
    let mut gates = Buffer::recycled(s.times * s.states() * kind.gates());
    let mut other = Buffer::recycled((s.times + usize::from(kind == Kind::Lstm)) * s.states());
    match kind {
        Kind::Lstm => {
            other[first..][..s.states()].copy_from_slice(cell);
            lstm::forward(s, x, weights, &mut states, &mut other, &mut gates)
        }
        Kind::Gru => gru::forward(s, x, weights, &mut states, &mut gates, &mut other),
        Kind::Rnn(activation) => rnn::forward(s, activation, x, weights, &mut states),
    }
    .expect("memory");
    Kept([states, other, gates])
}

impl<T: GemmNumber + Float> Kept<T> {
    /// The outputs, the last state and (of an LSTM) the last cell, one after the other.
    fn results(&self, kind: Kind, s: Sizes) -> Vec<T> {
        let last = s.last_state() * s.states()..(s.last_state() + 1) * s.states();
        let outputs = &self.0[0][s.first_output() * s.states()..][..s.times * s.states()];
        let cell = if kind == Kind::Lstm { &self.0[1][last.clone()] } else { &[] };
        [outputs, &self.0[0][last], cell].concat()
    }

    /// The gradients of the inputs, given those of the results.
    fn backward(&self, kind: Kind, s: Sizes, inputs: &Inputs<T>, of_results: &[T]) -> Inputs<T> {
        let [x, _, _, ih, hh, bias_ih, bias_hh] = inputs;
        let weights = Weights { ih, hh, bias: Some([bias_ih, bias_hh]) };
        let (of_output, last) = of_results.split_at(s.times * s.states());
        let (of_state, of_last_cell) = last.split_at(s.states());
        let mut out = lengths(kind, s).map(|len| vec![T::ZERO; len]);
        let [of_x, state, cell, ih, hh, bias_ih, bias_hh] = &mut out;
        let gradients = Gradients {
            input: Some(of_x),
            state,
            ih: Some(ih),
            hh: Some(hh),
            bias: Some([bias_ih, bias_hh]),
        };
        let [states, other, gates] = &self.0;
        let incoming = [Some(of_output), Some(of_state)];
        match kind {
            Kind::Lstm => {
                let incoming =
                    lstm::Incoming { output: incoming[0], state: incoming[1], cell: Some(of_last_cell) };
                lstm::backward(s, x, weights, [states, other, gates], incoming, gradients, cell)
            }
            Kind::Gru => gru::backward(s, x, weights, [states, gates, other], incoming, gradients),
            Kind::Rnn(activation) => rnn::backward(s, activation, x, weights, states, incoming, gradients),
        }
        .expect("memory");
        out
    }
}

/// The definitions, one number after the other.
fn defined(kind: Kind, s: Sizes, inputs: &Inputs<f64>) -> Vec<f64> {
    let [x, state, cell, ih, hh, bias_ih, bias_hh] = inputs;
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let mut outputs = vec![0.0; s.times * s.states()];
    let (mut state, mut cell) = (state.clone(), cell.clone());
    for step in 0..s.times {
        let time = if s.reverse { s.times - 1 - step } else { step };
        for b in 0..s.batch {
            let before = state[b * s.hidden..][..s.hidden].to_vec();
            for j in 0..s.hidden {
                let dot = |w: &[f64], x: &[f64]| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
                let from_input = |gate: usize| {
                    let row = gate * s.hidden + j;
                    bias_ih[row]
                        + dot(&ih[row * s.inputs..][..s.inputs], &x[(time * s.batch + b) * s.inputs..])
                };
                let from_state = |gate: usize| {
                    let row = gate * s.hidden + j;
                    bias_hh[row] + dot(&hh[row * s.hidden..][..s.hidden], &before)
                };
                let both = |gate: usize| from_input(gate) + from_state(gate);
                let c = &mut cell[b * s.hidden + j];
                state[b * s.hidden + j] = match kind {
                    Kind::Lstm => {
                        *c = sigmoid(both(1)) * *c + sigmoid(both(0)) * both(2).tanh();
                        sigmoid(both(3)) * c.tanh()
                    }
                    Kind::Gru => {
                        let (r, z) = (sigmoid(both(0)), sigmoid(both(1)));
                        let n = (from_input(2) + r * from_state(2)).tanh();
                        (1.0 - z) * n + z * before[j]
                    }
                    Kind::Rnn(Activation::Tanh) => both(0).tanh(),
                    Kind::Rnn(Activation::Relu) => both(0).max(0.0),
                };
            }
        }
        outputs[time * s.states()..][..s.states()].copy_from_slice(&state);
    }
    [outputs, state, if kind == Kind::Lstm { cell } else { vec![] }].concat()
}

fn cases() -> impl Iterator<Item = (Kind, Sizes)> {
    let sizes =
        affordable(SIZES, |(t, b, i, h)| t * b * (i + h) * h).flat_map(|(times, batch, inputs, hidden)| {
            [false, true].map(|reverse| Sizes { times, batch, inputs, hidden, reverse })
        });
    sizes.flat_map(|sizes| KINDS.map(|kind| (kind, sizes)))
}

/// Weights are smaller in wide layers, so that units do not saturate.
fn inputs(kind: Kind, s: Sizes, seed: u64) -> Inputs<f64> {
    let mut i = seed;
    lengths(kind, s).map(|len| {
        i += 1;
        numbers(i, len).into_iter().map(|x| x * 0.6 / (s.hidden as f64).sqrt()).collect()
    })
}

#[test]
fn forward_is_the_definition() {
    for (kind, sizes) in cases() {
        let inputs = inputs(kind, sizes, 1);
        let got = forward(kind, sizes, &inputs).results(kind, sizes);
        assert_close(&got, &defined(kind, sizes, &inputs), 1e-11);
    }
}

/// The derivative of a weighted sum of the results, when all of one input moves in one direction.
#[test]
fn backward_is_the_derivative_of_the_definition() {
    for (kind, sizes) in cases().filter(|(_, s)| s.times < 100) {
        let inputs = inputs(kind, sizes, 1);
        let kept = forward(kind, sizes, &inputs);
        let of_results = numbers(20, kept.results(kind, sizes).len());
        let gradients = kept.backward(kind, sizes, &inputs, &of_results);
        for (i, gradient) in gradients.iter().enumerate() {
            let direction = numbers(30 + i as u64, gradient.len());
            let moved = |by: f64| {
                let mut inputs = inputs.clone();
                inputs[i].iter_mut().zip(&direction).for_each(|(x, d)| *x += by * d);
                let results = defined(kind, sizes, &inputs);
                results.iter().zip(&of_results).map(|(y, g)| y * g).sum::<f64>()
            };
            // Kinks of the rectified kind are passed by small steps.
            let step = 1e-6;
            let want = (moved(step) - moved(-step)) / (2.0 * step);
            let got: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
            assert!(
                (got - want).abs() < 1e-6 * want.abs().max(10.0),
                "{kind:?} {sizes:?}, input {i}: {got}, {want}"
            );
        }
    }
}

#[test]
fn results_are_the_same_bits_on_every_number_of_threads() {
    let sizes =
        affordable([(12, 40, 33, 64), (3, 5, 300, 260), (3, 5, 7, 8)], |(t, b, i, h)| t * b * (i + h) * h);
    for (kind, (times, batch, inputs, hidden)) in sizes.flat_map(|sizes| KINDS.map(|kind| (kind, sizes))) {
        let sizes = Sizes { times, batch, inputs, hidden, reverse: false };
        let mut seed = 0;
        let inputs = lengths(kind, sizes).map(|len| {
            seed += 1;
            numbers_f32(seed, len).into_iter().map(|x| x * 0.1).collect()
        });
        on_thread_counts(|| {
            let kept = forward::<f32>(kind, sizes, &inputs);
            let results = kept.results(kind, sizes);
            let gradients = kept.backward(kind, sizes, &inputs, &vec![1.0; results.len()]);
            (results, gradients)
        });
    }
}

#[test]
fn a_weight_is_transposed() {
    let sizes = [(1, 1), (3, 40), (40, 3), (16, 16), (17, 35), (64, 1024), (20, 512)];
    for (rows, columns) in affordable(sizes, |(rows, columns)| rows * columns) {
        let w = numbers(1, rows * columns);
        let weight = Weight::transposed(&w, rows, columns, 1).expect("memory");
        let matrix = weight.matrix();
        for i in 0..rows {
            for j in 0..columns {
                assert_eq!(matrix.data[matrix.offset + i * matrix.row_stride + j], w[j * rows + i]);
            }
        }
    }
}
