//! Attention compared with PyTorch 2.15's (in `float64`), and how its results lie in memory.
//!
//! A result is told by Σ k·y_k and Σ k²·y_k over its elements in row-major order, k = 1, 2, …: wrong values and right
//! values in wrong places both change these.

use chainrule_tensor::autograd::{GradOptions, grad};
use chainrule_tensor::{DType, ScaledDotProductAttentionOptions as Options, Shape, Tensor, random};

/// ((i · factor mod modulus) − shift) / 10, as an `f64` leaf.
fn numbers(shape: impl Into<Shape>, factor: usize, modulus: usize, shift: f64) -> Tensor {
    let shape = shape.into();
    let values = (0..shape.numel()).map(|i| ((i * factor % modulus) as f64 - shift) / 10.0).collect();
    Tensor::from_vec(values, shape).unwrap().requires_grad_(true).unwrap()
}

fn inputs(query: &[usize], key: &[usize], value: &[usize]) -> [Tensor; 3] {
    [numbers(query, 7919, 23, 11.0), numbers(key, 31, 19, 9.0), numbers(value, 37, 29, 14.0)]
}

#[track_caller]
fn told(tensor: &Tensor, want: [f64; 2], tolerance: f64) {
    let values = tensor.to_dtype(DType::F64).unwrap().to_vec::<f64>().unwrap();
    for (power, want) in [1, 2].into_iter().zip(want) {
        let moment = values.iter().zip(1..).map(|(y, k)| f64::from(k).powi(power) * y).sum::<f64>();
        assert!((moment - want).abs() <= tolerance * want.abs().max(100.0), "{moment} instead of {want}");
    }
}

/// The output and the gradients of query, key, value and a float mask.
#[track_caller]
fn check(shapes: [&[usize]; 3], options: Options, want: &[[f64; 2]]) {
    let [q, k, v] = inputs(shapes[0], shapes[1], shapes[2]);
    let mask = options.attn_mask.clone().filter(|mask| mask.requires_grad());
    let y = q.scaled_dot_product_attention(&k, &v, options).unwrap();
    told(&y, want[0], 1e-11);
    let g = numbers(y.shape(), 41, 17, 8.0).detach();
    let leaves: Vec<&Tensor> = [&q, &k, &v].into_iter().chain(&mask).collect();
    let grads = grad(&[&y], &leaves, &[Some(&g)], GradOptions::default()).unwrap();
    assert_eq!(grads.len(), want.len() - 1);
    for ((grad, leaf), want) in grads.iter().zip(leaves).zip(&want[1..]) {
        let grad = grad.as_ref().unwrap();
        assert_eq!(grad.shape(), leaf.shape());
        told(grad, *want, 1e-11);
    }
}

const SHAPES: [&[usize]; 3] = [&[2, 3, 5, 4], &[2, 3, 7, 4], &[2, 3, 7, 6]];

#[test]
fn without_a_mask() {
    check(
        SHAPES,
        Options::default(),
        &[
            [16.610021388530555, 5346.282418816969],
            [57.206524236028734, 3604.1387697389255],
            [-3.044212789205549, -1431.563339865398],
            [20.698733141549, 8959.514588238537],
        ],
    );
    check(
        [&[2, 3, 5, 4], &[7, 4], &[3, 7, 6]],
        Options::default(),
        &[
            [-115.64484872376522, -12825.647629819592],
            [-56.494088382489174, -4227.920458425235],
            [3.4306573370112092, 115.06972184040333],
            [7.127262616889951, 3156.158246971153],
        ],
    );
    check(
        [&[1, 1, 150, 4], &[1, 1, 300, 4], &[1, 1, 300, 6]],
        Options::default(),
        &[
            [-424.36303666361505, -255760.6544919288],
            [0.3357060205842748, 85.90358144228048],
            [-0.911100884388703, 1199.7600902784106],
            [-189.60805202241093, -232691.79147442512],
        ],
    );
}

#[test]
fn causal() {
    let causal = || Options { is_causal: true, ..Options::default() };
    check(
        SHAPES,
        causal(),
        &[
            [90.39233331596313, 21898.634585126856],
            [110.7506830057358, 7257.152571862761],
            [-5.3685977430549325, -725.9463540113006],
            [33.62221327395906, 9861.83049035908],
        ],
    );
    check(
        [&[1, 2, 9, 4], &[1, 2, 4, 4], &[1, 2, 4, 3]],
        Options { scale: Some(-0.3), ..causal() },
        &[
            [7.846141793062824, 1662.6219498423961],
            [7.2860651666647005, 472.4915035533797],
            [1.5510853105150635, 36.4180860486073],
            [2.9721478178400305, 100.40678948887134],
        ],
    );
    check(
        [&[1, 1, 150, 4], &[1, 1, 300, 4], &[1, 1, 300, 6]],
        causal(),
        &[
            [-798.172174259961, -335398.89952863846],
            [-4.4999817961749855, 3723.657365533316],
            [-20.913539492224366, -7453.6969116889795],
            [118.53513463217341, 72168.84388149963],
        ],
    );
}

#[test]
fn masks() {
    // The second query sees nothing: zeros, and zeros for gradients.
    let keep = (0..35).map(|i| i * 5 % 7 > 2 && i / 7 != 1).collect::<Vec<bool>>();
    let with = |mask| Options { attn_mask: Some(mask), ..Options::default() };
    check(
        SHAPES,
        with(Tensor::from_vec(keep, [5, 7]).unwrap()),
        &[
            [-34.95179976011275, 7208.631557473316],
            [30.00210468606081, 1685.6542398754516],
            [4.551823756523887, -215.30994896859022],
            [-164.6766925196256, -21281.420358143434],
        ],
    );
    let padding = (0..14).map(|i| i * 5 % 7 > 2).collect::<Vec<bool>>();
    check(
        SHAPES,
        with(Tensor::from_vec(padding, [2, 1, 1, 7]).unwrap()),
        &[
            [18.652551122235366, 16159.225374202375],
            [55.09400987362113, 4472.437958529712],
            [2.4327967383535523, -800.6129265399902],
            [15.407238152403117, 7365.5423700227475],
        ],
    );
    check(
        SHAPES,
        with(numbers([3, 5, 7], 53, 31, 15.0)),
        &[
            [449.1369903381472, 54897.83808627431],
            [69.66192574640752, 5596.188558579041],
            [-0.6083881424178692, -457.4639754848256],
            [12.944497298736792, 9175.608855915585],
            [10.69356251707612, 1265.4715566828127],
        ],
    );
}

#[test]
fn heads_that_share_keys() {
    check(
        [&[2, 6, 5, 4], &[2, 2, 7, 4], &[2, 2, 7, 6]],
        Options { enable_gqa: true, attn_mask: Some(numbers([6, 5, 7], 53, 31, 15.0)), ..Options::default() },
        &[
            [-1554.5754322267337, -264068.1794327013],
            [-124.56697807902778, -25330.176052794515],
            [-4.5099994408362605, -416.254347908005],
            [-28.91679049653132, -6747.418857699729],
            [-1.454248165292924, -392.0667056454313],
        ],
    );
}

#[test]
fn dropout_draws_as_pytorch_does() {
    let inputs = inputs(&[2, 5, 4], &[2, 7, 4], &[2, 7, 6]);
    let [q, k, v] = inputs.map(|x| x.to_dtype(DType::F32).unwrap());
    random::manual_seed(3);
    let y = q.scaled_dot_product_attention(&k, &v, Options { dropout_p: 0.4, ..Options::default() }).unwrap();
    told(&y, [120.10285867378116, 7083.597840238363], 1e-6);
}

/// Queries, keys and values as views of one product, `[B, T, 3, H, E]`: the same numbers as from copies, and neither
/// the way to `[B, T, H · E]` nor that back takes a copy.
#[test]
fn heads_side_by_side() {
    let qkv = numbers([2, 70, 3, 3, 4], 7919, 1009, 504.0).detach().mul(0.1).unwrap();
    let part = |i| qkv.select(2, i).unwrap().transpose(1, 2).unwrap().requires_grad_(true).unwrap();
    let copy = |i| part(i).detach().contiguous().unwrap().requires_grad_(true).unwrap();
    let causal = || Options { is_causal: true, ..Options::default() };
    let (views, copies) = ([0, 1, 2].map(part), [0, 1, 2].map(copy));
    let run = |x: &[Tensor; 3]| {
        let y = x[0].scaled_dot_product_attention(&x[1], &x[2], causal()).unwrap();
        let grads = grad(&[&y.square().unwrap().sum().unwrap()], &x.each_ref(), &[], GradOptions::default());
        [vec![y.detach()], grads.unwrap().into_iter().flatten().collect()].concat()
    };
    for (i, (view, copy)) in run(&views).iter().zip(run(&copies)).enumerate() {
        assert_eq!(view.to_vec::<f64>().unwrap(), copy.to_vec::<f64>().unwrap());
        assert!(copy.is_contiguous());
        assert!(view.transpose(1, 2).unwrap().is_contiguous(), "result {i}");
    }
}

#[test]
fn without_keys_or_columns() {
    let sizes = |q: [usize; 2], k: [usize; 2], v: [usize; 2]| {
        inputs(&q, &k, &v).map(|x| x.to_dtype(DType::F32).unwrap())
    };
    let values = |[q, k, v]: [Tensor; 3]| {
        q.scaled_dot_product_attention(&k, &v, Options::default()).unwrap().to_vec::<f32>().unwrap()
    };
    assert_eq!(values(sizes([2, 3], [0, 3], [0, 2])), [0.0; 4]);
    assert!(values(sizes([0, 3], [2, 3], [2, 2])).is_empty());
    // All scores are 0: means.
    let no_columns = sizes([1, 0], [2, 0], [2, 1]);
    let mean = no_columns[2].mean().unwrap().to_vec::<f32>().unwrap();
    assert_eq!(values(no_columns), mean);
}

/// Where a query sees no key, by whichever mask: zeros, and gradients that are finite and the same by both ways back.
#[test]
fn queries_that_see_no_key() {
    let keep = Tensor::new([[true, false, true], [false; 3], [true; 3]]);
    for dtype in [DType::F32, DType::F64] {
        let add = Tensor::full([3, 3], 0.0, dtype)
            .and_then(|x| x.masked_fill(&keep.logical_not()?, f64::NEG_INFINITY));
        let add = add.unwrap();
        let leaf = add.clone().requires_grad_(true).unwrap();
        // What is filled in by hand for −∞: the scores vanish beside it, and all keys are as good.
        let least = add.clamp(Some(f64::from(f32::MIN)), None).unwrap();
        for (mask, sees_none) in [(&keep, true), (&add, true), (&leaf, true), (&least, false)] {
            for dropout_p in [0.0, 1e-9] {
                let [q, k, v] = inputs(&[2, 3, 4], &[2, 3, 4], &[2, 3, 2]);
                let [q, k, v] = [q, k, v]
                    .map(|x| x.detach().to_dtype(dtype).and_then(|x| x.requires_grad_(true)).unwrap());
                let options = Options { attn_mask: Some(mask.clone()), dropout_p, ..Options::default() };
                let y = q.scaled_dot_product_attention(&k, &v, options).unwrap();
                let to_vec = |x: &Tensor| x.detach().to_dtype(DType::F64).unwrap().to_vec::<f64>().unwrap();
                let row = &to_vec(&y)[2..4];
                if sees_none {
                    assert_eq!(row, [0.0; 2]);
                } else {
                    let mean = v.mean_dim(1, false).unwrap();
                    assert!(row.iter().zip(to_vec(&mean)).all(|(y, m)| (y - m).abs() < 1e-6));
                }
                let mut leaves = vec![&q, &k, &v];
                leaves.extend(Some(mask).filter(|mask| mask.requires_grad()));
                let grads = |create_graph| {
                    let options = GradOptions { create_graph, retain_graph: true, ..GradOptions::default() };
                    let sum = y.square().unwrap().sum().unwrap();
                    let grads = grad(&[&sum], &leaves, &[], options).unwrap();
                    grads.into_iter().map(Option::unwrap).collect::<Vec<_>>()
                };
                let recorded = grads(true);
                for (fused, recorded) in grads(false).iter().zip(&recorded) {
                    let (fused, recorded) = (to_vec(fused), to_vec(recorded));
                    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-5;
                    assert!(fused.iter().zip(&recorded).all(near), "{dtype}: {fused:?} and {recorded:?}");
                }
                let sum = recorded[0].square().unwrap().sum().unwrap();
                let second = grad(&[&sum], &[&q], &[], GradOptions::default()).unwrap();
                assert!(to_vec(second[0].as_ref().unwrap()).iter().all(|v| v.is_finite()));
            }
        }
    }
}
