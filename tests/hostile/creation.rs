//! Tensors made from sizes and numbers, random ones and parameters among them.

use chainrule::nn::init;
use chainrule::random::Generator;
use chainrule::{Parameter, Shape, Tensor};

use crate::case::{Call, call};
use crate::draw::Draw;

pub(crate) fn calls() -> Vec<Call> {
    vec![
        call("zeros", |d| Tensor::zeros(d.sizes())),
        call("ones", |d| Tensor::ones(d.sizes())),
        call("full", |d| Tensor::full(d.sizes(), d.number(), d.dtype())),
        call("arange", |d| Tensor::arange(d.size())),
        call("eye", |d| Tensor::eye(d.size())),
        call("from_vec", |d| Tensor::from_vec(vec![1.0f32; d.small()], d.sizes())),
        call("from_slice", |d| Tensor::from_slice(&vec![1i64; d.small()], d.sizes())),
        call("full_of", |d| Tensor::full_of(d.sizes(), d.index() as i64)),
        call("from_buffer", |d| {
            Tensor::from_buffer(chainrule::Buffer::from_vec(vec![1.0f32; d.small()]), d.sizes())
        }),
        call("build", |d| Tensor::build(d.sizes(), |values: &mut [f32]| values.fill(1.0))),
        call("try_new", |d| Tensor::try_new(vec![d.numbers(), d.numbers()])),
        call("try_new of sizes", |d| Tensor::try_new(d.sizes())),
        call("try_vec", |d| chainrule::try_vec::<f64>("try_vec", d.size()).map(drop)),
        call("to_scalar", |d| {
            let x = d.tensor();
            _ = x.to_scalar::<bool>();
            x.to_scalar::<f64>().map(drop)
        }),
        call("ndarray", |d| {
            let x = d.tensor();
            let array = x.as_ndarray::<f32>()?.to_owned();
            Tensor::from_ndarray(array.reversed_axes())?;
            x.into_ndarray::<f32>().map(drop)
        }),
        call("huge ndarray", |d| d.huge_view().as_ndarray::<f32>().map(drop)),
        call("Generator's distributions", |d| {
            let mut g = Generator::new(0);
            let (mut floats, mut integers) = (vec![0.0; d.small()], vec![0; d.small()]);
            let (numbers, others) = (d.numbers(), d.numbers());
            let (a, b) = (d.number(), d.number());
            _ = g.binomial(&mut floats, &numbers, &others);
            _ = g.poisson(&mut floats, &numbers);
            _ = g.gamma(&mut floats, &numbers);
            _ = g.dirichlet(&mut floats, &numbers, d.small());
            _ = g.multinomial(&numbers, d.small(), d.flag());
            _ = g.bernoulli_each(&mut floats, &numbers);
            _ = g.geometric(&mut floats, a);
            _ = g.uniform(&mut floats, a, b);
            _ = g.normal_one_by_one(&mut floats, a, b);
            _ = g.random_from_to(&mut integers, d.index() as i64, d.index() as i64);
            Ok(())
        }),
        call("zeros_like", |d| Tensor::zeros_like(&d.huge_view())),
        call("ones_like", |d| Tensor::ones_like(&d.huge_view())),
        call("rand", |d| Tensor::rand(d.sizes())),
        call("randn", |d| Tensor::randn(d.sizes())),
        call("randint", |d| Tensor::randint(d.index() as i64, d.index() as i64, d.sizes())),
        call("randperm", |d| Tensor::randperm(d.size())),
        call("uniform", |d| Tensor::uniform(d.sizes(), d.number(), d.number(), d.dtype())),
        call("normal", |d| Tensor::normal(d.sizes(), d.number(), d.number(), d.dtype())),
        call("log_normal", |d| Tensor::log_normal(d.sizes(), d.number(), d.number(), d.dtype())),
        call("exponential", |d| Tensor::exponential(d.sizes(), d.number(), d.dtype())),
        call("cauchy", |d| Tensor::cauchy(d.sizes(), d.number(), d.number(), d.dtype())),
        call("geometric", |d| Tensor::geometric(d.sizes(), d.number(), d.dtype())),
        call("bernoulli", |d| Tensor::bernoulli(d.sizes(), d.number())),
        call("bernoulli_each", |d| d.tensor().bernoulli_each()),
        call("normal_each", |d| d.tensor().normal_each(&d.tensor())),
        call("poisson", |d| d.tensor().poisson()),
        call("binomial", |d| d.tensor().binomial(&d.tensor())),
        call("gamma", |d| d.tensor().gamma()),
        call("dirichlet", |d| d.tensor().dirichlet()),
        call("multinomial", |d| d.tensor().multinomial(d.size(), d.flag())),
        call("rand_like", |d| d.huge_view().rand_like()),
        call("randn_like", |d| d.tensor().randn_like()),
        call("randint_like", |d| d.tensor().randint_like(d.index() as i64, d.index() as i64)),
        call("uniform_like", |d| d.tensor().uniform_like(d.number(), d.number())),
        call("normal_like", |d| d.tensor().normal_like(d.number(), d.number())),
        call("Generator::set_state", |d| {
            let mut generator = Generator::new(d.count());
            let state = generator.state();
            let tensor = state.to_tensor()?;
            let changed = d.tensor();
            _ = chainrule::random::GeneratorState::from_tensor(&changed);
            _ = generator.set_state(&chainrule::random::GeneratorState::from_tensor(&tensor)?);
            Ok(())
        }),
        call("Shape", |d| {
            let shape = Shape::from(d.sizes());
            _ = (shape.with_size(d.size(), d.size()), shape.without(d.size()));
            _ = (shape.with_inserted(d.size(), d.size()), shape.around(d.size()));
            Ok(_ = format!("{shape} {shape:?} {}", shape.numel()))
        }),
        call("init::uniform_", |d| init::uniform_(&parameter(d)?, d.number(), d.number())),
        call("init::normal_", |d| init::normal_(&parameter(d)?, d.number(), d.number())),
        call("init::trunc_normal_", |d| {
            let (mean, std, a, b) = (d.number(), d.number(), d.number(), d.number());
            init::trunc_normal_(&parameter(d)?, init::TruncNormal { mean, std, a, b })
        }),
        call("init::kaiming_uniform_", |d| {
            let options = init::Kaiming { a: d.number(), ..Default::default() };
            init::kaiming_uniform_(&parameter(d)?, options)
        }),
        call("init::kaiming_normal_", |d| {
            let nonlinearity = d.pick(&[init::Nonlinearity::LeakyRelu, init::Nonlinearity::Selu]);
            let a = init::calculate_gain(nonlinearity, d.maybe(Draw::number));
            init::kaiming_normal_(&parameter(d)?, init::Kaiming { a, nonlinearity, ..Default::default() })
        }),
        call("init::xavier_uniform_", |d| init::xavier_uniform_(&parameter(d)?, d.number())),
        call("init::ones_ and zeros_", |d| {
            init::ones_(&parameter(d)?)?;
            init::zeros_(&parameter(d)?)
        }),
        call("init::xavier_normal_", |d| init::xavier_normal_(&parameter(d)?, d.number())),
        call("init::orthogonal_", |d| init::orthogonal_(&parameter(d)?, d.number())),
        call("init::sparse_", |d| init::sparse_(&parameter(d)?, d.number(), d.number())),
        call("init::dirac_", |d| init::dirac_(&parameter(d)?, d.size())),
        call("init::constant_", |d| init::constant_(&parameter(d)?, d.number())),
        call("init::eye_", |d| init::eye_(&parameter(d)?)),
        call("init::calculate_fan_in_and_fan_out", |d| {
            init::calculate_fan_in_and_fan_out(&d.sizes()).map(drop)
        }),
    ]
}

fn parameter(d: &mut Draw) -> chainrule::Result<Parameter> {
    let shape = d.shape();
    Parameter::new(d.floats(&shape).detach())
}
